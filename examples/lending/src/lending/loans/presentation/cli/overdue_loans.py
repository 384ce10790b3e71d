import typer
from gatehouse.common.presentation.cli.run_use_case import RunUseCase

from lending.loans.application.queries.list_overdue_loans import ListOverdueLoans


def register(cli: typer.Typer, run: RunUseCase) -> None:
    @cli.command()
    def overdue_loans() -> None:
        """List what should be back by now, the longest overdue first."""
        loans = run(ListOverdueLoans, lambda query: query())
        for loan in loans:
            typer.echo(f"{loan.due_at:%Y-%m-%d}  {loan.username:<20}  {loan.item}")
        if not loans:
            typer.echo("Nothing is overdue.")
