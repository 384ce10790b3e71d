"""A pool of connections that leaves a server once that has failed, and follows the primary."""

import asyncio
from contextvars import Context
from functools import partial
from time import monotonic
from typing import Final

import psycopg
import structlog
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from psycopg_pool.base import AttemptWithBackoff

from gatehouse.common.application.metrics import NO_METRICS, Counter, Gauge, Histogram, Metrics
from gatehouse.common.infrastructure.database_connection import (
    ServerConnection,
    connect_options,
    ensure_limits,
    explain_no_connection,
    set_limits_through_pooler,
)

_RETRY_SECONDS: Final = 0.5
"""A new primary is followed within a second of its promotion."""
_CLOSING_SECONDS: Final = 1.0

PRIMARY: Final = "primary"
REPLICA: Final = "replica"
_POOLS: Final = ((PRIMARY,), (REPLICA,))
SIZE: Final = Gauge(
    name="gatehouse_pool_connections", help="Connections to the database.", labels=("pool",), series=_POOLS
)
IN_USE: Final = Gauge(
    name="gatehouse_pool_connections_in_use", help="Those of them that are lent.", labels=("pool",), series=_POOLS
)
MAX_SIZE: Final = Gauge(
    name="gatehouse_pool_max_connections", help="How many there may be.", labels=("pool",), series=_POOLS
)
WAITS: Final = Histogram(
    name="gatehouse_pool_wait_seconds",
    help="How long it took to get a connection, where none was ready.",
    labels=("pool",),
    series=_POOLS,
)
REFUSALS: Final = Counter(
    name="gatehouse_pool_refusals_total", help="How often none came in time.", labels=("pool",), series=_POOLS
)
POOL_METRICS: Final = (SIZE, IN_USE, MAX_SIZE, WAITS, REFUSALS)

_log = structlog.get_logger()


class _Attempt(AttemptWithBackoff):
    """The pool's own pauses grow: one second, then two."""

    INITIAL_DELAY = _RETRY_SECONDS
    DELAY_BACKOFF = 1.0


class ConnectionPool(AsyncConnectionPool[ServerConnection]):
    no_connection: str | None = None
    """Why there is none: one line for the operator."""

    def __init__(self, url: str, size: int, *, wait_seconds: float, through_pooler: bool) -> None:
        options = connect_options(through_pooler=through_pooler)
        super().__init__(
            url,
            connection_class=ServerConnection,
            kwargs=options,
            configure=self._apply_limits,
            min_size=min(2, size),
            max_size=size,
            timeout=wait_seconds,
            # How long it tries to replace a connection while the database is away; a later request makes it try anew.
            reconnect_timeout=wait_seconds,
            open=False,
            close_returns=True,
        )
        self._connect_apart = partial(ServerConnection.connect, url, **options)
        self._through_pooler = through_pooler
        self._search: asyncio.Task[None] | None = None
        self._metrics: Metrics = NO_METRICS
        self._name = PRIMARY

    def measure(self, metrics: Metrics, name: str) -> None:
        """From now on."""
        self._metrics, self._name = metrics, name
        metrics.watch(MAX_SIZE, lambda: self.max_size, name)
        metrics.watch(SIZE, lambda: self._nconns, name)
        metrics.watch(IN_USE, lambda: self._nconns - len(self._pool), name)

    async def close(self, timeout: float = _CLOSING_SECONDS) -> None:  # noqa: ASYNC109  # the pool's signature
        if self._search is not None:
            self._search.cancel()
            await asyncio.wait({self._search}, timeout=timeout)
        await super().close(timeout)

    async def getconn(self, timeout: float | None = None) -> ServerConnection:  # noqa: ASYNC109  # likewise
        """Where one is ready, it is taken without the pool's lock, log lines and checks, which cost a twentieth of a
        request that reads. The lock is for steps with a wait between them; here is none.
        """
        if not self._pool:
            return await self._wait_for_connection(timeout)
        connection = self._pool.popleft()
        self._nconns_min = min(self._nconns_min, len(self._pool))  # tells the pool how many it has too many
        connection._pool = self  # noqa: SLF001  # as the pool does
        return connection

    async def _wait_for_connection(self, timeout: float | None) -> ServerConnection:  # noqa: ASYNC109  # likewise
        began = monotonic()
        try:
            return await super().getconn(timeout)
        except PoolTimeout:
            self._metrics.count(REFUSALS, self._name)
            raise
        finally:
            self._metrics.observe(WAITS, monotonic() - began, self._name)

    async def putconn(self, conn: ServerConnection) -> None:
        """A call that is cancelled while the pool makes it wait returns its connection, too, which is lost otherwise.

        The pool hardly ever does: a task that starts at once has then ended, and costs next to nothing.
        """
        if self._may_keep(conn):
            conn._pool = None  # noqa: SLF001  # likewise
            self._pool.append(conn)
            return
        returning = asyncio.Task(self._take_back(conn), loop=asyncio.get_running_loop(), eager_start=True)
        if returning.done():
            returning.result()
        else:
            await asyncio.shield(returning)

    def _may_keep(self, connection: ServerConnection) -> bool:
        """Whether it goes back as it is, as in `getconn`: nobody waits for it, and nothing is to be done with it."""
        is_at_rest = connection.pgconn.transaction_status == TransactionStatus.IDLE
        is_current = self._drained_at < connection._created_at and monotonic() < connection._expire_at  # noqa: SLF001  # likewise
        is_lent = connection._pool is self  # noqa: SLF001  # likewise; the pool refuses what is given back twice
        return is_lent and is_at_rest and is_current and not self._waiting and not self._closed

    async def _take_back(self, conn: ServerConnection) -> None:
        """When one connection is lost, idle ones often are, too, and otherwise each of the next requests would fail.

        They are closed rather than checked: an unresponsive server would answer none of the checks.
        """
        is_lost = conn.broken
        await super().putconn(conn)
        # One from before the last time says nothing of those that have replaced the others.
        if is_lost and conn._created_at > self._drained_at:  # noqa: SLF001  # the pool's own attribute
            await self.drain()

    def leave_read_only_server(self) -> None:
        """Moves to the primary as soon as there is one. Until then the connections to this server serve reads."""
        if self._search is None or self._search.done():
            # In a new context: otherwise its log lines would have the id of the request that happened to start it.
            self._search = asyncio.create_task(self._move_to_primary(), context=Context())

    async def _move_to_primary(self) -> None:
        while not await self._reaches_primary():  # noqa: ASYNC110  # no server tells of its promotion
            await asyncio.sleep(_RETRY_SECONDS)
        _log.warning("primary_followed")
        await self.drain()

    async def _reaches_primary(self) -> bool:
        try:
            async with await self._connect_apart() as connection:
                row = await (await connection.execute("SHOW transaction_read_only")).fetchone()
        except psycopg.Error:
            return False
        return row == ("off",)

    async def _apply_limits(self, connection: ServerConnection) -> None:
        try:
            await (set_limits_through_pooler if self._through_pooler else ensure_limits)(connection)
        except BaseException:
            connection.pgconn.finish()  # nobody else closes it
            raise

    async def _connect(self, timeout: float | None = None) -> ServerConnection:  # noqa: ASYNC109  # likewise
        try:
            connection = await super()._connect(timeout)
        except psycopg.OperationalError as error:  # the pool logs it
            self.no_connection = explain_no_connection(error)
            raise
        self.no_connection = None
        return connection

    async def _add_connection(self, attempt: AttemptWithBackoff | None, growing: bool = False) -> None:  # noqa: FBT001, FBT002  # likewise
        await super()._add_connection(attempt or _Attempt(timeout=self.reconnect_timeout), growing)
