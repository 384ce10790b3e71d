"""A connection to PostgreSQL: what limits are in force on it, at the server and here."""

from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from traceback import clear_frames
from typing import Any, ClassVar, Final, Self

import psycopg
from psycopg import AsyncConnection, AsyncCursor, sql
from psycopg.abc import PQGen
from psycopg.errors import Diagnostic
from psycopg.rows import TupleRow, scalar_row

from gatehouse.common.application.timing import CURRENT

# As PostgreSQL shows them.
SERVER_LIMITS: Final = {
    "statement_timeout": "5s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
    "TimeZone": "UTC",
}
ANSWER_WITHIN_SECONDS: Final = 7.0
"""The server's limit and two seconds: a server that has not even refused a statement by then answers nothing at all."""
_CANCEL_WITHIN_SECONDS: Final = 1.0
_CONNECT: Final = {
    "autocommit": True,
    "connect_timeout": 3,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "gatehouse",
}

_NO_HOST: Final = "the name of its host cannot be resolved"
_IN_FORCE: Final = f"SELECT {', '.join(f"current_setting('{name}')" for name in SERVER_LIMITS)}"
# Servers that start together set them one after the other.
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('gatehouse limits'))"
_DATABASE: Final = "SELECT current_database()"
_OF_THE_ROLE: Final = """
    SELECT unnest(setconfig) FROM pg_db_role_setting
    WHERE setrole = current_user::regrole AND setdatabase = (SELECT oid FROM pg_database WHERE datname = %s)
"""


class NoAnswerError(psycopg.OperationalError):
    """The server took a statement and said nothing. Whether it carries it out is unknown."""


class PoolerInBetweenError(psycopg.OperationalError):
    """The limits do not reach the server, because something in between does not pass them on."""

    def __init__(self) -> None:
        super().__init__(
            "postgres.pooler: a pooler such as PgBouncer does not pass the time limits on to the server; set it to true"
        )


def explain_no_connection(error: psycopg.OperationalError | UnicodeError) -> str:
    """In a line for the operator. A name that is no host's is not repeated: in a URL whose password holds an @ that is
    not escaped, it is a part of the password.
    """
    if isinstance(error, PoolerInBetweenError):
        return str(error)
    reason = next(iter(str(error).splitlines()), "")
    if isinstance(error, UnicodeError) or reason.startswith("failed to resolve host"):
        reason = _NO_HOST
    return f"No connection to the database: {' '.join(reason.removeprefix('connection failed: ').split())}."


class ServerConnection(AsyncConnection[TupleRow]):
    cursors: ClassVar[type[AsyncCursor[Any]]] = AsyncCursor
    """What connections execute their statements with that are made from now on."""

    def __init__(self, *args: Any, **options: Any) -> None:  # the driver's
        super().__init__(*args, **options)
        self.cursor_factory = self.cursors

    @classmethod
    async def connect(cls, conninfo: str = "", **options: Any) -> Self:  # any option of the driver's
        try:
            return await super().connect(conninfo, **options)
        except psycopg.OperationalError as error:
            # The driver does not close what has not answered in time: it is in a cycle of the error and its frames.
            # Until the garbage is collected, which may take hours, a server that comes back would keep it as a client.
            clear_frames(error.__traceback__)
            if "unsupported startup parameter" in str(error):
                raise PoolerInBetweenError from None
            if "failed to resolve host" in str(error):
                raise psycopg.OperationalError(_NO_HOST) from None
            raise
        except UnicodeError:  # of its name, which is none
            raise psycopg.OperationalError(_NO_HOST) from None

    async def wait[Answer](self, gen: PQGen[Answer], interval: float = 0.1, timeout: float | None = None) -> Answer:  # noqa: ASYNC109  # the driver's signature
        """The driver waits here for the answer to every statement, BEGIN and COMMIT included."""
        timing, began = CURRENT.get(), perf_counter()
        try:
            return await super().wait(gen, interval, ANSWER_WITHIN_SECONDS if timeout is None else timeout)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001  # named so in the method's documentation
            self.pgconn.finish()  # as if the server had hung up; a rollback or a Terminate would wait as long again
            raise NoAnswerError from None
        finally:
            if timing is not None:
                timing.database += perf_counter() - began

    async def cancel_safe(self, *, timeout: float = _CANCEL_WITHIN_SECONDS) -> None:  # noqa: ASYNC109  # likewise
        """The driver calls it when a request is cancelled, and then waits for the statement to end. Where nobody takes
        the cancellation, nobody ends the statement.
        """
        try:
            await super().cancel_safe(timeout=min(timeout, _CANCEL_WITHIN_SECONDS))
        except psycopg.Error:
            self.pgconn.finish()
            raise

    def add_notice_handler(self, callback: Callable[[Diagnostic], None]) -> None:
        # SQLAlchemy adds its handler at every checkout; connections outlive checkouts, and the list would only grow.
        with suppress(ValueError):
            self.remove_notice_handler(callback)
        super().add_notice_handler(callback)

    async def close(self) -> None:
        # psycopg regards a lost connection as closed and does not return it to its pool, which would count it as in
        # use forever, and have none left in the end.
        pool = getattr(self, "_pool", None)
        if self.closed and pool is not None:
            await pool.putconn(self)
        else:
            await super().close()


def connect_options(*, through_pooler: bool) -> dict[str, Any]:
    """For `ServerConnection.connect`."""
    if through_pooler:
        # A server connection has other clients: it would know their prepared statements by the names of ours.
        return {**_CONNECT, "options": "", "prepare_threshold": None}
    return {**_CONNECT, "options": " ".join(f"-c {name}={value}" for name, value in SERVER_LIMITS.items())}


async def ensure_limits(connection: ServerConnection) -> None:
    """A pooler may accept `options` and ignore them."""
    if not await _are_in_force(connection):
        raise PoolerInBetweenError


async def set_limits_through_pooler(connection: ServerConnection) -> None:
    """They become settings of the role in this database, which every server connection has from its start. One that is
    older gets them here.
    """
    async with connection.transaction():  # so that all of this concerns one server connection
        if await _are_in_force(connection):
            return
        await connection.execute(_LOCK)
        values = connection.cursor(row_factory=scalar_row)
        database = await (await values.execute(_DATABASE)).fetchone()
        of_the_role = {entry.lower() for entry in await (await values.execute(_OF_THE_ROLE, [database])).fetchall()}
        for name, value in SERVER_LIMITS.items():
            setting = sql.SQL("SET {} TO {}").format(sql.Identifier(name), value)
            if f"{name}={value}".lower() not in of_the_role:  # a standby has them from its primary, and changes none
                role = sql.SQL("ALTER ROLE CURRENT_USER IN DATABASE {} ").format(sql.Identifier(str(database)))
                await connection.execute(role + setting)
            await connection.execute(setting)


async def _are_in_force(connection: ServerConnection) -> bool:
    row = await (await connection.execute(_IN_FORCE)).fetchone()
    return row == tuple(SERVER_LIMITS.values())
