"""What a module tells its tests: the counterpart of module.py.

The matrix of callers and calls, the faults, the fakes and other tables of cases are collected from these values.
`missing_parts` in completeness.py says by name what is missing from one.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Literal
from uuid import UUID

from gatehouse.accounts.domain.session import Session
from gatehouse.accounts.domain.user import User
from gatehouse.common.modules import Module
from gatehouse.testing.fakes import Memory
from gatehouse.testing.harness import Harness
from gatehouse.testing.running_app import RunningApp

MISSING_ID: Final = UUID(int=1)
"""An id that nothing has, unless the `seed` of a call or a fault case gives it to something."""


class Caller(StrEnum):
    """Who calls, in the matrix: roles, and those who come without one that counts."""

    ANONYMOUS = "anonymous"
    INACTIVE = "inactive"
    """A super admin by role, whose session is still in the database."""
    FORGED = "forged"
    """A super admin's very claims, signed with another key."""
    USER = "user"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"


@dataclass(frozen=True, slots=True)
class Target:
    """An account on which a call acts: of that role, the caller's own, or none that exists."""

    role: Literal["user", "admin", "super_admin", "self", "missing"]
    is_active: bool = True

    def __str__(self) -> str:
        return self.role if self.is_active else f"off-{self.role}"

    def username(self, caller: Caller) -> str:
        return f"the-{caller}".replace("_", "-") if self.role == "self" else f"t-{self}".replace("_", "-")


@dataclass(frozen=True, slots=True)
class Case:
    """One call, by one caller, on one target."""

    caller: Caller
    target: Target

    @property
    def username(self) -> str:
        return self.target.username(self.caller)


def no_body(_: Case) -> dict[str, Any] | None:
    return None


def username_body(case: Case) -> dict[str, Any] | None:
    return {"username": case.username}


async def no_seed(_: RunningApp) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A route, who may call it, and how. Each route has exactly one."""

    method: str
    path: str
    status: int
    """What it answers when nothing stands in the way."""
    open_to: Literal["everyone", "strangers", "authenticated", "admin", "super_admin"]
    """The least that a caller must be. Strangers are not logged in; whoever is gets 409."""
    acts_on: Literal["nobody", "anyone", "subordinates", "self or subordinates", "a new account"] = "nobody"
    """Whom the body, or `{username}` in the path, names. Who is missing is 404; who is no subordinate, 403."""
    status_of_inactive: int | None = None
    """What it answers instead where it would succeed, but the account that it acts on is inactive."""
    status_for_others: int | None = None
    """What it answers a user instead where only a row's owner and admins may call it; `seed` makes another's row."""
    body: Callable[[Case], dict[str, Any] | None] = no_body
    """As JSON."""
    placeholders: Mapping[str, object] | None = None
    """Of the path, beside `username`."""
    seed: Callable[[RunningApp], Awaitable[None]] = no_seed
    """Puts into the database what the call needs beside the users of the matrix."""
    touches: frozenset[str] = frozenset()
    """The tables that it may change when it succeeds."""
    ends_own_session: bool = False
    is_open_before_password_change: bool = False
    is_throttled: bool = False
    """These are asked by Gatehouse's own suite, of its own routes."""
    asks_more_than_documented: bool = False
    """OpenAPI cannot say all that it asks for: a strong password, a signed cursor."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def url(self, username: str) -> str:
        return self.path.format(username=username, **(self.placeholders or {}))


@dataclass(frozen=True, slots=True)
class Fixtures:
    """What a fault case finds in the database: users of every kind, with sessions. faults.py names them: `PEOPLE`."""

    users: Mapping[str, User]
    sessions: Mapping[str, list[Session]]


async def no_rows(_: Harness, __: Fixtures) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultCase:
    """A call of a command that changes something; it is made to fail at each of its statements."""

    command: type
    caller: str | None = None
    """A name in `PEOPLE`. None where the command asks for no identity."""
    arguments: Callable[[Fixtures], tuple[object, ...]]
    seed: Callable[[Harness, Fixtures], Awaitable[None]] = no_rows
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.command.__name__


def no_fakes(_: Memory) -> Mapping[object, object]:
    return {}


@dataclass(frozen=True, kw_only=True)
class ModuleTests:
    """What the tests of a module begin with. The project names the file that has it as `TESTS`: see under_test.py."""

    module: Module
    package: str
    """The dotted name of the module's package."""
    calls: tuple[Call, ...] = ()
    fault_cases: tuple[FaultCase, ...] = ()
    problems: Mapping[str, tuple[int, str]] = MappingProxyType({})
    """Each slug of its errors, with the status and the title that clients are promised."""
    fakes: Callable[[Memory], Mapping[object, object]] = no_fakes
    """A fake for each port, and for each statement that a query asks."""
    ports: Mapping[type, str] = MappingProxyType({})
    """Each port of application/ports.py, and the test that holds its adapter, and its fake, to the contract: a path."""
    tables_of_refused_calls: frozenset[str] = frozenset()
    """Tables that any refused call may change: counted attempts, recorded failures."""
