"""The seam around every use case, whoever calls it: a route, the command line, a page.

Every command and query is declared with one of the decorators below, which make a dataclass of it; what belongs around
all of them, and is no business of theirs, is done here. Today that is the retry of a deadlock.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Final, dataclass_transform

from gatehouse.common.domain.errors import TransactionConflictError

_MAX_RETRIES: Final = 3
_MARK: Final = "__is_use_case__"


def retry_on_conflict[**P, R](act: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Repeats what lost against a parallel transaction (a deadlock, a failed serialisation) and so has changed nothing.

    What it repeats must be safe to repeat: nothing but one transaction and pure decisions.
    """

    @wraps(act)
    async def repeated(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(_MAX_RETRIES):
            try:
                return await act(*args, **kwargs)
            except TransactionConflictError:
                continue
        return await act(*args, **kwargs)

    return repeated


@dataclass_transform(frozen_default=True)
def command[C](cls: type[C]) -> type[C]:
    """A use case that changes state, in one transaction. It is repeated whole when it lost against another one."""
    type.__setattr__(cls, "__call__", retry_on_conflict(_call_of(cls)))
    return _use_case(cls)


@dataclass_transform(frozen_default=True)
def command_in_steps[C](cls: type[C]) -> type[C]:
    """A use case that also asks a person, counts an attempt or hashes, which must not happen twice for one request.

    It is not repeated whole; the method that holds its last transaction is marked with `retry_on_conflict` instead.
    """
    return _use_case(cls)


@dataclass_transform(frozen_default=True)
def query[C](cls: type[C]) -> type[C]:
    """A use case that answers a question and changes nothing."""
    return _use_case(cls)


def is_use_case(kind: object) -> bool:
    return isinstance(kind, type) and _MARK in vars(kind)


def _use_case[C](cls: type[C]) -> type[C]:
    type.__setattr__(cls, _MARK, True)
    return dataclass(frozen=True, slots=True)(cls)


def _call_of(cls: type) -> Callable[..., Awaitable[object]]:
    call: Callable[..., Awaitable[object]] = vars(cls)["__call__"]
    return call
