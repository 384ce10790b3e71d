"""The access log: a line for each request."""

import asyncio
import logging
import socket
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
import structlog
from dishka import Provider, Scope

from gatehouse.accounts.application.ports import PasswordHasher
from gatehouse.accounts.application.queries.get_me import GetMe
from gatehouse.accounts.domain.role import Role
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.settings import LogSettings, Settings, UvicornSettings
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import LOGIN, RunningApp, client_from
from tests.http.served_app import PATIENCE_SECONDS, request, serve_app
from tests.http.test_problems import BrokenGetMe

USERS = "/api/v1/users/"
SIGN_UP = "/api/v1/account/signup"
ACCESS = LogSettings(access=True)
PROXY, CLIENT = "192.0.2.10", "203.0.113.5"
SECRET = "hunter2-hunter2-hunter2"


@pytest.fixture
async def logging_app(settings: Settings, database: Database) -> AsyncIterator[RunningApp]:
    """On an empty database."""
    assert isinstance(database, Database)
    async with run_app(settings.replace(ACCESS, UvicornSettings(trusted_proxies=[PROXY]))) as app:
        yield app


@contextmanager
def access_lines() -> Iterator[list[Any]]:
    """Filled in at the end with those of the access log."""
    lines: list[Any] = []
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logs:
        yield lines
    lines += [line for line in logs if line["event"] == "request"]


async def test_a_line_says_what_was_asked_and_what_became_of_it(logging_app: RunningApp) -> None:
    admin = await logging_app.logged_in("admin", Role.ADMIN)
    await logging_app.add_user("alice")

    with access_lines() as lines:
        answer = await admin.get(f"{USERS}alice")

    [line] = lines
    duration = line.pop("duration_ms")
    assert 0 < duration < 10_000
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "route": f"{USERS}{{username}}",
        "status": 200,
        "bytes": len(answer.content),
        "ip": "127.0.0.1",
        "caller": "admin",
        "request_id": answer.headers["x-request-id"],
    }


@pytest.mark.promise("P12")
async def test_no_line_repeats_a_path_a_query_or_a_body(logging_app: RunningApp) -> None:
    admin = await logging_app.logged_in("admin", Role.ADMIN)
    client = await logging_app.client()

    with access_lines() as lines:
        await admin.get(f"{USERS}{SECRET}", params={"token": SECRET})
        await client.get(f"/{SECRET}?{SECRET}", headers={"user-agent": SECRET, "referer": SECRET})
        await client.post(LOGIN, json={"username": SECRET, "password": SECRET})

    assert [(line["route"], line["status"]) for line in lines] == [
        (f"{USERS}{{username}}", 422),
        (None, 404),
        (LOGIN, 401),
    ]
    assert SECRET not in str(lines)


async def test_refusals_before_a_route_and_the_unforeseen_have_their_line_too(settings: Settings) -> None:
    broken = Provider(scope=Scope.REQUEST)
    broken.provide(BrokenGetMe, provides=GetMe)
    async with run_app(settings.replace(ACCESS), broken) as app:
        client = await app.client()
        with access_lines() as lines:
            await client.get("/api/v1/", headers={"host": "evil.test"})
            await client.post(LOGIN, json={}, headers={"origin": "https://evil.test"})
            await client.put(USERS)
            await client.get("/api/v1/account/me")

    assert [line["status"] for line in lines] == [400, 403, 405, 401]
    assert all(UUID(line["request_id"]) for line in lines)


async def test_the_address_is_the_clients_and_not_the_proxys(logging_app: RunningApp) -> None:
    client = await client_from(logging_app, PROXY, **{"x-forwarded-for": CLIENT, "x-request-id": "of-the-proxy"})

    with access_lines() as lines:
        await client.get("/api/v1/")

    assert [(line["ip"], line["request_id"]) for line in lines] == [(CLIENT, "of-the-proxy")]


async def test_probes_leave_no_line(logging_app: RunningApp) -> None:
    client = await logging_app.client()

    with access_lines() as lines:
        assert (await client.get("/livez")).status_code == (await client.get("/readyz")).status_code == 200

    assert lines == []


async def test_by_default_there_is_none(app: RunningApp) -> None:
    with access_lines() as lines:
        await (await app.client()).get("/api/v1/")

    assert lines == []


async def test_the_level_of_the_log_does_not_silence_it(logging_app: RunningApp) -> None:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        with access_lines() as lines:
            await (await logging_app.client()).get("/api/v1/")
    finally:
        structlog.configure(**before)

    assert len(lines) == 1


class HeldHasher:
    """Lets nobody through until it is told to."""

    def __init__(self) -> None:
        self.reached, self.released = threading.Event(), threading.Event()

    async def hash(self, password: str, *, client: str) -> str:
        del password, client
        self.reached.set()
        await asyncio.to_thread(self.released.wait, PATIENCE_SECONDS)
        return "no hash"


@pytest.mark.parametrize("stays", [True, False])
def test_an_answer_that_nobody_has_read_is_unfinished(settings: Settings, *, stays: bool) -> None:
    held, parts = HeldHasher(), Provider(scope=Scope.APP)
    parts.provide(lambda: held, provides=PasswordHasher)
    body = b'{"username": "alice", "password": "seven lanterns over a quiet harbour"}'
    fields = ("Content-Type: application/json", "Connection: close")

    with access_lines() as lines, serve_app(settings.replace(ACCESS), parts) as served:
        with served.connect() as connection:
            connection.send(request(f"POST {SIGN_UP}", *fields, body=body))
            assert held.reached.wait(PATIENCE_SECONDS)
            if stays:
                held.released.set()
                assert connection.answer() is not None
            else:
                connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert served.answers_to(request("GET /livez", "Connection: close"))  # the server has noticed by then
        held.released.set()

    [line] = lines
    assert (line["route"], "unfinished" in line) == (SIGN_UP, not stays)
