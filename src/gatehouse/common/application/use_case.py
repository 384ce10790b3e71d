"""What surrounds every use case, whether a route or the command line calls it.

Every command and query is declared with one of the decorators below. They make it a dataclass, and add what use cases
have in common: at present, the retry after a deadlock.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Final, dataclass_transform

from gatehouse.common.domain.errors import TransactionConflictError

_MAX_RETRIES: Final = 3
_MARK: Final = "__is_use_case__"


def retry_on_conflict[**P, R](function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Retries a function whose transaction was rolled back because of a parallel one (deadlock, serialization failure).

    The function must be safe to repeat: nothing but one transaction and pure decisions.
    """

    @wraps(function)
    async def call_with_retries(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(_MAX_RETRIES):
            try:
                return await function(*args, **kwargs)
            except TransactionConflictError:
                continue
        return await function(*args, **kwargs)

    return call_with_retries


@dataclass_transform(frozen_default=True)
def command[C](cls: type[C]) -> type[C]:
    """A use case that changes state, in one transaction. After a conflict with another one it is retried as a whole."""
    type.__setattr__(cls, "__call__", retry_on_conflict(_call_of(cls)))
    return _use_case(cls)


@dataclass_transform(frozen_default=True)
def command_in_steps[C](cls: type[C]) -> type[C]:
    """A use case that also asks a person, counts an attempt or hashes, which must not happen twice for one request.

    It is not retried as a whole. Instead, `retry_on_conflict` decorates the method with its last transaction: one for
    each way that a call may take.
    """
    return _use_case(cls)


@dataclass_transform(frozen_default=True)
def query[C](cls: type[C]) -> type[C]:
    """A use case that reads and changes nothing."""
    return _use_case(cls)


def is_use_case(kind: object) -> bool:
    return isinstance(kind, type) and _MARK in vars(kind)


def _use_case[C](cls: type[C]) -> type[C]:
    type.__setattr__(cls, _MARK, True)
    return dataclass(frozen=True, slots=True)(cls)


def _call_of(cls: type) -> Callable[..., Awaitable[object]]:
    call: Callable[..., Awaitable[object]] = vars(cls)["__call__"]
    return call
