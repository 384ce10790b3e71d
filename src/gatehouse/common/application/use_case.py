"""What surrounds every use case, whether a route or the command line calls it.

Every command and query is declared with one of the decorators below. They make it a dataclass, and add what use cases
have in common: the retry after a deadlock, and the audit event when the caller is refused.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from inspect import signature
from typing import Final, Protocol, dataclass_transform

from gatehouse.common.application.ports import Caller, FailedAttempts
from gatehouse.common.domain.errors import ForbiddenError, PasswordChangeRequiredError, TransactionConflictError

_MAX_RETRIES: Final = 3
_ACTION: Final = "__action__"
_CALLER: Final = "identity"
"""The field with the caller, of a use case that is not open to everyone."""
_TARGET: Final = "username"
"""The parameter that names the user whom the caller acts on."""

type Call = Callable[..., Awaitable[object]]
type Surround = Callable[[str, Call], Call]
"""Gets the name of a use case and its call, and returns the call with something around it."""


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
    _wrap_call(cls, retry_on_conflict)
    return _use_case(cls)


@dataclass_transform(frozen_default=True)
def command_in_steps[C](cls: type[C]) -> type[C]:
    """A use case that also asks a person, counts an attempt, hashes or reads a file, which must not happen twice.

    It is not retried as a whole. Instead, `retry_on_conflict` decorates the method with its last transaction: one for
    each way that a call may take.
    """
    return _use_case(cls)


@dataclass_transform(frozen_default=True)
def query[C](cls: type[C]) -> type[C]:
    """A use case that reads and changes nothing."""
    return _use_case(cls)


def is_use_case(kind: object) -> bool:
    return isinstance(kind, type) and _ACTION in vars(kind)


def action_of(use_case: type) -> str:
    """Its name in the audit trail: `list_users` of ListUsers."""
    action: str = vars(use_case)[_ACTION]
    return action


@contextmanager
def surrounded(use_cases: Iterable[type], surround: Surround) -> Iterator[None]:
    """Until the block ends, for whoever calls them. Outside of it nothing is on the way of a call."""
    calls = {use_case: vars(use_case)["__call__"] for use_case in use_cases}
    try:
        for use_case, call in calls.items():
            type.__setattr__(use_case, "__call__", surround(action_of(use_case), call))
        yield
    finally:
        for use_case, call in calls.items():
            type.__setattr__(use_case, "__call__", call)


def has_caller(use_case: type) -> bool:
    return _CALLER in use_case.__annotations__


class _CalledBySomeone(Protocol):
    @property
    def identity(self) -> Caller: ...

    @property
    def failed_attempts(self) -> FailedAttempts: ...


def _use_case[C](cls: type[C]) -> type[C]:
    type.__setattr__(cls, _ACTION, re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower())
    if has_caller(cls):
        # A field of its own, so that whoever makes the use case provides it, as every other port.
        cls.__annotations__["failed_attempts"] = FailedAttempts
        type.__setattr__(cls, "failed_attempts", field(kw_only=True, repr=False))
        _wrap_call(cls, _record_refusals(action_of(cls)))
    return dataclass(frozen=True, slots=True)(cls)


def _record_refusals(action: str) -> Callable[[Call], Call]:
    """Around the whole call: what was refused has been rolled back, so the event cannot be in its transaction."""

    def decorate(call: Call) -> Call:
        parameters = signature(call)

        @wraps(call)
        async def call_and_record(self: _CalledBySomeone, *args: object, **kwargs: object) -> object:
            try:
                return await call(self, *args, **kwargs)
            except PasswordChangeRequiredError:  # a duty of the caller's own, whatever the role
                raise
            except ForbiddenError:
                target = parameters.bind(self, *args, **kwargs).arguments.get(_TARGET)
                self.failed_attempts.record_refused(action, actor=self.identity.name, target=target)
                raise

        return call_and_record

    return decorate


def _wrap_call(cls: type, decorate: Callable[[Call], Call]) -> None:
    type.__setattr__(cls, "__call__", decorate(vars(cls)["__call__"]))
