from dataclasses import replace
from datetime import timedelta

import pytest
from uuid6 import uuid7

from gatehouse.accounts.domain.session import hash_secret
from tests.integration.conftest import Gateways


async def test_ending_a_session_ends_no_other(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")
    first = await gateways.add_session(alice, "one")
    second = await gateways.add_session(alice, "other")

    async with gateways.transaction:
        assert await gateways.sessions.end(first.id, user_id=alice.id)

    assert not await gateways.is_alive(first)
    assert await gateways.is_alive(second)


async def test_ending_says_whether_there_was_such_a_session(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")
    session = await gateways.add_session(alice, "one")

    async with gateways.transaction:
        outcomes = [
            await gateways.sessions.end(session_id, user_id=alice.id)
            for session_id in (session.id, session.id, uuid7())
        ]

    assert outcomes == [True, False, False]
    assert not await gateways.is_alive(session)


async def test_nobody_ends_another_user_s_session_by_its_id(gateways: Gateways) -> None:
    session = await gateways.add_session(await gateways.add_user("alice"), "one")
    bobby = await gateways.add_user("bobby")

    async with gateways.transaction:
        assert not await gateways.sessions.end(session.id, user_id=bobby.id)

    assert await gateways.is_alive(session)


@pytest.mark.promise("S17")
async def test_a_session_opens_to_its_new_secret_alone(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")
    session = await gateways.add_session(alice, "one")
    other = await gateways.add_session(alice, "other")
    renewed = replace(session, secret_hash=hash_secret("two"))

    async with gateways.transaction:
        expires_at = await gateways.sessions.replace_secret(
            session.id, user_id=alice.id, secret_hash=renewed.secret_hash
        )

    assert expires_at == session.expires_at
    assert [await gateways.is_alive(each) for each in (session, renewed, other)] == [False, True, True]


async def test_nobody_replaces_the_secret_of_another_user_s_session(gateways: Gateways) -> None:
    session = await gateways.add_session(await gateways.add_user("alice"), "one")
    bobby = await gateways.add_user("bobby")

    async with gateways.transaction:
        secret_hash = hash_secret("two")
        assert await gateways.sessions.replace_secret(session.id, user_id=bobby.id, secret_hash=secret_hash) is None

    assert await gateways.is_alive(session)


async def test_ending_all_sessions_of_a_user_leaves_those_of_others(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")
    sessions = [await gateways.add_session(alice, secret) for secret in ("one", "two", "three")]
    of_bobby = await gateways.add_session(await gateways.add_user("bobby"), "four")

    async with gateways.transaction:
        assert await gateways.sessions.end_all_of(alice.id) == 3

    assert [await gateways.is_alive(session) for session in sessions] == [False, False, False]
    assert await gateways.is_alive(of_bobby)


async def test_ending_all_but_one_spares_that_one(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")
    sessions = [await gateways.add_session(alice, secret) for secret in ("one", "two", "three")]

    async with gateways.transaction:
        assert await gateways.sessions.end_all_of(alice.id, but=sessions[1].id) == 2

    assert [await gateways.is_alive(session) for session in sessions] == [False, True, False]


async def test_sparing_another_user_s_session_spares_none(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")
    of_alice = await gateways.add_session(alice, "one")
    of_bobby = await gateways.add_session(await gateways.add_user("bobby"), "two")

    async with gateways.transaction:
        await gateways.sessions.end_all_of(alice.id, but=of_bobby.id)

    assert not await gateways.is_alive(of_alice)
    assert await gateways.is_alive(of_bobby)


async def test_ending_all_sessions_of_a_user_without_any_does_nothing(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")

    async with gateways.transaction:
        assert await gateways.sessions.end_all_of(alice.id) == 0

    assert await gateways.find("alice") == alice


async def test_a_session_is_on_the_transaction_of_the_users(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")
    session = await gateways.add_session(alice, "one")

    async def end_and_fail() -> None:
        async with gateways.transaction:
            await gateways.sessions.end_all_of(alice.id)
            raise LookupError

    with pytest.raises(LookupError):
        await end_and_fail()

    assert await gateways.is_alive(session)


@pytest.mark.promise("S16")
async def test_the_oldest_sessions_beyond_those_to_keep_end(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")
    of_bobby = await gateways.add_session(await gateways.add_user("bobby"), "of bobby")
    sessions = []
    for number in range(4):
        gateways.clock.advance(timedelta(seconds=1))
        sessions.append(await gateways.keep_session(alice, f"secret {number}", keep=2))

    assert [await gateways.is_alive(session) for session in sessions] == [False, False, True, True]
    assert await gateways.is_alive(of_bobby)


async def test_of_sessions_opened_at_the_same_time_the_later_ones_are_kept(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")
    sessions = [await gateways.keep_session(alice, f"secret {number}", keep=3) for number in range(5)]

    assert [await gateways.is_alive(session) for session in sessions] == [False, False, True, True, True]


async def test_whatever_was_kept_before_is_cut_down_to_what_is_to_be_kept(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")
    sessions = [await gateways.keep_session(alice, f"secret {number}", keep=9) for number in range(5)]
    sessions.append(await gateways.keep_session(alice, "the last", keep=1))

    assert [await gateways.is_alive(session) for session in sessions] == [False] * 5 + [True]
