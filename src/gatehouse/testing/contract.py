"""One contract, two kinds: what the fake promises to unit tests, PostgreSQL keeps.

A test that asks for the fixture `gateways` runs twice, on the fakes of the modules under test and on what they provide:

    async def test_what_is_added_is_found(gateways: Gateways) -> None:
        loans: Loans = await gateways.get(Loans)
        borrower = await gateways.add_user("alice")
        async with gateways.transaction:
            await loans.add(loan_to(borrower))
            assert await loans.find(...) == ...
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

from dishka import AsyncContainer

from gatehouse.accounts.application.ports import Users
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.ports import Transaction
from gatehouse.testing.accounts.fakes import FakeUsers
from gatehouse.testing.fakes import FakeClock, make_user
from gatehouse.testing.in_memory_app import InMemoryApp


@dataclass
class Gateways:
    """What commands reach the stored state through, whichever kind it is."""

    get: Callable[[type], Awaitable[Any]]
    """What stands behind a port, of any module."""
    transaction: Transaction
    users: Users
    clock: FakeClock

    @classmethod
    async def of(cls, scope: AsyncContainer, clock: FakeClock) -> Self:
        """The real ones."""
        return cls(scope.get, await scope.get(Transaction), await scope.get(Users), clock)

    @classmethod
    def of_fakes(cls, clock: FakeClock) -> Self:
        app = InMemoryApp(clock)

        async def get(port: type) -> Any:
            return app.part(port)

        return cls(get, app.transaction, app.get(Users, FakeUsers), clock)

    async def add_user(self, username: str, role: Role = Role.USER, *, is_active: bool = True) -> User:
        user = make_user(username, role, self.clock.now(), is_active=is_active)
        async with self.transaction:
            await self.users.add(user)
        return user

    async def find(self, username: str) -> User | None:
        async with self.transaction:
            return await self.users.find(Username(username))


@asynccontextmanager
async def open_gateways[Kind: Gateways](
    kind: type[Kind], *, fake: bool, container: AsyncContainer, clock: FakeClock
) -> AsyncIterator[Kind]:
    """What `gateways` gives to a test. The database is empty by then."""
    clock.at = clock.at.replace(microsecond=0)
    if fake:
        yield kind.of_fakes(clock)
        return
    async with container() as scope:
        yield await kind.of(scope, clock)
