"""Translates PostgreSQL's errors into Gatehouse's, in one place."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError

from gatehouse.common.domain.errors import (
    ConflictError,
    OutcomeUnknownError,
    TransactionConflictError,
    UnavailableError,
)

type Constraints = Mapping[str, type[ConflictError]]
"""Maps the exact name of a unique or an exclusion constraint to the error that its violation means to a client."""

_UNAVAILABLE: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,  # a primary that has become a standby
    psycopg.errors.IdleInTransactionSessionTimeout,
)

_NAMING_NO_VALUES: Final = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
)
"""Whose messages name a table or a column, and quote neither a row nor a parameter."""

_log = structlog.get_logger()


class DatabaseError(Exception):
    """An unexpected error. It carries no message of PostgreSQL's that may quote rows or parameters."""


class ErrorTranslation:
    """Every statement runs inside `translate`. Causes are cut off (`from None`): a traceback must not quote a row."""

    def __init__(self, constraints: Constraints, on_read_only: Callable[[], None] = lambda: None) -> None:
        self._constraints = constraints
        self._on_read_only = on_read_only

    @contextmanager
    def translate(self, *, may_retry: bool = False, is_commit: bool = False) -> Iterator[None]:
        """`may_retry` says that COMMIT has not been sent, so that a deadlock has certainly changed nothing; `is_commit`
        that it has, so that without an answer the outcome is unknown.
        """
        try:
            yield
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.Error):
                raise self.translate_error(error.orig, may_retry=may_retry, is_commit=is_commit) from None
            raise
        except psycopg.Error as error:
            raise self.translate_error(error, may_retry=may_retry, is_commit=is_commit) from None

    def translate_error(self, error: psycopg.Error, *, may_retry: bool = False, is_commit: bool = False) -> Exception:
        constraint = error.diag.constraint_name
        if (
            isinstance(error, psycopg.errors.UniqueViolation | psycopg.errors.ExclusionViolation)
            and constraint is not None
            and constraint in self._constraints
        ):
            return self._constraints[constraint]()
        kind = type(error).__name__
        if is_commit and not _is_refusal(error):
            _log.warning("commit_not_answered", kind=kind, sqlstate=error.sqlstate)
            return OutcomeUnknownError()
        if may_retry and isinstance(error, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure):
            return TransactionConflictError()
        # Lost or refused connections, time limits, deadlocks and an exhausted pool are all operational errors.
        if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
            self._on_read_only()
        if isinstance(error, _UNAVAILABLE):
            _log.warning("database_unavailable", kind=kind, sqlstate=error.sqlstate)
            return UnavailableError()
        if isinstance(error, _NAMING_NO_VALUES):
            return DatabaseError(f"{kind}, SQLSTATE {error.sqlstate}: {error.diag.message_primary}")
        return DatabaseError(f"{kind}, SQLSTATE {error.sqlstate}, constraint {constraint}")


def _is_refusal(error: psycopg.Error) -> bool:
    """Whether PostgreSQL answered that it has rolled back. FATAL may follow a commit, as when the server is shut down;
    without a severity the error is the driver's own.
    """
    return error.diag.severity_nonlocalized == "ERROR"
