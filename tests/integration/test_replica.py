"""Queries on a real read replica: what it has not replayed yet, and what happens when it is down or lags."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from http.cookies import SimpleCookie

import pytest
from psycopg.conninfo import make_conninfo
from structlog.testing import capture_logs

from gatehouse.accounts.domain.role import Role
from gatehouse.common.infrastructure.grants import ensure_role
from gatehouse.common.infrastructure.replica import read_replica as replica_module
from gatehouse.common.presentation.http.middleware.write_position import COOKIE
from gatehouse.common.settings import CookieSettings, PostgresSettings, Settings
from gatehouse.setup.modules import MODULES
from gatehouse.setup.status import read_status
from gatehouse.testing.database import SERVER_ROLE, prepare_schema
from gatehouse.testing.running_app import RunningApp
from tests.integration.all_database_cases import ALL_DATABASE_CASES
from tests.integration.conftest import empty, until
from tests.integration.replicated_app import (
    ACCOUNT,
    QUERIES,
    USERS,
    ReplicatedApp,
    answers,
    create,
    run_replicated_app,
    sees,
)
from tests.integration.replication import Pair, run_pair

pytestmark = pytest.mark.slow

NOBODY_LAGS = 3600.0
EVERYBODY_LAGS_WHO_IS_NOT_UP_TO_DATE = 0.0


@pytest.fixture(scope="module")
def session_pair() -> Iterator[Pair]:
    with run_pair() as pair:
        ensure_role(pair.primary.url, SERVER_ROLE)
        prepare_schema(pair.primary.url)
        yield pair


@pytest.fixture
def pair(session_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """Without data. The allowed lag is so long that the standby is usable on any machine, unless a test changes it."""
    empty(session_pair.primary.url)
    monkeypatch.setattr(replica_module, "MAX_LAG_SECONDS", NOBODY_LAGS)
    return session_pair


@pytest.fixture
def pair_settings(settings: Settings, session_pair: Pair) -> Settings:
    """A pool of one connection to either, as everywhere."""
    url, replica_url = (
        make_conninfo(server.url, user=SERVER_ROLE) for server in (session_pair.primary, session_pair.standby)
    )
    return settings.replace(PostgresSettings(url=url, replica_url=replica_url, pool_size=1))


@pytest.fixture
async def replicated(pair_settings: Settings, pair: Pair) -> AsyncIterator[ReplicatedApp]:
    await pair.wait_until_replayed()
    async with run_replicated_app(pair_settings, pair) as replicated:
        await replicated.until_used()
        yield replicated


async def test_every_query_is_answered_by_the_replica(replicated: ReplicatedApp) -> None:
    await replicated.app.logged_in("alice")
    for cases in ALL_DATABASE_CASES:
        await cases.replica_seed(replicated.app)
    reader = await replicated.reader()
    before = await answers(reader)

    async with replicated.pair.pause_replay():
        for change in (statement for cases in ALL_DATABASE_CASES for statement in cases.replica_change):
            replicated.pair.primary.execute_statement(change)
        assert await answers(reader) == before

    await replicated.pair.wait_until_replayed()
    after = await answers(reader)
    assert [path for path in QUERIES if after[path] == before[path]] == []


@pytest.mark.promise("S8")
async def test_an_inactivation_counts_at_once_though_the_replica_does_not_know_it(replicated: ReplicatedApp) -> None:
    admin, alice = await replicated.reader(), await replicated.reader("alice", Role.ADMIN)
    async with replicated.pair.pause_replay():
        assert (await admin.patch(f"{USERS}/inactivate", json={"username": "alice"})).status_code == 204
        assert [(await alice.get(path)).status_code for path in QUERIES] == [401] * len(QUERIES)


@pytest.mark.promise("S10")
async def test_a_revoked_role_counts_at_once_though_the_replica_does_not_know_it(replicated: ReplicatedApp) -> None:
    chief, admin = await replicated.reader(), await replicated.reader("admin", Role.ADMIN)
    async with replicated.pair.pause_replay():
        assert (await chief.patch(f"{USERS}/revoke", json={"username": "admin"})).status_code == 204
        assert (await admin.get(f"{USERS}/")).status_code == 403


async def test_commands_decide_on_what_the_primary_knows(replicated: ReplicatedApp) -> None:
    admin = await replicated.reader()
    async with replicated.pair.pause_replay():
        newcomer = await replicated.newcomer()
        assert (await create(admin, newcomer)).status_code == 409
        assert (await admin.patch(f"{USERS}/inactivate", json={"username": newcomer})).status_code == 204


async def test_a_client_reads_its_own_writes_and_others_may_read_them_later(replicated: ReplicatedApp) -> None:
    writer, reader = await replicated.reader(), await replicated.reader("admin", Role.ADMIN)
    async with replicated.pair.pause_replay():
        assert (await create(writer, "alice")).status_code == 201
        assert await sees(writer, "alice")
        assert not await sees(reader, "alice")
    await replicated.pair.wait_until_replayed()
    assert await sees(reader, "alice")


async def test_whoever_has_just_come_and_logged_in_finds_the_own_account_and_session(replicated: ReplicatedApp) -> None:
    async with replicated.pair.pause_replay():
        alice = await replicated.app.logged_in("alice")
        assert (await alice.get(f"{ACCOUNT}/me")).json()["username"] == "alice"
        assert len((await alice.get(f"{ACCOUNT}/sessions")).json()["sessions"]) == 1


async def test_whoever_is_logged_in_has_an_account_whatever_the_replica_knows(replicated: ReplicatedApp) -> None:
    async with replicated.pair.pause_replay():
        alice = await replicated.app.logged_in("alice")
        alice.cookies.delete(COOKIE)
        assert (await alice.get(f"{ACCOUNT}/me")).json()["username"] == "alice"


async def test_a_later_write_moves_the_position_on(replicated: ReplicatedApp) -> None:
    writer = await replicated.reader()
    await create(writer, "alice")
    await replicated.pair.wait_until_replayed()
    async with replicated.pair.pause_replay():
        await create(writer, "bobby")
        assert await sees(writer, "bobby")


async def test_what_a_client_has_written_is_read_from_the_replica_once_it_is_replayed(
    replicated: ReplicatedApp,
) -> None:
    writer = await replicated.reader()
    async with replicated.pair.pause_replay():
        await create(writer, "alice")
        assert await sees(writer, await replicated.newcomer())

    await until(lambda: replicated.reads_from_replica(writer))
    assert COOKIE in writer.cookies


@pytest.mark.parametrize("secure", [True, False])
async def test_the_cookie_is_for_the_server_alone_and_does_not_last(
    pair_settings: Settings, pair: Pair, *, secure: bool
) -> None:
    async with run_replicated_app(pair_settings.replace(CookieSettings(secure=secure)), pair) as replicated:
        admin = await replicated.reader()
        morsel = SimpleCookie((await create(admin, "alice")).headers["set-cookie"])[COOKIE]
    attributes = {name: value for name, value in morsel.items() if value}
    expected = {"max-age": "30", "path": "/", "httponly": True, "samesite": "Lax"}
    assert attributes == expected | ({"secure": True} if secure else {})


async def test_nobody_who_has_written_nothing_gets_the_cookie(replicated: ReplicatedApp) -> None:
    client = await replicated.reader()
    await create(client, "alice")
    client.cookies.delete(COOKIE)

    responses = [await client.get(path) for path in QUERIES]
    responses += [await create(client, "alice"), await client.post(f"{USERS}/", json={"username": "x"})]

    assert [answer.status_code for answer in responses] == [*[200] * len(QUERIES), 409, 422]
    assert not any("set-cookie" in answer.headers for answer in responses)


async def test_a_forged_position_leads_its_owner_to_the_primary_and_nobody_else(replicated: ReplicatedApp) -> None:
    forger, reader = await replicated.reader(), await replicated.reader("admin", Role.ADMIN)
    forger.cookies.set(COOKIE, "FFFFFFFF/FFFFFFFF")
    await answers(forger, without="alice")
    assert not await replicated.reads_from_replica(forger)
    assert await replicated.reads_from_replica(reader)


async def test_a_malformed_or_ancient_position_counts_as_none(replicated: ReplicatedApp) -> None:
    reader = await replicated.reader()
    async with replicated.pair.pause_replay():
        newcomer = await replicated.newcomer()
        for position in (
            "",
            "0/0",
            "0",
            "/",
            "0/G",
            "ff/ff",
            "123456789/0",
            "0/0'--",
            "-1/0",
            '"0/0\\012"',
            "x" * 4000,
        ):
            reader.cookies.set(COOKIE, position)
            assert not await sees(reader, newcomer), position


@pytest.mark.parametrize("has_written", [False, True])
async def test_a_connection_lost_to_the_replica_fails_no_query(replicated: ReplicatedApp, *, has_written: bool) -> None:
    await replicated.app.add_user("alice")
    client = await replicated.reader()
    if has_written:
        await create(client, "bobby")
    for path in QUERIES:
        await replicated.until_used()
        # Not by checking is_usable: the next measurement may have found the replica usable again already.
        with capture_logs() as logs:
            replicated.pair.standby.execute_statement(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'gatehouse'"
            )
            assert (await client.get(path)).status_code == 200
        assert "replica_not_used" in [line["event"] for line in logs]


async def test_a_dead_replica_fails_no_request_and_is_used_again_when_it_is_back(replicated: ReplicatedApp) -> None:
    client = await replicated.reader()
    async with replicated.pair.stop_standby():
        assert await sees(client, await replicated.newcomer())
        assert not replicated.replica.is_usable
        assert (await create(client, "alice")).status_code == 201
        await answers(client)
    await replicated.until_used()
    await until(lambda: replicated.reads_from_replica(client))


async def test_a_replica_that_hangs_keeps_nobody_waiting_for_long(replicated: ReplicatedApp) -> None:
    reader = await replicated.reader()
    newcomer = await replicated.newcomer()
    with replicated.pair.hang_standby():
        async with asyncio.timeout(4):
            assert await sees(reader, newcomer)


async def test_a_lagging_replica_is_not_used_until_it_has_caught_up(
    replicated: ReplicatedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = await replicated.reader()
    async with replicated.pair.pause_replay():
        newcomer = await replicated.newcomer()
        await replicated.replica.measure_lag()
        assert not await sees(reader, newcomer), "it may lag a little"

        monkeypatch.setattr(replica_module, "MAX_LAG_SECONDS", EVERYBODY_LAGS_WHO_IS_NOT_UP_TO_DATE)
        await replicated.replica.measure_lag()
        assert await sees(reader, newcomer)

    await replicated.until_used()
    assert await replicated.reads_from_replica(reader)


async def test_a_replica_cut_off_from_its_primary_counts_as_lagging(
    replicated: ReplicatedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = await replicated.reader()
    monkeypatch.setattr(replica_module, "MAX_LAG_SECONDS", EVERYBODY_LAGS_WHO_IS_NOT_UP_TO_DATE)
    async with replicated.pair.cut_off_standby():
        newcomer = await replicated.newcomer()
        await replicated.replica.measure_lag()
        assert await sees(reader, newcomer)
    await replicated.until_used()


async def test_the_service_starts_without_its_replica_and_uses_it_when_it_comes(
    pair_settings: Settings, pair: Pair
) -> None:
    async with AsyncExitStack() as stack:
        async with pair.stop_standby():
            replicated = await stack.enter_async_context(run_replicated_app(pair_settings, pair))
            admin = await replicated.app.logged_in("chief", Role.SUPER_ADMIN)
            assert (await create(admin, "alice")).status_code == 201
            await answers(admin)
        await replicated.until_used()
        await until(lambda: replicated.reads_from_replica(admin))


async def test_without_a_replica_there_is_no_such_cookie(app: RunningApp) -> None:
    admin = await app.logged_in("chief", Role.SUPER_ADMIN)
    admin.cookies.set(COOKIE, "FFFFFFFF/FFFFFFFF")
    answer = await create(admin, "alice")
    assert answer.status_code == 201
    assert "set-cookie" not in answer.headers
    assert await sees(admin, "alice")


async def test_the_status_shows_how_far_the_replica_is_behind(pair: Pair) -> None:
    url = pair.primary.url
    await pair.wait_until_replayed()
    up_to_date = read_status(url, pair.standby.url, MODULES).sections["replica"]
    async with pair.pause_replay():
        pair.primary.execute_statement("CREATE TABLE IF NOT EXISTS lag AS SELECT generate_series(1, 1000)")
        behind = read_status(url, pair.standby.url, MODULES).sections["replica"]
        pair.primary.execute_statement("DROP TABLE lag")

    assert up_to_date == {"bytes_behind": 0, "seconds_behind": 0}
    assert behind["bytes_behind"] > 0
