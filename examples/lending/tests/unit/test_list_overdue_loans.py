from datetime import timedelta

from gatehouse.accounts import Role
from gatehouse.testing.command_line import run_command
from gatehouse.testing.in_memory_app import InMemoryApp

from lending.loans.application.commands.add_item import AddItem
from lending.loans.application.commands.lend_item import LendItem
from lending.loans.application.queries.list_overdue_loans import ListOverdueLoans
from lending.loans.presentation.cli.overdue_loans import register
from tests.fakes import TERMS, LoansState


async def lend(app: InMemoryApp, *items: str) -> None:
    """One a day."""
    admin = app.add_user("admin", Role.ADMIN)
    app.add_user("alice")
    for item in items:
        await app.use(AddItem, admin)(item)
        await app.use(LendItem, admin)("alice", item)
        app.clock.advance(timedelta(days=1))


async def test_what_should_be_back_is_listed_the_longest_overdue_first() -> None:
    app = InMemoryApp()
    await lend(app, "drill", "saw", "hammer")

    app.clock.advance(TERMS.period - timedelta(days=1, seconds=1))

    assert [loan.item for loan in await app.use(ListOverdueLoans)()] == ["drill", "saw"]


async def test_the_command_line_prints_it() -> None:
    app = InMemoryApp()
    assert await run_command(app, register, "overdue-loans") == "Nothing is overdue.\n"
    await lend(app, "drill")
    [loan] = app.store[LoansState].loans.values()

    app.clock.advance(TERMS.period)

    assert await run_command(app, register, "overdue-loans") == f"{loan.due_at:%Y-%m-%d}  alice                 drill\n"
