"""What `gatehouse status` says of the audit trail."""

from typing import Final, LiteralString

from gatehouse.common.infrastructure.status import ReadSection, Section, StatusLine

_OLDEST: Final[LiteralString] = "SELECT min(at) AS oldest_event FROM audit_events"
# One that is not partitioned has no tree.
_PARTITIONS: Final[LiteralString] = """
    SELECT count(*) AS partitions, (array_agg(relid::text ORDER BY substring(bound FROM 'TO .''(.+)''')))[1] AS oldest
    FROM (
        SELECT tree.relid, pg_get_expr(relpartbound, tree.relid) AS bound
        FROM pg_partition_tree('audit_events') AS tree JOIN pg_class ON pg_class.oid = tree.relid WHERE isleaf
    ) AS leaves
"""


def _read(read: ReadSection) -> Section:
    return {**read(_OLDEST), **read(_PARTITIONS)}


def _describe(section: Section) -> str:
    since = f"{section['oldest_event']:%Y-%m-%d %H:%M} UTC" if section["oldest_event"] else "none yet"
    if not section["partitions"]:
        return f"oldest event {since}; not partitioned"
    return f"oldest event {since}; {section['partitions']} partitions, the oldest {section['oldest']}"


STATUS: Final = (StatusLine("audit", _read, _describe),)
