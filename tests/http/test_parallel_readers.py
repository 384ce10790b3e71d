"""A served process, over the network, with many clients at once."""

import asyncio
import contextlib
import os
import re
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from gatehouse.testing.database import CreateDatabase
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import LOGIN

pytestmark = pytest.mark.slow

SIGN_UP = "/api/v1/account/signup"
ME = "/api/v1/account/me"
READERS = 64
ALICE = {"username": "alice", "password": PASSWORD}


@asynccontextmanager
async def run_server(url: str) -> AsyncIterator[str]:
    """The address of a server process on a port of its own, with a pool of eight."""
    environ = {
        "GATEHOUSE_APP__ENVIRONMENT": "test",
        "GATEHOUSE_UVICORN__PORT": "0",
        "GATEHOUSE_POSTGRES__URL": url,
        "GATEHOUSE_POSTGRES__POOL_SIZE": "8",
        "GATEHOUSE_JWT__SECRET": "a secret for the tests, long enough",
        "GATEHOUSE_PASSWORD__PEPPER": "a pepper for the tests, long enough",
        "GATEHOUSE_PASSWORD__WORK_FACTOR": "4",
        "GATEHOUSE_COOKIE__SECURE": "false",
        "GATEHOUSE_UVICORN__TRUSTED_PROXIES": "127.0.0.1",
        "GATEHOUSE_LOGS__FORMAT": "json",
    }
    gatehouse = Path(sys.executable).with_name("gatehouse")
    process = await asyncio.create_subprocess_exec(gatehouse, "serve", stderr=PIPE, env=os.environ | environ)
    assert process.stderr is not None
    log_output = b""
    try:
        async with asyncio.timeout(60):
            while not (match := re.search(rb'"url": "(http://127\.0\.0\.1:\d+)"', log_output)):
                line = await process.stderr.readline()
                assert line, log_output.decode()
                log_output += line
        read_task = asyncio.create_task(process.stderr.read())
        yield match[1].decode()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        async with asyncio.timeout(60):
            await process.wait()
    assert b'"error"' not in await read_task


@pytest.fixture(scope="module")
async def server(create_database: CreateDatabase) -> AsyncIterator[tuple[str, str]]:
    url = create_database("served")
    async with run_server(url) as address:
        yield address, url


@asynccontextmanager
async def open_client(address: str, number: int) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is logged in as alice; the cookie is that of development, since there is no TLS here."""
    limits = httpx.Limits(max_connections=number)
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=60) as client:
        assert (await client.post(SIGN_UP, json=ALICE)).status_code in (201, 409)
        assert (await client.post(LOGIN, json=ALICE)).status_code == 204
        yield client


async def test_64_readers_share_eight_connections(server: tuple[str, str]) -> None:
    address, url = server
    async with open_client(address, READERS) as client:
        with psycopg.connect(url, autocommit=True) as database:
            # The session is due for renewal, too.
            database.execute("UPDATE sessions SET last_seen_at = last_seen_at - interval '5 minutes'")

        for _ in range(3):
            answers = await asyncio.gather(*(client.get(ME) for _ in range(READERS)))

            assert {answer.status_code for answer in answers} == {200}
            assert {answer.json()["username"] for answer in answers} == {"alice"}


@pytest.mark.promise("L7")
async def test_of_20_who_want_the_same_name_one_gets_it(server: tuple[str, str]) -> None:
    address, url = server
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        for name in ("first", "second", "third"):
            calls = [
                client.post(
                    SIGN_UP,
                    json={"username": name.swapcase() if n % 2 else name, "password": PASSWORD},
                    headers={"X-Forwarded-For": f"203.0.113.{n}"},  # not all of one address may wait for a thread
                )
                for n in range(20)
            ]

            answers = await asyncio.gather(*calls)

            assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
            with psycopg.connect(url) as database:
                count = database.execute("SELECT count(*) FROM users WHERE username = %s", [name]).fetchone()
            assert count == (1,)
