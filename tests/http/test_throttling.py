"""The rate limit slows down password guessing from one address, and no other client."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from dishka import Provider, Scope
from psycopg.rows import scalar_row

from gatehouse.accounts.application.ports import PasswordHasher
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.settings import ThrottleSettings
from gatehouse.common.settings import Settings
from gatehouse.testing.accounts.fakes import FakePasswordHasher
from gatehouse.testing.answers import assert_done, assert_problem
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import RunningApp, client_from, try_log_in

SIGN_UP = "/api/v1/account/signup"
CHANGE = "/api/v1/users/change_password"
ME = "/api/v1/account/me"
WRONG = "wrong " + PASSWORD
NEW = "a whole new sentence to remember"
FREE = 5
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


async def guess(client: httpx.AsyncClient, times: int = FREE, username: str = "alice") -> None:
    for _ in range(times):
        assert_problem(await try_log_in(client, username, WRONG), "invalid-credentials")


def wait_of(answer: httpx.Response) -> timedelta:
    assert_problem(answer, "too-many-attempts")
    return timedelta(seconds=int(answer.headers["retry-after"]))


@pytest.mark.promise("L4")
async def test_after_five_wrong_passwords_even_the_right_one_waits_but_not_elsewhere(app: RunningApp) -> None:
    await app.add_user("alice")
    here, elsewhere = await client_from(app, HERE), await client_from(app, ELSEWHERE)
    await guess(here)

    assert_problem(await try_log_in(here), "too-many-attempts")

    assert_done(await try_log_in(elsewhere))


async def test_the_wait_is_as_long_as_it_was_said_to_be(app: RunningApp) -> None:
    await app.add_user("alice")
    client = await app.client()
    await guess(client)
    wait = wait_of(await try_log_in(client))

    app.clock.advance(wait - timedelta(milliseconds=1))
    assert wait_of(await try_log_in(client)) == timedelta(seconds=1)

    app.clock.advance(timedelta(milliseconds=1))
    assert_done(await try_log_in(client))


async def test_every_further_wrong_password_doubles_the_wait_up_to_a_quarter_of_an_hour(app: RunningApp) -> None:
    await app.add_user("alice")
    client = await app.client()
    await guess(client)

    waits = []
    for _ in range(12):
        wait = wait_of(await try_log_in(client))
        waits.append(wait.seconds)
        app.clock.advance(wait)
        await guess(client, 1)

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


async def test_an_hour_without_guesses_forgives(app: RunningApp) -> None:
    await app.add_user("alice")
    client = await app.client()
    await guess(client)

    app.clock.advance(timedelta(hours=1))

    await guess(client)
    assert_problem(await try_log_in(client), "too-many-attempts")


@pytest.mark.promise("L4")
async def test_success_resets(app: RunningApp) -> None:
    await app.add_user("alice")

    for _ in range(3):
        client = await app.client()
        await guess(client, FREE - 1)
        assert_done(await try_log_in(client))


async def test_logins_that_succeed_are_never_throttled(app: RunningApp, settings: Settings) -> None:
    await app.add_user("alice")
    async with run_app(settings.replace(ThrottleSettings(attempts_per_address=2))) as strict:
        for _ in range(5):
            await strict.log_in("alice")


async def test_another_account_is_not_made_to_wait(app: RunningApp) -> None:
    await app.add_user("alice")
    await app.add_user("bobby")
    client = await app.client()
    await guess(client)

    assert_done(await try_log_in(client, "bobby"))


async def test_clocks_that_disagree_a_little_make_nobody_wait(app: RunningApp) -> None:
    """Parallel requests read the clock and count in another order, and no two hosts have the same time."""
    await app.add_user("alice")
    client = await app.client()
    await guess(client, 1)

    app.clock.advance(-timedelta(milliseconds=5))

    assert_done(await try_log_in(client))


@pytest.mark.promise("L1")
async def test_unknown_wrong_and_inactive_are_throttled_alike(app: RunningApp) -> None:
    await app.add_user("alice")
    await app.add_user("sleeper", is_active=False)
    histories = []
    for username, password in (("nobody", WRONG), ("alice", WRONG), ("sleeper", PASSWORD)):
        client = await app.client()
        answers = [await try_log_in(client, username, password) for _ in range(FREE + 2)]
        histories.append([(answer.status_code, *without_request_id(answer)) for answer in answers])

    assert [status for status, *_ in histories[0]] == [401] * FREE + [429] * 2
    assert histories[0] == histories[1] == histories[2]


def without_request_id(answer: httpx.Response) -> tuple[str, list[tuple[str, str]]]:
    headers = dict(answer.headers)
    return answer.text.replace(headers.pop("x-request-id"), ""), sorted(headers.items())


@pytest.fixture
def hasher() -> FakePasswordHasher:
    return FakePasswordHasher()


@pytest.fixture
async def counting_app(app: RunningApp, settings: Settings, hasher: FakePasswordHasher) -> AsyncIterator[RunningApp]:
    """An application whose password hasher records which hashes it verified."""
    assert await app.database.fetch_one("SELECT count(*) FROM users", {}, scalar_row) == 0
    parts = Provider(scope=Scope.APP)
    parts.provide(lambda: hasher, provides=PasswordHasher)
    async with run_app(settings, parts) as counting_app:
        yield counting_app


@pytest.mark.slow
@pytest.mark.promise("L3")
@pytest.mark.parametrize("username", ["alice", "nobody"])
async def test_of_50_parallel_guesses_five_are_verified(
    counting_app: RunningApp, hasher: FakePasswordHasher, username: str
) -> None:
    await counting_app.add_user("alice")
    client = await counting_app.client()

    answers = await asyncio.gather(*(try_log_in(client, username, f"guess number {n}") for n in range(50)))

    assert sorted(answer.status_code for answer in answers) == [401] * FREE + [429] * 45
    assert len(hasher.verified) == FREE


@pytest.mark.promise("L2")
@pytest.mark.parametrize(
    ("username", "password"),
    [("nobody", PASSWORD), ("alice", WRONG), ("sleeper", PASSWORD), ("no name at all", PASSWORD), ("alice", PASSWORD)],
)
async def test_every_login_costs_one_verification(
    counting_app: RunningApp, hasher: FakePasswordHasher, username: str, password: str
) -> None:
    await counting_app.add_user("alice")
    await counting_app.add_user("sleeper", is_active=False)

    await try_log_in(await counting_app.client(), username, password)

    assert len(hasher.verified) == 1


async def test_what_has_to_wait_costs_none(counting_app: RunningApp, hasher: FakePasswordHasher) -> None:
    await counting_app.add_user("alice")
    client = await counting_app.client()
    await guess(client)

    await try_log_in(client)

    assert len(hasher.verified) == FREE


@pytest.mark.promise("L5", "P10")
@pytest.mark.parametrize("role", Role)
async def test_login_and_change_of_password_share_the_count(app: RunningApp, role: Role) -> None:
    alice, other_client = await app.logged_in("alice", role), await app.client()
    body = {"username": "alice", "password": NEW, "current_password": WRONG}
    await guess(other_client, 2)
    for _ in range(3):
        assert_problem(await alice.patch(CHANGE, json=body), "invalid-credentials")

    assert_problem(await try_log_in(other_client), "too-many-attempts")
    assert_problem(await alice.patch(CHANGE, json={**body, "current_password": PASSWORD}), "too-many-attempts")

    assert (await alice.get(ME)).status_code == 200


async def test_one_address_does_not_try_one_account_after_another(app: RunningApp, settings: Settings) -> None:
    await app.add_user("alice")
    async with run_app(settings.replace(ThrottleSettings(attempts_per_address=3))) as strict:
        here, elsewhere = await client_from(strict, HERE), await client_from(strict, ELSEWHERE)
        for number in range(3):
            await guess(here, 1, f"user-{number}")

        assert_problem(await try_log_in(here), "too-many-attempts")

        assert_done(await try_log_in(elsewhere))


@pytest.mark.parametrize(
    ("first_ip", "second_ip", "is_same"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.3", False),
    ],
)
async def test_addresses_of_one_network_share_the_count(
    app: RunningApp, first_ip: str, second_ip: str, *, is_same: bool
) -> None:
    await app.add_user("alice")
    await guess(await client_from(app, first_ip))

    answer = await try_log_in(await client_from(app, second_ip))

    assert answer.status_code == (429 if is_same else 204)


@pytest.mark.promise("L8")
@pytest.mark.usefixtures("app")
async def test_sign_up_is_throttled_per_address(settings: Settings) -> None:
    async with run_app(settings.replace(ThrottleSettings(sign_ups_per_address=3))) as strict:
        here, elsewhere = await client_from(strict, HERE), await client_from(strict, ELSEWHERE)

        async def sign_up(client: httpx.AsyncClient, number: int) -> httpx.Response:
            return await client.post(SIGN_UP, json={"username": f"user-{number}", "password": PASSWORD})

        for number in range(3):
            assert (await sign_up(here, number)).status_code == 201
        wait = wait_of(await sign_up(here, 3))
        assert (await sign_up(elsewhere, 3)).status_code == 201

        strict.clock.advance(wait)
        assert (await sign_up(here, 4)).status_code == 201
