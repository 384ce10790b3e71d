"""Whether the database has what the modules' migrations make."""

from collections.abc import Sequence
from typing import Final

from psycopg import sql
from psycopg.rows import tuple_row

from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.infrastructure.database_errors import DatabaseError
from gatehouse.common.infrastructure.migration_lines import MigrationLine, SchemaAge
from gatehouse.common.infrastructure.waiting import wait_for_answer

_READY_WITHIN_SECONDS: Final = 0.9


class SchemaReadiness:
    """Of all lines, in one statement. Raises MigrationError where one cannot be loaded."""

    def __init__(self, database: Database, lines: Sequence[MigrationLine]) -> None:
        self._database = database
        self._scripts = {line.name: line.script() for line in lines}
        self._newest = {(name, script.get_current_head()) for name, script in self._scripts.items()}
        self._statement = " UNION ALL ".join(map(_select_revision, lines))

    async def ensure_ready(self) -> None:
        try:
            query = self._database.fetch_all(self._statement, {}, tuple_row)
            found = await wait_for_answer(_READY_WITHIN_SECONDS, query)
        except DatabaseError:
            found = []  # a table of revisions is not there yet
        if len(found) == len(self._newest) and set(found) == self._newest:
            return
        for name, script in self._scripts.items():
            revisions = [revision for line, revision in found if line == name]
            match SchemaAge.of(", ".join(revisions) if revisions else None, script):
                case SchemaAge.OLDER:
                    raise UnavailableError("The database schema is not the newest: run `gatehouse migrate`.")
                case SchemaAge.UNKNOWN:
                    raise UnavailableError(
                        f"The schema of {name} has a revision that this version does not know: see `gatehouse migrate`."
                    )


def _select_revision(line: MigrationLine) -> str:
    statement = sql.SQL("SELECT {}, version_num FROM {}")
    return statement.format(sql.Literal(line.name), sql.Identifier(line.version_table)).as_string()
