"""application/passwords.py: every attempt with a password is counted, every new password is checked."""

from dataclasses import replace

import pytest

from gatehouse.accounts.application.passwords import Passwords
from gatehouse.accounts.application.ports import PasswordStrength
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.domain.audit import Outcome, Subject
from gatehouse.common.domain.errors import InvalidError, ThrottledError, UnavailableError
from gatehouse.common.domain.request_context import RequestContext
from gatehouse.testing.accounts.fakes import FakePasswordStrength
from gatehouse.testing.fakes import LIMITS, PASSWORD, FakeEvent
from gatehouse.testing.in_memory_app import InMemoryApp

ALICE = Username("alice")
ACCOUNT, ADDRESS = "password:alice:192.0.2.1", "password:192.0.2.1"
FEW = replace(LIMITS, per_account=3, per_address=5, sign_ups=2)


def passwords(app: InMemoryApp, ip: str | None = "192.0.2.1") -> Passwords:
    return replace(app.use(Passwords), limits=FEW, context=RequestContext(ip=ip))


async def guess(passwords: Passwords, user: User | None, password: str = "wrong", name: Username = ALICE) -> bool:
    return await passwords.verify("log_in", user.username if user else name, user, password)


def throttled(action: str, address: str = "192.0.2.1") -> FakeEvent:
    return FakeEvent(action, None, None, Outcome.THROTTLED, Subject("attempts", address, "1 attempt"))


@pytest.mark.promise("L3")
async def test_an_attempt_is_counted_before_it_is_hashed() -> None:
    app = InMemoryApp()
    counts_seen: list[dict[str, int]] = []
    app.hasher.meanwhile = lambda: counts_seen.append(dict(app.throttle.counts))

    await guess(passwords(app), app.add_user("alice"), PASSWORD)

    assert counts_seen == [{ACCOUNT: 1, ADDRESS: 1}]


async def test_a_wrong_password_counts_against_the_account_and_the_address() -> None:
    app = InMemoryApp()
    alice, other = app.add_user("alice"), app.add_user("other")

    for user in (alice, alice, other):
        assert not await guess(passwords(app), user)

    assert app.throttle.counts == {ACCOUNT: 2, "password:other:192.0.2.1": 1, ADDRESS: 3}


@pytest.mark.promise("L4")
async def test_the_right_password_clears_the_account_and_gives_back_its_own_attempt_at_the_address() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    for _ in range(2):
        await guess(passwords(app), alice)

    assert await guess(passwords(app), alice, PASSWORD)

    assert app.throttle.counts == {ADDRESS: 2}


@pytest.mark.promise("L3", "G4")
async def test_when_an_account_has_to_wait_nothing_is_hashed_not_even_the_right_password() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    for _ in range(FEW.per_account):
        await guess(passwords(app), alice)

    with pytest.raises(ThrottledError):
        await guess(passwords(app), alice, PASSWORD)

    assert len(app.hasher.verified) == FEW.per_account
    assert app.throttle.counts == {ACCOUNT: 3, ADDRESS: 3}
    assert app.failed_attempts.events[FEW.per_account :] == [throttled("log_in")]


async def test_guesses_at_many_accounts_make_the_address_wait() -> None:
    app = InMemoryApp()
    for number in range(FEW.per_address):
        await guess(passwords(app), None, name=Username(f"user{number}"))

    with pytest.raises(ThrottledError):
        await guess(passwords(app), app.add_user("alice"), PASSWORD)

    assert len(app.hasher.verified) == FEW.per_address


@pytest.mark.promise("L4")
async def test_guesses_from_one_address_keep_nobody_out_at_another() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    for _ in range(FEW.per_account):
        await guess(passwords(app, "198.51.100.7"), alice)

    assert await guess(passwords(app), alice, PASSWORD)

    assert app.throttle.counts["password:alice:198.51.100.7"] == FEW.per_account


@pytest.mark.promise("D1")
async def test_an_attempt_that_could_not_be_hashed_is_given_back() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")

    def too_busy() -> None:
        raise UnavailableError

    app.hasher.meanwhile = too_busy

    with pytest.raises(UnavailableError):
        await guess(passwords(app), alice)

    assert set(app.throttle.counts.values()) == {0}
    assert app.failed_attempts.events == []


@pytest.mark.promise("G1")
@pytest.mark.parametrize("action", ["log_in", "change_password"])
@pytest.mark.parametrize(("name", "target"), [(ALICE, "alice"), (None, None)])
async def test_a_failure_is_recorded_with_the_name_that_was_tried(
    action: str, name: Username | None, target: str | None
) -> None:
    app = InMemoryApp()

    assert not await passwords(app).verify(action, name, None, PASSWORD)
    assert not await passwords(app).verify(action, name, None, PASSWORD, actor="oscar")

    assert app.failed_attempts.events == [
        FakeEvent(action, None, target, Outcome.FAILED),
        FakeEvent(action, "oscar", target, Outcome.FAILED),
    ]


async def test_a_success_is_no_failure() -> None:
    app = InMemoryApp()

    await guess(passwords(app), app.add_user("alice"), PASSWORD)

    assert app.failed_attempts.events == []


@pytest.mark.promise("L2")
@pytest.mark.parametrize("is_active", [True, False, None])
async def test_whoever_it_is_one_password_is_verified_but_against_the_hash_of_an_active_user_only(
    *, is_active: bool | None
) -> None:
    app = InMemoryApp()
    user = None if is_active is None else app.add_user("alice", is_active=is_active)

    assert await guess(passwords(app), user, PASSWORD) is (is_active is True)

    assert app.hasher.verified == [f"hash of {PASSWORD}" if is_active else None]


@pytest.mark.parametrize(
    ("ip", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::"),
        ("2001:DB8:1:2::", "2001:db8:1:2::"),
        ("2001:db8:1:3::6", "2001:db8:1:3::"),
        ("fe80::1%eth0", "fe80::"),
        ("::1", "::"),
        (None, "unknown"),
        ("", "unknown"),
        ("testclient", "unknown"),
    ],
)
async def test_an_address_is_an_ipv4_address_or_a_64_bit_network(ip: str | None, address: str) -> None:
    app = InMemoryApp()

    await guess(passwords(app, ip), None)

    assert set(app.throttle.counts) == {f"password:alice:{address}", f"password:{address}"}


@pytest.mark.promise("L8", "G4")
async def test_sign_ups_are_counted_per_address_and_apart_from_passwords() -> None:
    app = InMemoryApp()
    for _ in range(FEW.sign_ups):
        await passwords(app).count_sign_up("sign_up")

    with pytest.raises(ThrottledError):
        await passwords(app).count_sign_up("sign_up")

    assert app.failed_attempts.events == [throttled("sign_up")]
    await passwords(app, "198.51.100.7").count_sign_up("sign_up")
    assert app.throttle.counts == {"sign-up:192.0.2.1": 2, "sign-up:198.51.100.7": 1}


async def test_a_good_password_is_hashed() -> None:
    assert await passwords(InMemoryApp()).choose(ALICE, PASSWORD) == f"hash of {PASSWORD}"


@pytest.mark.promise("P5")
async def test_a_weak_password_is_refused_with_the_reason_and_is_not_hashed() -> None:
    app = InMemoryApp()
    app.hasher.meanwhile = lambda: pytest.fail("hashed")

    with pytest.raises(InvalidError) as refusal:
        await passwords(app).choose(ALICE, "a weak password is this")

    assert (refusal.value.field, refusal.value.message) == ("password", "Is weak, alice.")


@pytest.mark.promise("P1")
async def test_a_short_password_is_refused_before_its_strength_is_asked_for() -> None:
    with pytest.raises(InvalidError) as refusal:
        await passwords(InMemoryApp()).choose(ALICE, "weak")

    assert refusal.value.message == "Must have 15 to 128 characters."


@pytest.mark.promise("L10")
async def test_whatever_is_judged_or_hashed_is_the_work_of_the_clients_address() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    alice.password_hash = f"outdated hash of {PASSWORD}"
    judged = app.get(PasswordStrength, FakePasswordStrength)

    await passwords(app, "2001:db8:1:2:3:4:5:6").choose(ALICE, PASSWORD)
    await passwords(app, "192.0.2.1").verify("log_in", ALICE, alice, PASSWORD)
    await passwords(app, "192.0.2.2").rehash(alice, PASSWORD)

    assert judged.clients == ["2001:db8:1:2::"]
    assert app.hasher.clients == ["2001:db8:1:2::", "192.0.2.1", "192.0.2.2"]


@pytest.mark.promise("P9", "L10")
async def test_where_the_hasher_is_too_busy_a_rehash_is_left_to_the_next_login() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    alice.password_hash = f"outdated hash of {PASSWORD}"

    def too_busy() -> None:
        raise UnavailableError

    app.hasher.meanwhile = too_busy

    assert await passwords(app).rehash(alice, PASSWORD) is None
