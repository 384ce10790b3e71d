"""The contracts of what an erasure changes: users, kept names, and the trail."""

from datetime import timedelta

import pytest

from gatehouse.accounts.application.ports import Attempt, CountedAttempts, ErasedNames, ForgottenAttempts, Throttle
from gatehouse.accounts.domain.errors import UsernameTakenError
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.ports import ErasableTrail
from gatehouse.testing.fakes import FakeEvent
from tests.integration.conftest import Gateways

ALICE = Username("alice")


async def erase(gateways: Gateways, user: User) -> None:
    async with gateways.transaction:
        await gateways.users.erase(user, gateways.clock.now())


async def test_nobody_finds_or_locks_who_was_erased(gateways: Gateways) -> None:
    alice, bobby = await gateways.add_user("alice"), await gateways.add_user("bobby")

    await erase(gateways, alice)

    assert await gateways.find("alice") is None
    assert await gateways.find("bobby") == bobby
    async with gateways.transaction:
        assert await gateways.users.lock(ALICE) is None
        assert await gateways.users.lock_by_id(alice.id) is None
        assert await gateways.users.lock_with_actor(alice.id, ALICE) == (None, None)
        assert await gateways.users.lock_with_actor(alice.id, bobby.username) == (None, bobby)


async def test_two_are_erased_and_their_names_may_be_added_again(gateways: Gateways) -> None:
    for _ in range(2):
        for name in ("alice", "bobby"):
            await erase(gateways, await gateways.add_user(name))

    assert await gateways.find("alice") is None


async def test_what_is_kept_is_not_free_and_nothing_else(gateways: Gateways) -> None:
    names: ErasedNames = await gateways.get(ErasedNames)
    async with gateways.transaction:
        await names.keep(ALICE)
        await names.ensure_free(Username("bobby"))

    with pytest.raises(UsernameTakenError):
        async with gateways.transaction:
            await names.ensure_free(Username("ALICE"))


async def test_a_name_may_be_kept_again(gateways: Gateways) -> None:
    names: ErasedNames = await gateways.get(ErasedNames)
    for _ in range(2):
        async with gateways.transaction:
            await names.keep(ALICE)

    with pytest.raises(UsernameTakenError):
        async with gateways.transaction:
            await names.ensure_free(ALICE)


@pytest.mark.slow
async def test_of_many_names_the_kept_ones_are_found_at_once(gateways: Gateways) -> None:
    names: ErasedNames = await gateways.get(ErasedNames)
    many = [Username(f"user{number}") for number in range(70_000)]
    async with gateways.transaction:
        for number in (7, 69_999):
            await names.keep(Username(f"user{number}"))

        assert await names.find_kept(many) == {many[7], many[69_999]}
        assert await names.find_kept(many[8:]) == {many[69_999]}
        assert await names.find_kept(many[:7]) == await names.find_kept([]) == set()


async def test_a_name_that_was_not_kept_in_the_end_is_free(gateways: Gateways) -> None:
    names: ErasedNames = await gateways.get(ErasedNames)

    async def keep_and_fail() -> None:
        async with gateways.transaction:
            await names.keep(ALICE)
            raise KeyError

    with pytest.raises(KeyError):
        await keep_and_fail()

    async with gateways.transaction:
        await names.ensure_free(ALICE)


async def test_in_the_trail_the_pseudonym_takes_the_place_of_that_name_alone(gateways: Gateways) -> None:
    trail: ErasableTrail = await gateways.get(ErasableTrail)
    async with gateways.transaction:
        for actor, target in (("alice", "alice"), ("alice", "bobby"), ("bobby", "alice"), ("bobby", "bobby")):
            await gateways.audit.record("log_in", actor=actor, target=target)
            gateways.clock.advance(timedelta(seconds=1))
        await gateways.audit.record("erase_user", actor="chief", target="~pseudonym")
        await trail.erase("alice", "~pseudonym")

    assert await gateways.recorded() == [
        FakeEvent("log_in", "~pseudonym", "~pseudonym"),
        FakeEvent("log_in", "~pseudonym", "bobby"),
        FakeEvent("log_in", "bobby", "~pseudonym"),
        FakeEvent("log_in", "bobby", "bobby"),
        FakeEvent("erase_user", "chief", "~pseudonym"),
    ]


KEYS = {
    "password:alice:192.0.2.1": ("password", "alice", "192.0.2.1"),
    "password:alice:2001:db8:1:2::": ("password", "alice", "2001:db8:1:2::"),
    "password:alice-2:192.0.2.1": ("password", "alice-2", "192.0.2.1"),
    "password:None:192.0.2.1": ("password", "None", "192.0.2.1"),
    "password:192.0.2.1": ("password", None, "192.0.2.1"),
    "password:2001:db8:1:2::": ("password", None, "2001:db8:1:2::"),
    "sign-up:192.0.2.1": ("sign-up", None, "192.0.2.1"),
    "sign-up:2001:db8:1:2::": ("sign-up", None, "2001:db8:1:2::"),
    "password:unknown": ("password", None, "unknown"),
}


@pytest.mark.parametrize(
    ("username", "address"),
    [("alice", None), (None, "192.0.2.1"), (None, "2001:db8:1:2::"), ("alice", "192.0.2.1"), (None, "db8:1:2::")],
)
async def test_counts_are_forgotten_by_name_or_address(
    gateways: Gateways, username: str | None, address: str | None
) -> None:
    throttle: Throttle = await gateways.get(Throttle)
    attempts: CountedAttempts = await gateways.get(CountedAttempts)
    for key in KEYS:
        await throttle.count(Attempt(key, 5))
    name = Username(username) if username else None
    expected = {
        parts for parts in KEYS.values() if (name and parts[1] == name.value) or (address and parts[2] == address)
    }

    async with gateways.transaction:
        forgotten = await attempts.forget(username=name, address=address)
        again = await attempts.forget(username=name, address=address)

    assert {(found.kind, found.username, found.address) for found in forgotten} == expected
    assert forgotten == [
        ForgottenAttempts(found.kind, found.username, found.address, 1, gateways.clock.now()) for found in forgotten
    ]
    assert again == []
