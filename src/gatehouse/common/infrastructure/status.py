"""What a module adds to `gatehouse status`: a line each, read with statements of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, LiteralString, Protocol

from psycopg import sql

LIMIT: Final = 100_000
"""More rows than these are not counted, but estimated."""
_ESTIMATE: Final[LiteralString] = "SELECT reltuples::bigint AS rows FROM pg_class WHERE oid = %(table)s::regclass"

type Section = dict[str, Any]
"""What was found, for people and for programs; or one entry, `problem`, that says why not."""


class ReadSection(Protocol):
    def __call__(self, statement: LiteralString | sql.Composed, **parameters: object) -> Section:
        """One row, within a few seconds. The parameter `limit` is always there. Never raises."""


@dataclass(frozen=True, slots=True)
class StatusLine:
    """`read` works whatever the schema; `describe` is not asked about a section with a `problem`."""

    name: str
    read: Callable[[ReadSection], Section]
    describe: Callable[[Section], str]


def count_or_estimate(read: ReadSection, statement: LiteralString, name: str, *, table: str) -> Section:
    """The statement counts up to `limit` and one more, under that name. Beyond, it is the planner's estimate."""
    section = read(statement)
    if section.get(name, 0) <= LIMIT:
        return section
    return {**section, name: read(_ESTIMATE, table=table).get("rows"), "is_estimate": True}


def describe_count(section: Section, name: str) -> str:
    return f"about {section[name]:,}" if section.get("is_estimate") else f"{section[name]:,}"
