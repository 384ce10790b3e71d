"""Spans of a request, as whoever collects them sees them."""

import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
import structlog
from dishka import Provider, Scope

from gatehouse.accounts.application.queries.get_me import GetMe
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.settings import JwtSettings, PasswordSettings
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.infrastructure.tracing import CLOSING_THREAD, open_tracing
from gatehouse.common.settings import LogSettings, Settings, UvicornSettings
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import LOGIN, RunningApp, client_from, token_of
from tests.http.test_problems import BrokenGetMe
from tests.trace_receiver import ReceivedSpan, TraceReceiver, receive_traces

pytestmark = pytest.mark.slow  # each starts an exporter of its own

ME = "/api/v1/account/me"
SIGN_UP = "/api/v1/account/signup"
USERS = "/api/v1/users/"
PROXY, STRANGER = "192.0.2.10", "203.0.113.5"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
NEVER = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[TraceReceiver]:
    with receive_traces() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        yield receiver


@pytest.fixture
def traced(settings: Settings, database: Database) -> Settings:
    """On an empty database."""
    assert isinstance(database, Database)
    return settings.replace(UvicornSettings(trusted_proxies=[PROXY]), LogSettings(access=True))


@asynccontextmanager
async def traced_app(settings: Settings, *parts: Provider) -> AsyncIterator[RunningApp]:
    """When it ends, all of its spans have been received."""
    async with run_app(settings, *parts, tracing=open_tracing()) as app:
        yield app


def only(receiver: TraceReceiver, name: str) -> ReceivedSpan:
    [span] = [span for span in receiver.spans if span.name == name]
    return span


async def test_a_query_is_a_tree_of_request_use_case_and_statement(receiver: TraceReceiver, traced: Settings) -> None:
    async with traced_app(traced) as app:
        admin = await app.logged_in("admin", Role.ADMIN)
        assert (await admin.get(USERS, params={"search": "adm"})).status_code == 200

    assert receiver.tree(f"GET {USERS}") == [
        f"server GET {USERS}",
        "  client SELECT",  # the session
        "  internal list_users",
        "    client SELECT",
    ]
    statements = [span for span in receiver.spans if span.kind == "client"]
    assert all(span.seconds > 0 for span in statements)
    assert statements[-1].attributes["db.system.name"] == "postgresql"
    assert "username >= %(prefix_from)s" in statements[-1].attributes["db.query.text"]


async def test_a_command_shows_the_statements_of_its_transaction(receiver: TraceReceiver, traced: Settings) -> None:
    async with traced_app(traced) as app:
        admin = await app.logged_in("admin", Role.ADMIN)
        await app.add_user("alice")
        answer = await admin.patch(f"{USERS}inactivate", json={"username": "alice"})

    name = f"PATCH {USERS}inactivate"
    assert receiver.tree(name) == [
        f"server {name}",
        "  client SELECT",
        "  internal inactivate_user",
        *(f"    client {operation}" for operation in ("SELECT", "UPDATE", "DELETE", "INSERT", "COMMIT")),
    ]
    assert only(receiver, name).attributes == {
        "http.request.method": "PATCH",
        "http.route": f"{USERS}inactivate",
        "http.response.status_code": 204,
        "gatehouse.request_id": answer.headers["x-request-id"],
    }


async def test_a_refusal_is_no_error_and_the_unforeseen_is_one(receiver: TraceReceiver, traced: Settings) -> None:
    broken = Provider(scope=Scope.REQUEST)
    broken.provide(BrokenGetMe, provides=GetMe)
    async with traced_app(traced, broken) as app:
        user = await app.logged_in("alice")
        assert (await user.get(USERS)).status_code == 403
        assert (await user.get(ME)).status_code == 500

    refused, failed = only(receiver, "list_users"), only(receiver, f"GET {ME}")
    assert (refused.is_error, refused.attributes) == (False, {"error.type": "ForbiddenError"})
    assert only(receiver, f"GET {USERS}").attributes["http.response.status_code"] == 403
    assert (failed.is_error, failed.attributes["error.type"]) == (True, "RuntimeError")
    assert failed.attributes["http.response.status_code"] == 500


@pytest.mark.promise("P12")
async def test_no_span_holds_a_secret(receiver: TraceReceiver, traced: Settings, owner: object) -> None:
    chosen, other = "seven lanterns over a quiet harbour", "eleven quiet herons waiting"
    async with traced_app(traced) as app:
        client = await app.client(**{"user-agent": "Canary/1.0"})
        await client.post(SIGN_UP, json={"username": "alice", "password": chosen})
        await client.post(LOGIN, json={"username": "alice", "password": other})
        await client.post(LOGIN, json={"username": "alice", "password": chosen})
        first_token = token_of(client)
        body = {"username": "alice", "password": other, "current_password": chosen}
        assert (await client.patch(f"{USERS}change_password", json=body)).status_code == 204
        token = token_of(client)
        assert (await client.get(f"{ME}?token={other.replace(' ', '+')}")).status_code == 200
        rows = await app.database.fetch_all(
            "SELECT password_hash, encode(secret_hash, 'hex') FROM users JOIN sessions ON user_id = users.id",
            {},
            lambda _: tuple,
        )

    sent = b"".join(receiver.bodies)
    pepper, key = traced[PasswordSettings].pepper, traced[JwtSettings].secret
    secrets = [chosen, other, other.replace(" ", "+"), first_token, token, pepper, key, *map(str, rows[0])]
    assert [secret for secret in secrets if secret.encode() in sent] == []
    assert b"Canary" not in sent
    assert b"alice" not in sent
    assert b"change_password" in sent
    assert owner is not None


@pytest.mark.promise("G5")
async def test_a_trusted_proxys_trace_is_continued(receiver: TraceReceiver, traced: Settings) -> None:
    async with traced_app(traced) as app:
        client = await client_from(app, PROXY, traceparent=TRACEPARENT)
        with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logs:
            assert (await client.get(ME)).status_code == 401

    span = only(receiver, f"GET {ME}")
    assert (span.trace_id, span.parent_id) == (TRACE, PARENT)
    assert {line["event"]: line["trace_id"] for line in logs} == {"refused": TRACE, "request": TRACE}


@pytest.mark.promise("G5")
@pytest.mark.parametrize("peer", [STRANGER, PROXY])
async def test_a_strangers_trace_is_only_logged_and_what_is_none_not_at_all(
    receiver: TraceReceiver, traced: Settings, peer: str
) -> None:
    none = [TRACEPARENT.upper(), TRACEPARENT[:-1], f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01", "", "\t"]
    sent = [*none, *([TRACEPARENT] if peer == STRANGER else [])]
    async with traced_app(traced) as app:
        with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logs:
            for traceparent in sent:
                await (await client_from(app, peer, traceparent=traceparent)).get("/api/v1/")

    spans = [span for span in receiver.spans if span.kind == "server"]
    assert [(span.parent_id, span.trace_id == TRACE) for span in spans] == [("", False)] * len(sent)
    assert [line["trace_id"] for line in logs] == [span.trace_id for span in spans]
    assert [line.get("client_trace_id") for line in logs] == [TRACE if each == TRACEPARENT else None for each in sent]


@pytest.mark.parametrize("flags", ["00", "01"])
async def test_the_sampling_is_the_parents_and_else_that_of_the_settings(
    receiver: TraceReceiver, traced: Settings, monkeypatch: pytest.MonkeyPatch, flags: str
) -> None:
    for name, value in NEVER.items():
        monkeypatch.setenv(name, value)
    async with traced_app(traced) as app:
        with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logs:
            await (await client_from(app, PROXY, traceparent=f"00-{TRACE}-{PARENT}-{flags}")).get(ME)
            await (await app.client()).get(ME)

    assert [span.name for span in receiver.spans] == ([f"GET {ME}"] if flags == "01" else [])
    assert all(len(line["trace_id"]) == 32 for line in logs)  # of no use but to find the lines of a request


async def test_probes_leave_no_span(receiver: TraceReceiver, traced: Settings) -> None:
    async with traced_app(traced) as app:
        assert (await (await app.client()).get("/readyz")).status_code == 200

    assert receiver.spans == []


@pytest.mark.parametrize("name", [None, "accounts"])
async def test_the_service_has_a_name(
    receiver: TraceReceiver, traced: Settings, monkeypatch: pytest.MonkeyPatch, name: str | None
) -> None:
    if name is not None:
        monkeypatch.setenv("OTEL_SERVICE_NAME", name)
    async with traced_app(traced) as app:
        await (await app.client()).get("/api/v1/")

    [resource] = receiver.resources
    assert resource["service.name"] == (name or "gatehouse")
    assert resource["service.version"]


@pytest.mark.slow  # the library gives up after ten seconds
@pytest.mark.parametrize("is_there", [True, False])
async def test_who_collects_may_be_away_or_silent(
    traced: Settings, monkeypatch: pytest.MonkeyPatch, *, is_there: bool
) -> None:
    """The library itself would wait for half a minute at the end."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
    with receive_traces(answers=False) as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url if is_there else "http://127.0.0.1:9")
        async with traced_app(traced) as app:
            admin = await app.logged_in("admin", Role.ADMIN)
            for _ in range(20):
                assert (await admin.get(USERS)).status_code == 200
            began = time.monotonic()
        assert time.monotonic() - began < 8
    # It goes on in the background, and would write its log lines into another test's.
    for thread in threading.enumerate():
        if thread.name == CLOSING_THREAD:
            thread.join(60)


@pytest.mark.slow  # a new interpreter imports everything
def test_where_tracing_is_off_the_library_is_not_imported() -> None:
    code = """
import sys
from gatehouse.common.settings import Settings
from gatehouse.accounts.settings import JwtSettings, PasswordSettings
from gatehouse.setup.app import create_tuned_app
from gatehouse.setup.server import run_server
from gatehouse.setup.tracing import find_tracing
assert find_tracing() is None
create_tuned_app(Settings(JwtSettings(secret="x" * 40), PasswordSettings(pepper="y" * 40)))
found = {name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter", "google"))}
print(sorted(found), "gatehouse.common.infrastructure.tracing" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)

    assert run.stdout == "[] False\n"


async def test_without_tracing_a_log_line_has_no_trace(app: RunningApp) -> None:
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logs:
        answer = await (await app.client(traceparent=TRACEPARENT)).get(ME)

    assert isinstance(answer, httpx.Response)
    assert [set(line) & {"trace_id", "client_trace_id"} for line in logs] == [set()]
    assert PASSWORD not in str(logs)
