"""All that this module brings. config.toml names it: `[app] modules = ["lending.loans"]`."""

from typing import Final

from gatehouse.common.modules import Module

from lending.loans.application.commands.add_item import AddItem
from lending.loans.application.commands.give_back_item import GiveBackItem
from lending.loans.application.commands.lend_item import LendItem
from lending.loans.application.queries.list_loans import ListLoans
from lending.loans.application.queries.list_overdue_loans import ListOverdueLoans
from lending.loans.domain.errors import ItemExistsError, ItemLentError
from lending.loans.infrastructure.tables import items, loans
from lending.loans.presentation.cli import overdue_loans
from lending.loans.presentation.http import items as item_routes
from lending.loans.presentation.http import loans as loan_routes
from lending.loans.providers import LoansProvider
from lending.loans.settings import LoanSettings

MODULE: Final = Module(
    name="loans",
    commands=(AddItem, LendItem, GiveBackItem),
    queries=(ListLoans, ListOverdueLoans),
    providers=(LoansProvider(),),
    routers=(item_routes.router, loan_routes.router),
    cli=(overdue_loans.register,),
    tables={
        items: "SELECT, INSERT",
        loans: "SELECT, INSERT, UPDATE, DELETE",  # UPDATE is what locking a row needs
    },
    migrations="lending.loans:migrations",
    constraints={"uq_items_name": ItemExistsError, "uq_loans_item_id": ItemLentError},
    settings={"loans": LoanSettings},
)
