"""What stands behind the ports. Commands and queries need no provider."""

from datetime import timedelta

from dishka import Provider, Scope, provide
from gatehouse.common.settings import Settings

from lending.loans.application.ports import Items, Loans
from lending.loans.application.queries.list_loans import LoanPages
from lending.loans.domain.loan import LoanTerms
from lending.loans.infrastructure.items import SqlItems
from lending.loans.infrastructure.loans import SqlLoans
from lending.loans.infrastructure.queries.list_loans import SqlLoanPages
from lending.loans.settings import LoanSettings


class LoansProvider(Provider):
    items = provide(SqlItems, scope=Scope.REQUEST, provides=Items)
    loans = provide(SqlLoans, scope=Scope.REQUEST, provides=Loans)
    pages = provide(SqlLoanPages, scope=Scope.APP, provides=LoanPages)

    @provide(scope=Scope.APP)
    def terms(self, settings: Settings) -> LoanTerms:
        section = settings[LoanSettings]
        return LoanTerms(section.max_per_borrower, timedelta(days=section.days))
