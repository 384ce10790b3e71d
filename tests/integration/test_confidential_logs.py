"""Logs of successful and failing calls contain no secret, and no line that a client made up."""

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from gatehouse.accounts.application.ports import PasswordHasher
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.settings import JwtSettings, PasswordSettings
from gatehouse.common.settings import LogFormat, LogLevel, LogSettings, Settings
from gatehouse.setup.logs import configure_logs
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import ORIGIN, RunningApp

WRONG = "a canary in a wrong password"
NEW_PASSWORD = "a canary that will be a password"
FORGED = "%0a%1b%5d0;forged%07%0d%0a"


@pytest.fixture(params=LogFormat)
def log_stream(
    app: RunningApp, request: pytest.FixtureRequest, logs_as_before: None, monkeypatch: pytest.MonkeyPatch
) -> io.StringIO:
    """Collects all log output from here on."""
    assert (app.fastapi_app is not None, logs_as_before) == (True, None)
    log_stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log_stream)
    configure_logs(LogSettings(level=LogLevel.DEBUG, format=request.param))
    return log_stream


@contextmanager
def failing_saves(owner: psycopg.Connection) -> Iterator[None]:
    """Saving a user is an unforeseen error, for which PostgreSQL quotes the row: "Failing row contains (…)"."""
    owner.execute("ALTER TABLE users ADD CONSTRAINT nothing CHECK (false) NOT VALID")
    try:
        yield
    finally:
        owner.execute("ALTER TABLE users DROP CONSTRAINT nothing")


@pytest.mark.promise("P12", "T2")
async def test_no_secret_is_logged_whatever_happens(
    app: RunningApp, settings: Settings, log_stream: io.StringIO, owner: psycopg.Connection
) -> None:
    alice = await app.logged_in("alice")
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    cookie = next(iter(alice.cookies.values()))
    anonymous_client = await app.client()
    async with app.container() as scope:
        password_hash = await (await scope.get(PasswordHasher)).hash(PASSWORD, client="a client")

    answers = [
        await anonymous_client.post("/api/v1/account/login", json={"username": "alice", "password": WRONG}),
        await anonymous_client.post("/api/v1/account/login", json={"username": "alice", "password": WRONG, "x": WRONG}),
        await anonymous_client.post("/api/v1/account/signup", json={"username": "bobby", "password": NEW_PASSWORD}),
        await anonymous_client.get("/api/v1/account/me", headers={"Cookie": f"__Host-session={cookie}x"}),
    ]
    with failing_saves(owner):
        answers += [
            await alice.patch(
                "/api/v1/users/change_password",
                json={"username": "alice", "password": NEW_PASSWORD, "current_password": PASSWORD},
            ),
            await chief.patch("/api/v1/users/grant", json={"username": "alice"}),
        ]

    assert [answer.status_code for answer in answers] == [401, 422, 201, 401, 500, 500]
    log_text = log_stream.getvalue()
    output = log_text + "".join(answer.text for answer in answers)
    assert "Traceback" in log_text
    secrets = [
        PASSWORD,
        WRONG,
        NEW_PASSWORD,
        cookie,
        settings[JwtSettings].secret,
        settings[PasswordSettings].pepper,
        "$2b$",
    ]
    assert [secret for secret in [*secrets, password_hash, "Failing row"] if secret in output] == []


@pytest.mark.promise("G3")
async def test_control_characters_are_encoded(app: RunningApp, log_stream: io.StringIO) -> None:
    client = await app.client(**{"User-Agent": "a\tbrowser", "X-Request-ID": "not\tan id"})

    await client.get(f"{ORIGIN}/api/v1/{FORGED}")
    await client.delete(f"{ORIGIN}/api/v1/account/sessions/{FORGED}")
    await client.get(f"{ORIGIN}/api/v1/users/%1b%5d0;forged%07")

    lines = log_stream.getvalue().splitlines()
    assert [line for line in lines if "forged" in line]
    assert not [line for line in lines if line.startswith("forged") or "\x1b]0;" in line or "\x07" in line]
    if lines[0].startswith("{"):
        assert {json.loads(line)["event"] for line in lines} >= {"refused"}
