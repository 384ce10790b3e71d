"""For indexes on tables that may be large: made and dropped while others write."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from alembic import op
from sqlalchemy import TextClause


def create_index(
    name: str, table: str, columns: Sequence[str | TextClause], *, where: TextClause | None = None
) -> None:
    """Commits what was migrated so far. An interrupted attempt leaves an invalid index, which the next one replaces."""
    with _outside_of_transactions():
        op.drop_index(name, table_name=table, postgresql_concurrently=True, if_exists=True)
        op.create_index(name, table, list(columns), postgresql_concurrently=True, postgresql_where=where)


@contextmanager
def _outside_of_transactions() -> Iterator[None]:
    """And without a limit on waiting: for a lock that hinders nobody, then for the end of each open transaction."""
    with op.get_context().autocommit_block():
        limit = op.get_bind().exec_driver_sql("SHOW lock_timeout").scalar_one()
        op.execute("SET lock_timeout = 0")
        yield
        op.execute(f"SET lock_timeout = '{limit}'")
