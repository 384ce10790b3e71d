"""Another server becomes the primary, and the service follows it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise
from time import monotonic

import pytest
from psycopg.rows import scalar_row

from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.database import Database, open_database
from tests.integration.conftest import until
from tests.integration.replication import Pair, run_pair

pytestmark = [pytest.mark.promise("R5"), pytest.mark.slow]

POOL_SIZE = 4
LONGER_THAN_THE_POOL_TRIES = 3.0
SOON = 10.0
"""It is a second; a machine under load may take its time."""


@dataclass
class Service:
    database: Database
    pair: Pair

    async def writes(self) -> bool:
        try:
            await self.database.execute("INSERT INTO written DEFAULT VALUES", {})
        except UnavailableError:
            return False
        return True

    async def reads(self) -> bool:
        return await self.database.fetch_one("SELECT true", {}, scalar_row) is True

    async def connect_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(POOL_SIZE):
                group.create_task(self.database.fetch_one("SELECT pg_sleep(0.1)::text", {}, scalar_row))


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    with run_pair() as pair:
        pair.primary.execute_statement("CREATE TABLE written ()")
        async with open_database(pair.url, POOL_SIZE) as database:
            yield Service(database, pair)


async def test_a_primary_that_becomes_read_only_serves_reads_until_there_is_another(service: Service) -> None:
    await service.connect_all()
    assert await service.writes()

    service.pair.primary.execute_statement("ALTER SYSTEM SET default_transaction_read_only = on")
    service.pair.primary.fetch_value("SELECT pg_reload_conf()")

    async def is_read_only() -> bool:
        return not await service.writes()

    await until(is_read_only)
    assert [await service.writes() for _ in range(POOL_SIZE)] == [False] * POOL_SIZE
    assert [await service.reads() for _ in range(POOL_SIZE)] == [True] * POOL_SIZE

    await service.pair.wait_until_replayed()
    service.pair.standby.fetch_value("SELECT pg_promote()")
    await until(service.writes, SOON)

    assert [await service.writes() for _ in range(2 * POOL_SIZE)] == [True] * 2 * POOL_SIZE
    assert service.pair.standby.fetch_value("SELECT count(*) > 2 * %s FROM written", POOL_SIZE) is True


async def test_a_primary_that_is_gone_is_followed_by_the_next_one(service: Service) -> None:
    await service.connect_all()
    await service.pair.wait_until_replayed()
    service.pair.primary.stop()
    assert not await service.writes()
    await asyncio.sleep(LONGER_THAN_THE_POOL_TRIES)
    assert not await service.writes()

    service.pair.standby.fetch_value("SELECT pg_promote()")
    await until(service.writes, SOON)


async def test_a_pool_without_a_server_tries_twice_a_second() -> None:
    attempts: list[float] = []

    def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        attempts.append(monotonic())
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with open_database(f"postgresql://nobody@127.0.0.1:{port}/nothing?sslmode=disable", 1):

            async def has_tried_often() -> bool:
                return len(attempts) >= 4

            await until(has_tried_often, SOON)

    pauses = [later - earlier for earlier, later in pairwise(attempts)]
    assert min(pauses) < 0.8, "the driver's own are a second and more"
