"""The running application as a test sees it: who lives in it, how to talk to it, and what clients carry."""

import socket
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import httpx
from dishka import AsyncContainer
from fastapi import FastAPI

from gatehouse.accounts.application.ports import PasswordHasher
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.settings import PostgresSettings, Settings
from gatehouse.testing.documented import ensure_documented
from gatehouse.testing.fakes import PASSWORD, FakeClock, make_user, store_users

ORIGIN: Final = "https://gatehouse.test"
LOGIN: Final = "/api/v1/account/login"
COOKIE: Final = "__Host-session"


@dataclass
class RunningApp:
    """The fixture `app`; `run_app` makes one with other settings."""

    fastapi_app: FastAPI
    container: AsyncContainer
    database: Database
    clock: FakeClock
    clients: AsyncExitStack
    password_hashes: dict[str, str] = field(default_factory=dict)
    """Those made for `add_user`, by password: hashing for each account would take a third of the time of many tests."""

    async def add_user(
        self, username: str, role: Role = Role.USER, *, password: str = PASSWORD, is_active: bool = True
    ) -> User:
        """An account, put into the database past every rule."""
        [user] = await self.add_users([(username, role, is_active)], password=password)
        return user

    async def add_users(self, accounts: Iterable[tuple[str, Role, bool]], *, password: str = PASSWORD) -> list[User]:
        """Each with its name and role, and whether it is active."""
        async with self.container() as request:
            if password not in self.password_hashes:
                hasher = await request.get(PasswordHasher)
                self.password_hashes[password] = await hasher.hash(password, client="tests")
            password_hash, now = self.password_hashes[password], self.clock.now()
            users = [
                make_user(username, role, now, is_active=is_active, password_hash=password_hash)
                for username, role, is_active in accounts
            ]
            await store_users(request, *users)
        return users

    async def client(self, **headers: str) -> httpx.AsyncClient:
        """A browser's worth of cookies, not logged in."""
        transport = httpx.ASGITransport(self.fastapi_app)
        client = httpx.AsyncClient(
            transport=transport, base_url=ORIGIN, headers=headers, event_hooks=ensure_documented(self.fastapi_app)
        )
        return await self.clients.enter_async_context(client)

    async def log_in(self, username: str, password: str = PASSWORD) -> httpx.AsyncClient:
        client = await self.client()
        answer = await client.post(LOGIN, json={"username": username, "password": password})
        assert answer.status_code == HTTPStatus.NO_CONTENT, answer.text
        return client

    async def logged_in(self, username: str, role: Role = Role.USER) -> httpx.AsyncClient:
        """A new account with an open session."""
        await self.add_user(username, role)
        return await self.log_in(username)


def on_database(settings: Settings, url: str, pool_size: int = 1) -> Settings:
    """A pool of more than one connection is for calls that race."""
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
    client = httpx.AsyncClient(
        transport=transport, base_url=ORIGIN, headers=headers, event_hooks=ensure_documented(app.fastapi_app)
    )
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
