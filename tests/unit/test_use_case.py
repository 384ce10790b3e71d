"""The decorators of use cases, and which use cases are retried as a whole."""

from typing import get_type_hints

import pytest

from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.accounts.application.passwords import Passwords
from gatehouse.accounts.application.user_import import UserReader
from gatehouse.common.application.use_case import command, command_in_steps, is_use_case, query, retry_on_conflict
from gatehouse.common.domain.errors import ForbiddenError, TransactionConflictError, UnavailableError
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.in_memory_app import InMemoryApp
from gatehouse.testing.under_test import modules_under_test


class Store:
    """Raises a conflict with a parallel transaction so many times."""

    def __init__(self, conflicts: int, error: type[Exception] = TransactionConflictError) -> None:
        self.conflicts = conflicts
        self.error = error
        self.calls = 0

    def write(self) -> int:
        self.calls += 1
        if self.calls <= self.conflicts:
            raise self.error
        return self.calls


@command
class WriteOnce:
    """Writes."""

    store: Store

    async def __call__(self) -> int:
        return self.store.write()


@command_in_steps
class HashAndWrite:
    """Hashes, and writes the hash."""

    store: Store
    hashes: list[str]

    async def __call__(self) -> int:
        self.hashes.append("a hash")
        return await self._write()

    @retry_on_conflict
    async def _write(self) -> int:
        return self.store.write()


@query
class Read:
    """Reads."""

    store: Store

    async def __call__(self) -> int:
        return self.store.write()


@pytest.mark.parametrize("conflicts", [0, 1, 3])
async def test_a_command_that_lost_is_repeated_up_to_three_times(conflicts: int) -> None:
    assert await WriteOnce(Store(conflicts))() == conflicts + 1


async def test_a_command_that_goes_on_losing_is_unavailable() -> None:
    store = Store(9)

    with pytest.raises(UnavailableError):
        await WriteOnce(store)()

    assert store.calls == 4


async def test_any_other_refusal_is_not_repeated() -> None:
    store = Store(9, ForbiddenError)

    with pytest.raises(ForbiddenError):
        await WriteOnce(store)()

    assert store.calls == 1


async def test_of_a_command_in_steps_the_last_transaction_alone_is_repeated() -> None:
    hashes: list[str] = []

    assert await HashAndWrite(Store(2), hashes)() == 3
    assert hashes == ["a hash"]


async def test_a_query_is_not_repeated() -> None:
    with pytest.raises(TransactionConflictError):
        await Read(Store(1))()


def test_use_cases_are_known_as_such_and_others_are_not() -> None:
    assert all(is_use_case(kind) for kind in (WriteOnce, HashAndWrite, Read))
    assert not any(is_use_case(kind) for kind in (Store, WriteOnce(Store(0)), None))


RETRY = vars(WriteOnce)["__call__"].__code__
COMMANDS = [command for module in modules_under_test() for command in module.commands]


def is_retried(member: object) -> bool:
    """Whether it is wrapped by `retry_on_conflict`, at any depth."""
    code = getattr(member, "__code__", None)
    return code is RETRY or (hasattr(member, "__wrapped__") and is_retried(member.__wrapped__))


@pytest.mark.parametrize("kind", COMMANDS)
def test_what_hashes_asks_a_person_or_reads_a_file_is_not_repeated_as_a_whole(kind: type) -> None:
    happens_once = not {Passwords, UserReader}.isdisjoint(get_type_hints(kind).values())
    retried_methods = [name for name, member in vars(kind).items() if is_retried(member)]

    assert ("__call__" in retried_methods) is not happens_once
    assert retried_methods, "no transaction of this command is repeated after a conflict"


async def test_a_login_that_lost_counts_one_attempt_and_verifies_once() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    app.transaction.lose_next(writes=2)

    await app.use(LogIn)("alice", PASSWORD)

    assert len(app.hasher.verified) == 1
    assert len(app.sessions_of(alice)) == 1
