"""Sessions end without use and, in any case, after a day's work; using one keeps it alive."""

import asyncio
from datetime import datetime, timedelta

import pytest
from psycopg.rows import scalar_row

from gatehouse.common.settings import Settings
from gatehouse.testing.answers import assert_problem
from gatehouse.testing.database import CreateDatabase
from gatehouse.testing.declaration import Call, Caller
from gatehouse.testing.matrix import expected_status, populate, request_of, targets_of
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import RunningApp, on_database
from gatehouse.testing.under_test import all_calls

ME = "/api/v1/account/me"
IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
SECOND = timedelta(seconds=1)
CALLS = [call for call in all_calls() if call.open_to != "everyone" and not call.ends_own_session]


async def last_seen(app: RunningApp) -> datetime | None:
    return await app.database.fetch_one("SELECT last_seen_at FROM sessions", {}, scalar_row)


@pytest.mark.promise("S3")
async def test_a_session_unused_for_half_an_hour_has_ended(app: RunningApp) -> None:
    client = await app.logged_in("alice")

    app.clock.advance(IDLE)

    assert_problem(await client.get(ME), "unauthenticated")


async def test_a_session_lives_until_the_last_second_of_its_half_hour(app: RunningApp) -> None:
    client = await app.logged_in("alice")

    app.clock.advance(IDLE - SECOND)

    assert (await client.get(ME)).status_code == 200


async def test_a_session_is_not_revived_by_asking_too_late(app: RunningApp) -> None:
    client = await app.logged_in("alice")
    start = app.clock.now()
    app.clock.advance(IDLE)

    await client.get(ME)

    assert_problem(await client.get(ME), "unauthenticated")
    assert await last_seen(app) == start


@pytest.mark.promise("S3")
async def test_a_session_in_use_ends_after_twelve_hours_all_the_same(app: RunningApp) -> None:
    client = await app.logged_in("alice")
    start = app.clock.now()

    while app.clock.now() < start + ABSOLUTE - IDLE:
        app.clock.advance(IDLE - SECOND)
        assert (await client.get(ME)).status_code == 200
    app.clock.at = start + ABSOLUTE - SECOND
    assert (await client.get(ME)).status_code == 200

    app.clock.advance(SECOND)
    assert_problem(await client.get(ME), "unauthenticated")


@pytest.mark.promise("S4")
@pytest.mark.parametrize("call", CALLS, ids=str)
async def test_any_authenticated_call_moves_the_idle_limit(app: RunningApp, call: Call) -> None:
    admin = await populate(app, call, Caller.ADMIN)
    app.clock.advance(IDLE - SECOND)

    answer = await admin.request(**request_of(call, Caller.ADMIN, targets_of(call)[0]))

    assert answer.status_code == expected_status(call, Caller.ADMIN, targets_of(call)[0])
    app.clock.advance(IDLE - SECOND)
    assert (await admin.get(ME)).status_code == 200


async def test_a_call_that_needs_no_session_moves_nothing(app: RunningApp) -> None:
    client = await app.logged_in("alice")
    app.clock.advance(IDLE - SECOND)

    await client.get("/livez")

    app.clock.advance(SECOND)
    assert_problem(await client.get(ME), "unauthenticated")


async def test_a_used_session_is_written_once_a_minute_at_most(app: RunningApp) -> None:
    client = await app.logged_in("alice")
    start = app.clock.now()

    app.clock.advance(timedelta(seconds=59))
    await client.get(ME)
    assert await last_seen(app) == start

    app.clock.advance(SECOND)
    await client.get(ME)
    assert await last_seen(app) == start + timedelta(seconds=60)

    app.clock.advance(timedelta(seconds=59))
    await client.get(ME)
    assert await last_seen(app) == start + timedelta(seconds=60)


@pytest.mark.promise("S5")
async def test_the_cookie_is_not_set_anew_when_its_session_is_renewed(app: RunningApp) -> None:
    client = await app.logged_in("alice")
    app.clock.advance(timedelta(minutes=5))

    answer = await client.get(ME)

    assert "set-cookie" not in answer.headers


async def test_a_session_that_cannot_be_renewed_is_good_until_it_expires(
    settings: Settings, create_database: CreateDatabase
) -> None:
    async with run_app(on_database(settings, create_database("frozen"))) as app:
        client = await app.logged_in("alice")
        await app.database.execute("ALTER TABLE sessions ADD CHECK (false) NOT VALID", {})
        app.clock.advance(timedelta(minutes=2))

        assert (await client.get(ME)).status_code == 200


_COUNT_WRITES = """
    CREATE TABLE writes (at timestamptz);
    CREATE FUNCTION count_write() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO writes VALUES (now()); RETURN NULL; END';
    CREATE TRIGGER count_writes AFTER UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION count_write();
"""


@pytest.mark.slow
@pytest.mark.promise("S6", "D3")
@pytest.mark.parametrize("pool_size", [1, 8])
async def test_parallel_requests_at_renewal_time_all_succeed_with_one_write(
    settings: Settings, create_database: CreateDatabase, pool_size: int
) -> None:
    url = create_database("renewal")
    async with run_app(on_database(settings, url, pool_size)) as app:
        await app.database.execute(_COUNT_WRITES, {})
        client = await app.logged_in("alice")
        app.clock.advance(timedelta(minutes=2))

        answers = await asyncio.gather(*(client.get(ME) for _ in range(30)))

        assert [answer.status_code for answer in answers] == [200] * 30
        assert await app.database.fetch_one("SELECT count(*) FROM writes", {}, scalar_row) == 1
        assert await last_seen(app) == app.clock.now()
