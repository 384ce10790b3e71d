import pytest
from uuid6 import uuid7

from tests.integration.conftest import Gateways


async def test_ending_a_session_ends_no_other(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")
    one = await gateways.add_session(alice, "one")
    other = await gateways.add_session(alice, "other")

    async with gateways.transaction:
        await gateways.sessions.end(one.id)

    assert not await gateways.is_alive(one)
    assert await gateways.is_alive(other)


async def test_a_session_ends_once_and_an_unknown_one_ends_silently(gateways: Gateways) -> None:
    session = await gateways.add_session(await gateways.add_user("alice"), "one")

    for session_id in (session.id, session.id, uuid7()):
        async with gateways.transaction:
            await gateways.sessions.end(session_id)

    assert not await gateways.is_alive(session)


async def test_ending_all_sessions_of_a_user_leaves_those_of_others(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")
    sessions = [await gateways.add_session(alice, secret) for secret in ("one", "two", "three")]
    of_bobby = await gateways.add_session(await gateways.add_user("bobby"), "four")

    async with gateways.transaction:
        await gateways.sessions.end_all_of(alice.id)

    assert [await gateways.is_alive(session) for session in sessions] == [False, False, False]
    assert await gateways.is_alive(of_bobby)


async def test_ending_all_but_one_spares_that_one(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")
    sessions = [await gateways.add_session(alice, secret) for secret in ("one", "two", "three")]

    async with gateways.transaction:
        await gateways.sessions.end_all_of(alice.id, but=sessions[1].id)

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
        await gateways.sessions.end_all_of(alice.id)

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
