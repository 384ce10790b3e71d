"""A million users, with sessions."""

from typing import Final, LiteralString

# 10 000 active admins and one that is not: on either side of what is counted. In the order of the filters' columns,
# which is the fastest to index.
MILLION_ROWS: Final[tuple[LiteralString, ...]] = (
    """
    INSERT INTO users (id, username, role, is_active, password_hash, must_change_password, created_at, updated_at,
        last_login_at)
    SELECT lpad(to_hex(n), 32, '0')::uuid, 'user' || to_hex(n::bigint * 7919 % 1000003),
        CASE WHEN n <= 10001 THEN 'admin' WHEN n <= 10011 THEN 'super_admin' ELSE 'user' END,
        n NOT IN (1, 10002) AND n NOT BETWEEN 10012 AND 100000, '', false,
        timestamptz '2020-01-01Z' + n * interval '1 s',
        timestamptz '2024-01-01Z' + n::bigint * 104729 % 1000003 * interval '1 s',
        CASE WHEN n % 10 > 0 THEN timestamptz '2024-01-01Z' + n::bigint * 15485863 % 1000003 * interval '1 s' END
    FROM generate_series(1, 1000000) AS n
    """,
    """
    INSERT INTO sessions (secret_hash, id, user_id, created_at, last_seen_at, idle_expires_at, expires_at)
    SELECT sha256(n::text::bytea), lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n * 20), 32, '0')::uuid,
        now(), now(), now() + interval '1 h', now() + interval '1 h'
    FROM generate_series(1, 20000) AS n
    """,
)
