import pytest

from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.accounts.application.commands.unthrottle import Unthrottle
from gatehouse.accounts.application.ports import ForgottenAttempts
from gatehouse.accounts.domain.errors import InvalidCredentialsError
from gatehouse.common.domain.audit import Subject
from gatehouse.common.domain.errors import InvalidError, ThrottledError
from gatehouse.testing.fakes import CONTEXT, LIMITS, PASSWORD, FakeEvent
from gatehouse.testing.in_memory_app import InMemoryApp

ALICE_HERE, ALICE_THERE = "password:alice:192.0.2.1", "password:alice:2001:db8:1:2::"
BOBBY_HERE, HERE, SIGN_UPS_HERE = "password:bobby:192.0.2.1", "password:192.0.2.1", "sign-up:192.0.2.1"
NO_NAME_HERE, THERE = "password:None:192.0.2.1", "password:2001:db8:1:2::"
ALL = frozenset({ALICE_HERE, ALICE_THERE, BOBBY_HERE, HERE, SIGN_UPS_HERE, NO_NAME_HERE, THERE})
OF_ALICE, OF_HERE = {ALICE_HERE, ALICE_THERE}, {ALICE_HERE, BOBBY_HERE, HERE, SIGN_UPS_HERE, NO_NAME_HERE}
OF_THERE = {ALICE_THERE, THERE}


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


@pytest.mark.parametrize(
    ("who", "forgotten"),
    [
        ("Alice", OF_ALICE),
        ("192.0.2.1", OF_HERE),
        ("::ffff:192.0.2.1", OF_HERE),
        ("2001:db8:1:2::77", OF_THERE),
        ("2001:0DB8:1:2::", OF_THERE),
        ("nobody", set()),
        ("192.0.2.2", set()),
        ("2001:db8:1:3::77", set()),
    ],
)
async def test_what_was_counted_for_a_user_or_from_an_address_is_forgotten_and_nothing_else(
    app: InMemoryApp, who: str, forgotten: set[str]
) -> None:
    app.throttle.counts = dict.fromkeys(ALL, 3)

    told = await app.use(Unthrottle)(who)

    assert set(app.throttle.counts) == ALL - forgotten
    assert len(told) == len(forgotten)
    assert len(app.store.events) == bool(forgotten)


async def test_what_was_counted_is_told(app: InMemoryApp) -> None:
    app.throttle.counts = {ALICE_THERE: 7, SIGN_UPS_HERE: 1}

    told = [*await app.use(Unthrottle)("alice"), *await app.use(Unthrottle)("192.0.2.1")]

    now = app.clock.now()
    assert told == [
        ForgottenAttempts("password", "alice", "2001:db8:1:2::", 7, now),
        ForgottenAttempts("sign-up", None, "192.0.2.1", 1, now),
    ]


async def test_the_trail_says_whom_or_which_address(app: InMemoryApp) -> None:
    app.throttle.counts = dict.fromkeys(ALL, 3)

    await app.use(Unthrottle)("alice")
    await app.use(Unthrottle)("2001:db8:1:2::77")

    address = "2001:db8:1:2::"
    assert app.store.events == [
        FakeEvent("unthrottle", None, "alice"),
        FakeEvent("unthrottle", None, None, subject=Subject("address", address, address)),
    ]


async def test_a_name_that_reads_as_an_address_means_both(app: InMemoryApp) -> None:
    app.throttle.counts = {"password:10.0.0.1:192.0.2.1": 1, "password:alice:10.0.0.1": 1, HERE: 1}

    await app.use(Unthrottle)("10.0.0.1")

    assert app.throttle.counts == {HERE: 1}


async def test_who_was_throttled_logs_in_at_once(app: InMemoryApp) -> None:
    app.add_user("alice")
    for _ in range(LIMITS.per_account):
        with pytest.raises(InvalidCredentialsError):
            await app.use(LogIn)("alice", "wrong password")
    with pytest.raises(ThrottledError):
        await app.use(LogIn)("alice", PASSWORD)

    await app.use(Unthrottle)(str(CONTEXT.ip))

    await app.use(LogIn)("alice", PASSWORD)


async def test_what_is_neither_name_nor_address_is_refused(app: InMemoryApp) -> None:
    with pytest.raises(InvalidError):
        await app.use(Unthrottle)("no")
