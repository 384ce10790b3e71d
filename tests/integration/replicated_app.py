"""An application whose queries go to a replica, and what its visitors ask."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

import httpx

from gatehouse.accounts.domain.role import Role
from gatehouse.common.infrastructure.replica.read_replica import ReadReplica
from gatehouse.common.presentation.http.middleware.write_position import COOKIE
from gatehouse.common.settings import Settings
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import RunningApp
from gatehouse.testing.under_test import all_calls
from tests.integration.conftest import until
from tests.integration.replication import Pair

ACCOUNT = "/api/v1/account"
USERS = "/api/v1/users"
QUERIES = [
    call.url("alice") for call in all_calls() if call.method == "GET" and call.open_to not in ("everyone", "strangers")
]
"""Every question that a caller may ask."""


@dataclass
class ReplicatedApp:
    """An application with a replica."""

    app: RunningApp
    pair: Pair
    replica: ReadReplica
    numbers: Iterator[int]

    async def newcomer(self) -> str:
        """A user who has come this very moment, as others see it."""
        name = f"newcomer-{next(self.numbers)}"
        await self.app.add_user(name)
        return name

    async def reader(self, username: str = "chief", role: Role = Role.SUPER_ADMIN) -> httpx.AsyncClient:
        """Logged in, without having written anything lately. The replica knows of it."""
        client = await self.app.logged_in(username, role)
        client.cookies.delete(COOKIE)
        await self.pair.wait_until_replayed()
        return client

    async def reads_from_replica(self, client: httpx.AsyncClient) -> bool:
        async with self.pair.pause_replay():
            newcomer = await self.newcomer()
            return not await sees(client, newcomer)

    async def until_used(self) -> None:
        async def is_used() -> bool:
            await self.replica.measure_lag()
            return self.replica.is_usable

        await until(is_used)


@asynccontextmanager
async def run_replicated_app(settings: Settings, pair: Pair) -> AsyncIterator[ReplicatedApp]:
    async with run_app(settings) as app:
        found = await app.container.get(ReadReplica | None)
        assert found is not None
        yield ReplicatedApp(app, pair, found, count())


async def sees(client: httpx.AsyncClient, username: str) -> bool:
    answer = await client.get(f"{USERS}/{username}")
    assert answer.status_code in (200, 404), answer.text
    return answer.status_code == 200


async def answers(client: httpx.AsyncClient, *, without: str = "nothing") -> dict[str, object]:
    """To each query, none of which fails, less those that name an account which may not be there."""
    found = {path: await client.get(path) for path in QUERIES if without not in path}
    assert {answer.status_code for answer in found.values()} == {200}
    return {path: answer.text for path, answer in found.items()}


async def create(client: httpx.AsyncClient, username: str) -> httpx.Response:
    return await client.post(f"{USERS}/", json={"username": username, "password": PASSWORD})
