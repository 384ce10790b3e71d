"""Houses with other settings than the common one, and what their visitors carry."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from dishka import Provider, Scope

from gatehouse.common.application.ports import Clock
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.settings import PostgresSettings, Settings
from gatehouse.setup.app import create_app
from tests.conftest import LOGIN, ORIGIN, RunningApp
from tests.fakes import PASSWORD, FakeClock
from tests.modules import TESTED

COOKIE = "__Host-session"


@asynccontextmanager
async def run_app(settings: Settings, *parts: Provider) -> AsyncIterator[RunningApp]:
    clock = FakeClock()
    own = Provider(scope=Scope.APP)
    own.provide(lambda: clock, provides=Clock)
    fastapi_app = create_app(settings, own, *parts, modules=TESTED)
    async with fastapi_app.router.lifespan_context(fastapi_app), AsyncExitStack() as clients:
        container = fastapi_app.state.dishka_container
        yield RunningApp(fastapi_app, container, await container.get(Database), clock, clients)


def on_database(settings: Settings, url: str, pool_size: int = 1) -> Settings:
    return settings.replace(PostgresSettings(url=url, pool_size=pool_size))


def without_database(settings: Settings) -> Settings:
    """Nobody listens on the port it names."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    return on_database(settings, f"postgresql://nobody@127.0.0.1:{port}/nothing")


async def client_from(app: RunningApp, ip: str, **headers: str) -> httpx.AsyncClient:
    """A browser at that address."""
    transport = httpx.ASGITransport(app.fastapi_app, client=(ip, 50_000))
    client = httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)
    return await app.clients.enter_async_context(client)


async def try_log_in(client: httpx.AsyncClient, username: str = "alice", password: str = PASSWORD) -> httpx.Response:
    return await client.post(LOGIN, json={"username": username, "password": password})


def token_of(client: httpx.AsyncClient) -> str:
    token = client.cookies.get(COOKIE)
    assert token is not None
    return token


def cookie(token: str) -> dict[str, str]:
    """The header of a request that carries the token."""
    return {"cookie": f"{COOKIE}={token}"}
