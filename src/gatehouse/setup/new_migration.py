"""Writes a migration from the difference between a module's tables and what its migrations make."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

from alembic import command
from alembic.script import Script
from sqlalchemy.sql.schema import SchemaItem

from gatehouse.common.infrastructure.embedded_postgres import embedded_postgres
from gatehouse.common.infrastructure.metadata import is_partition, metadata
from gatehouse.common.infrastructure.migration_lines import MigrationError, MigrationLine, migration_config
from gatehouse.common.infrastructure.migrations import migrate
from gatehouse.common.modules import Modules


def write_migration(modules: Modules, name: str, message: str, file: str | None = None) -> Path:
    """The migration's file. `name` is that of a module from outside, or `gatehouse`, whose own modules share a line.

    The database that it is compared with is made for this alone, by the migrations that there are. Raises
    MigrationError and EmbeddedPostgresError.
    """
    lines = modules.migration_lines
    place = next((place for place, line in enumerate(lines) if line.name == name), None)
    if place is None:
        raise MigrationError(
            f"{name} is no module that has migrations: see `modules` in the section [app], and `MODULE`."
        )
    line, before = lines[place], lines[:place]
    line.folder.mkdir(exist_ok=True)
    has_some = any(line.folder.glob("[0-9]*.py"))
    with _scratch_database() as url:
        migrate(url, [*before, line] if has_some else before)
        config = migration_config(url, line, file)
        config.attributes |= {"metadata": metadata, "include_object": _only_tables_of(line, lines)}
        head = line.script().get_current_head() if has_some else None
        with redirect_stdout(StringIO()):  # Alembic says what it does
            written = command.revision(config, message=message, autogenerate=True, rev_id=f"{int(head or 0) + 1:04}")
    assert isinstance(written, Script)  # noqa: S101  # one revision was asked for
    return Path(written.path)


@contextmanager
def _scratch_database() -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory(prefix="gatehouse-migration-") as folder,
        embedded_postgres(Path(folder) / "postgres") as url,
    ):
        yield url


def _only_tables_of(line: MigrationLine, lines: list[MigrationLine]) -> Callable[..., bool]:
    """As Alembic asks. A table that the module no longer declares is one that nobody declares."""
    others = {table for other in lines if other is not line for table in other.grants}

    def is_included(_: SchemaItem, name: str, kind: str, is_in_database: bool, *__: object) -> bool:  # noqa: FBT001  # Alembic's signature
        if kind != "table":
            return True
        if is_in_database:
            return name not in others and not name.startswith("alembic_version") and not is_partition(name)
        return name in line.grants

    return is_included
