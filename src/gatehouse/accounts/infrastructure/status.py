"""What `gatehouse status` says of accounts: sessions, accounts, and who has to wait."""

from typing import Final, LiteralString

from psycopg import sql

from gatehouse.accounts.infrastructure.counted_attempts import KEY_PARTS
from gatehouse.common.infrastructure.status import Section, StatusLine, count_or_estimate, describe_count

_SESSIONS: Final[LiteralString] = """
    SELECT count(*) AS live FROM (SELECT FROM sessions WHERE idle_expires_at > now() LIMIT %(limit)s + 1) AS live
"""
_ACCOUNTS: Final[LiteralString] = """
    SELECT
        (SELECT count(*) FROM (
            SELECT FROM users WHERE role IN ('user', 'admin', 'super_admin') LIMIT %(limit)s + 1
        ) AS them) AS accounts,
        (SELECT count(*) FROM users WHERE role = 'super_admin' AND is_active) AS active_super_admins
"""
_THROTTLED: Final = sql.SQL("""
    SELECT count(*) FILTER (WHERE parts[2] IS NOT NULL) AS accounts,
        count(*) FILTER (WHERE parts[2] IS NULL) AS addresses,
        (array_agg(coalesce(nullif(parts[2], 'None') || ' from ', '') || parts[3] ORDER BY next_at DESC))[:5] AS longest
    FROM (
        SELECT next_at, {parts} AS parts FROM (SELECT key, next_at FROM attempts LIMIT %(limit)s) AS attempts
        WHERE next_at > now()
    ) AS throttled
""").format(parts=sql.SQL(KEY_PARTS))


def _describe_throttled(section: Section) -> str:
    longest = f": {', '.join(section['longest'])}" if section["longest"] else ""
    return f"{section['accounts']} accounts and {section['addresses']} addresses have to wait{longest}"


STATUS: Final = (
    StatusLine(
        "sessions",
        lambda read: count_or_estimate(read, _SESSIONS, "live", table="sessions"),
        lambda section: f"{describe_count(section, 'live')} live",
    ),
    StatusLine(
        "accounts",
        lambda read: count_or_estimate(read, _ACCOUNTS, "accounts", table="users"),
        lambda section: (
            f"{describe_count(section, 'accounts')}, {section['active_super_admins']} of them active super admins"
        ),
    ),
    StatusLine("throttled", lambda read: read(_THROTTLED), _describe_throttled),
)
