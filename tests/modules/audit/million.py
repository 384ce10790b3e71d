"""Audit events beside a million users."""

from typing import Final, LiteralString

MILLION_ROWS: Final[tuple[LiteralString, ...]] = (
    """
    INSERT INTO audit_events (id, at, action, outcome, actor, target, subject_id)
    SELECT lpad(to_hex(n), 32, '0')::uuid, timestamptz '2020-01-01Z' + n / 3 * interval '1 s',
        CASE WHEN n % 50 = 0 THEN 'grant_admin' ELSE 'log_in' END,
        CASE WHEN n % 20 = 0 THEN 'throttled' ELSE 'succeeded' END,
        'user' || n % 50, 'user' || n % 70, 'room' || n % 30
    FROM generate_series(1, 50000) AS n
    """,
)
