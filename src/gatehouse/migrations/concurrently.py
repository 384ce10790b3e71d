"""For indexes on tables that may be large: made and dropped while others write."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from alembic import op
from sqlalchemy import TextClause, text

_IS_VALID: Final = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")


def create_index(
    name: str,
    table: str,
    columns: Sequence[str | TextClause],
    *,
    unique: bool = False,
    where: TextClause | None = None,
) -> None:
    """Commits what was migrated so far. An interrupted attempt leaves an invalid index, which the next one replaces;
    a whole one is kept, since a migration that has to wait for a lock begins anew.
    """
    with outside_of_transactions():
        if op.get_bind().scalar(_IS_VALID, {"name": name}):
            return
        op.drop_index(name, table_name=table, postgresql_concurrently=True, if_exists=True)
        op.create_index(name, table, list(columns), unique=unique, postgresql_concurrently=True, postgresql_where=where)


@contextmanager
def outside_of_transactions() -> Iterator[None]:
    """And without a limit on waiting: for a lock that hinders nobody, then for the end of each open transaction."""
    with op.get_context().autocommit_block():
        limit = op.get_bind().exec_driver_sql("SHOW lock_timeout").scalar_one()
        op.execute("SET lock_timeout = 0")
        yield
        op.execute(f"SET lock_timeout = '{limit}'")
