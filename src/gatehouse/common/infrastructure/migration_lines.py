"""Lines of migrations: that of Gatehouse's own modules, and one for each module from outside."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Final

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError, coerce_resource_to_filename
from sqlalchemy import Connection

from gatehouse.common.infrastructure.explain_error import explain_error
from gatehouse.common.infrastructure.grants import Grants

SCRIPTS: Final = "gatehouse:migrations"
"""With `env.py`, for all lines. A folder of the package, so that an installed wheel has it, too."""
OWN: Final = "gatehouse"
_DIGITS: Final = 4

type Report = Callable[[str], None]
"""Takes a line for the operator: what is being waited for, or was done to what is stored."""
type Upkeep = Callable[[Connection, Report], None]
"""What the owner does each time once a line is at its newest revision, while servers run.

It opens its transactions itself. One that does not get a lock in time is rolled back, and the whole is called again.
"""


class MigrationError(Exception):
    """One line for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationLine:
    """Revisions that follow one another, and the table with the one that a database has."""

    name: str
    """Of the module."""
    location: str
    """The folder of the revisions, as `acme.loans:migrations`, or as a path."""
    version_table: str
    grants: Grants = field(default_factory=dict)
    """What the server's database role may do on the tables that the line makes."""
    functions: tuple[str, ...] = ()
    """Those that it may call, and nobody else but the owner."""

    @property
    def is_own(self) -> bool:
        return self.name == OWN

    @property
    def folder(self) -> Path:
        """Raises MigrationError where its package cannot be found. The folder itself need not be there."""
        try:
            return coerce_resource_to_filename(self.location).absolute()
        except (ImportError, TypeError, ValueError):
            package = self.location.partition(":")[0]
            raise MigrationError(f"{self.name}: there is no package {package}, which its `migrations` names.") from None

    def has_code(self, frame: FrameType) -> bool:
        """By its file: Alembic loads revisions under names of its own."""
        return Path(frame.f_code.co_filename).is_relative_to(self.folder)

    def script(self) -> ScriptDirectory:
        """Its revisions. Raises MigrationError unless they are one line of numbers."""
        if not self.folder.is_dir():
            raise MigrationError(
                f"{self.name}: there is no folder {self.location}, where its migrations are to be; "
                f'`gatehouse new-migration {self.name} "create tables"` makes it, with the first one.'
            )
        return _load_script(self.name, str(self.folder))


class SchemaAge(Enum):
    """Of what a line has made in a database, as this version of its module sees it."""

    OLDER = auto()
    """Or there is nothing."""
    NEWEST = auto()
    NEWER = auto()
    """Migrated by a later version. It serves this one, too: see "Changing the schema" in CONTRIBUTING.md."""
    UNKNOWN = auto()
    """Neither this line of revisions nor one that goes on from it."""

    @classmethod
    def of(cls, revision: str | None, script: ScriptDirectory) -> "SchemaAge":
        known = [step.revision for step in script.walk_revisions()]
        if revision is None or revision in known[1:]:
            return cls.OLDER
        if revision == known[0]:
            return cls.NEWEST
        # Revisions are numbers of one length, so that they sort as text. Whatever else sorts behind is no revision.
        is_number = revision.isascii() and revision.isdecimal() and len(revision) == len(known[0])
        return cls.NEWER if is_number and revision > known[0] else cls.UNKNOWN


def own_line(grants: Grants, functions: Sequence[str] = ()) -> MigrationLine:
    return MigrationLine(
        name=OWN,
        location=f"{SCRIPTS}/versions",
        version_table="alembic_version",
        grants=grants,
        functions=tuple(functions),
    )


def line_of(module: str, location: str, grants: Grants, functions: Sequence[str] = ()) -> MigrationLine:
    """That of a module from outside."""
    return MigrationLine(
        name=module,
        location=location,
        version_table=f"alembic_version_{module}",
        grants=grants,
        functions=tuple(functions),
    )


def migration_config(url: str, line: MigrationLine, file: str | None = None) -> Config:
    """As Alembic takes it. The `file`, an alembic.ini, is only needed to write migrations."""
    config = Config(file)
    config.set_main_option("script_location", SCRIPTS)
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(line.folder).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes |= {"url": url, "version_table": line.version_table}
    return config


@cache  # the files do not change while a process runs
def _load_script(name: str, folder: str) -> ScriptDirectory:
    line = MigrationLine(name=name, location=folder, version_table="")
    script = ScriptDirectory.from_config(migration_config("", line))
    try:
        with warnings.catch_warnings(action="error"):  # such as those of a number that is there twice
            heads, bases = script.get_heads(), script.get_bases()
            revisions = [step.revision for step in script.walk_revisions()][::-1]
    except CommandError as error:
        raise MigrationError(f"{name}: its migrations are not one line: {error}.") from None
    except Exception as error:  # noqa: BLE001  # whatever a file of the line raises
        raise MigrationError(
            f"{name}: its migrations cannot be loaded: {explain_error(error, line.has_code)}"
        ) from None
    if not revisions:
        raise MigrationError(
            f'{name}: it has no migration yet: write the first with `gatehouse new-migration {name} "create tables"`.'
        )
    if len(heads) != 1 or len(bases) != 1:
        several, what = (heads, "end in") if len(heads) != 1 else (bases, "begin with")
        raise MigrationError(
            f"{name}: its migrations branch: they {what} {' and '.join(sorted(several))}; let each follow another one, "
            "in its `down_revision`."
        )
    if any(not _is_number(revision) for revision in revisions) or revisions != sorted(set(revisions)):
        raise MigrationError(
            f"{name}: its migrations must have numbers of four digits as `revision`, each higher than the one before."
        )
    return script


def _is_number(revision: str) -> bool:
    return len(revision) == _DIGITS and revision.isascii() and revision.isdecimal()
