"""What `gatehouse status` says of the audit trail."""

from typing import Final, LiteralString

from psycopg import sql

from gatehouse.audit.infrastructure.partitions import PARTITIONS, in_order
from gatehouse.common.infrastructure.migration_lines import MigrationError
from gatehouse.common.infrastructure.status import ReadSection, Section, StatusLine

_OLDEST: Final[LiteralString] = "SELECT min(at) AS oldest_event FROM audit_events"
_PARTITIONS: Final = sql.SQL("""
    SELECT array_agg(ARRAY[name::text, bounds]) AS partitions FROM ({partitions}) AS found (name, bounds)
""").format(partitions=sql.SQL(PARTITIONS))


def _read(read: ReadSection) -> Section:
    section = {**read(_OLDEST), **read(_PARTITIONS)}
    if "problem" in section:
        return section
    try:
        partitions = in_order((name, bounds) for name, bounds in section["partitions"] or ())
    except MigrationError as error:
        return {"problem": str(error)}
    if not partitions:
        return {**section, "partitions": 0}
    first, last = partitions[0], partitions[-1]
    return {**section, "partitions": len(partitions), "oldest": first.name, "made_until": last.since}


def _describe(section: Section) -> str:
    since = f"{section['oldest_event']:%Y-%m-%d %H:%M} UTC" if section["oldest_event"] else "none yet"
    if not section["partitions"]:
        return f"oldest event {since}; not partitioned"
    made = f"{section['partitions']} partitions, made until {section['made_until']:%Y-%m-%d}"
    return f"oldest event {since}; {made}, the oldest {section['oldest']}"


STATUS: Final = (StatusLine("audit", _read, _describe),)
