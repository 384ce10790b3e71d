"""From what PostgreSQL says to what Gatehouse says, in one place."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError

from gatehouse.common.domain.errors import ConflictError, TransactionConflictError, UnavailableError, UsernameTakenError

UNIQUE_CONSTRAINTS: Final[dict[str, type[ConflictError]]] = {
    "uq_users_username": UsernameTakenError,
}
"""A unique constraint's exact name to the refusal that its violation means to a client."""

_UNAVAILABLE: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,  # a primary that has become a standby
    psycopg.errors.IdleInTransactionSessionTimeout,
)

_log = structlog.get_logger()


class DatabaseError(Exception):
    """An error nobody foresaw. It carries no message of PostgreSQL's, since those quote rows and parameters."""


@contextmanager
def database_errors(*, may_retry: bool = False) -> Iterator[None]:
    """Every statement runs inside one of these. Causes are cut off (`from None`): a traceback must not quote a row.

    `may_retry` says that COMMIT has not been sent, so that a deadlock has certainly changed nothing.
    """
    try:
        yield
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.Error):
            raise translated(error.orig, may_retry=may_retry) from None
        raise
    except psycopg.Error as error:
        raise translated(error, may_retry=may_retry) from None


def translated(error: psycopg.Error, *, may_retry: bool = False) -> Exception:
    constraint = error.diag.constraint_name
    if isinstance(error, psycopg.errors.UniqueViolation) and constraint in UNIQUE_CONSTRAINTS:
        return UNIQUE_CONSTRAINTS[constraint]()
    kind = type(error).__name__
    if may_retry and isinstance(error, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure):
        return TransactionConflictError()
    # Lost or refused connections, time limits, deadlocks and an exhausted pool are all operational errors.
    if isinstance(error, _UNAVAILABLE):
        _log.warning("database_unavailable", kind=kind, sqlstate=error.sqlstate)
        return UnavailableError()
    return DatabaseError(f"{kind}, SQLSTATE {error.sqlstate}, constraint {constraint}")
