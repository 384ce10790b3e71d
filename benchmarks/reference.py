"""The limit to compare with: the same answer from a hand-written ASGI application without any framework.

It verifies the same JWT, runs the session-and-user join and the list as two database statements on a psycopg pool, and
serialises with orjson. It has no roles, no errors, no headers and no renewal: what a service adds to it is overhead.
"""

import hashlib
import os
from datetime import UTC, datetime
from typing import Final

import jwt
import orjson
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from starlette.types import Receive, Scope, Send

_SESSION: Final = """
    SELECT sessions.user_id, users.role FROM sessions JOIN users ON users.id = sessions.user_id
    WHERE sessions.secret_hash = %s AND users.is_active AND sessions.idle_expires_at > %s AND sessions.expires_at > %s
"""
_LIST: Final = """
    SELECT id, username, role, is_active, created_at, updated_at, last_login_at FROM users
    ORDER BY username LIMIT 21 OFFSET 0
"""
_HEADERS: Final = [(b"content-type", b"application/json")]


class Reference:
    def __init__(self) -> None:
        self._key = os.environ["GATEHOUSE_JWT__SECRET"].encode()
        size = int(os.environ["GATEHOUSE_POSTGRES__POOL_SIZE"])
        self._pool = AsyncConnectionPool(
            os.environ["GATEHOUSE_POSTGRES__URL"],
            min_size=size,
            max_size=size,
            kwargs={"autocommit": True, "prepare_threshold": 0},
            open=False,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        cookie = next(value for name, value in scope["headers"] if name == b"cookie").decode()
        claims = jwt.decode(cookie.partition("=")[2], self._key, ["HS256"], audience="gatehouse", issuer="gatehouse")
        now = datetime.now(UTC)
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(_SESSION, (hashlib.sha256(claims["sid"].encode()).digest(), now, now))
            if await cursor.fetchone() is None:
                raise PermissionError
            await cursor.execute(_LIST)
            users = await cursor.fetchall()
        body = orjson.dumps({"users": users[:20], "next_cursor": None, "total": None})
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._pool.open(wait=True)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})


application = Reference()
