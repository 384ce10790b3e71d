import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future

import bcrypt
import pytest

from app.domain.errors import UnavailableError
from app.infrastructure import passwords
from app.infrastructure.passwords import BcryptPasswordHasher, _Limiter

PASSWORD = "correct horse battery staple"
PATIENCE = 60
"""Seconds after which a broken limiter fails a test instead of hanging it."""


@pytest.fixture(scope="module")
def hasher() -> Iterator[BcryptPasswordHasher]:
    with BcryptPasswordHasher("a pepper", work_factor=4) as hasher:
        yield hasher


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Work that waits for it goes on until it is set, at the test's end at the latest."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def limiter(gate: threading.Event) -> Iterator[_Limiter]:
    limiter = _Limiter(1)
    yield limiter
    gate.set()
    limiter.close()


@pytest.mark.parametrize("password", [PASSWORD, "", "x" * 128, "\0", "\U0001f511" * 15])
async def test_a_password_verifies_against_its_own_hash(hasher: BcryptPasswordHasher, password: str) -> None:
    assert await hasher.verify(password, await hasher.hash(password))


@pytest.mark.parametrize(
    ("password", "other"),
    [
        (PASSWORD, PASSWORD.upper()),
        (PASSWORD, f"{PASSWORD} "),
        ("x" * 72 + "a", "x" * 72 + "b"),
        ("x" * 72, "x" * 73),
        ("before\0after", "before\0later"),
        ("before", "before\0"),
        ("", "\0"),
        ("ﬁ", "fi"),
    ],
)
async def test_another_password_does_not_verify(hasher: BcryptPasswordHasher, password: str, other: str) -> None:
    assert not await hasher.verify(other, await hasher.hash(password))


async def test_the_ways_to_type_one_text_are_one_password(hasher: BcryptPasswordHasher) -> None:
    assert await hasher.verify("caf\u00e9", await hasher.hash("cafe\u0301"))


async def test_a_hash_names_its_scheme_and_cost_and_tells_nothing(hasher: BcryptPasswordHasher) -> None:
    first, second = await hasher.hash(PASSWORD), await hasher.hash(PASSWORD)

    scheme, _, hashed = first.split("$", 2)
    assert scheme == "v1"
    assert hashed.startswith("$2b$04$")
    assert first != second
    assert "a pepper" not in first


async def test_a_hash_made_with_another_pepper_is_not_judged(hasher: BcryptPasswordHasher) -> None:
    with BcryptPasswordHasher("another pepper", work_factor=4) as other:
        foreign = await other.hash(PASSWORD)

    with pytest.raises(ValueError, match="another scheme or pepper"):
        await hasher.verify(PASSWORD, foreign)


async def test_the_pepper_goes_into_the_hash(hasher: BcryptPasswordHasher) -> None:
    with BcryptPasswordHasher("another pepper", work_factor=4) as other:
        foreign = await other.hash(PASSWORD)
    own_prefix = (await hasher.hash(PASSWORD)).split("$", 2)[:2]
    relabelled = "$".join([*own_prefix, foreign.split("$", 2)[2]])

    assert not await hasher.verify(PASSWORD, relabelled)


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_missing_user_costs_one_computation_like_any_other(
    hasher: BcryptPasswordHasher, monkeypatch: pytest.MonkeyPatch, *, is_known: bool
) -> None:
    password_hash = await hasher.hash(PASSWORD) if is_known else None
    costs: list[bytes] = []
    check, compute = bcrypt.checkpw, bcrypt.hashpw

    def counted_check(password: bytes, hashed: bytes) -> bool:
        costs.append(hashed[:7])
        return check(password, hashed)

    def counted_hash(password: bytes, salt: bytes) -> bytes:
        costs.append(salt[:7])
        return compute(password, salt)

    monkeypatch.setattr(bcrypt, "checkpw", counted_check)
    monkeypatch.setattr(bcrypt, "hashpw", counted_hash)

    assert await hasher.verify(PASSWORD, password_hash) is is_known
    assert costs == [b"$2b$04$"]


async def test_hashing_leaves_the_event_loop_alone(
    hasher: BcryptPasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    compute = bcrypt.hashpw

    def watched(password: bytes, salt: bytes) -> bytes:
        threads.append(threading.get_ident())
        return compute(password, salt)

    monkeypatch.setattr(bcrypt, "hashpw", watched)
    await hasher.hash(PASSWORD)

    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_as_many_hash_at_once_as_there_are_threads() -> None:
    limiter, together = _Limiter(2), threading.Barrier(2)

    places = await asyncio.gather(*(limiter.run(lambda: together.wait(PATIENCE)) for _ in range(2)))

    limiter.close()
    assert sorted(places) == [0, 1]


async def test_an_error_in_the_work_comes_back_and_gives_the_permit_back(limiter: _Limiter) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await limiter.run(lambda: 1 // 0)


async def test_a_permit_comes_back_when_the_thread_ends_not_when_the_caller_is_cancelled(
    limiter: _Limiter, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: Future[None] = Future()

    def work() -> None:
        started.set_result(None)
        gate.wait(PATIENCE)

    caller = asyncio.create_task(limiter.run(work))
    await asyncio.wrap_future(started)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller

    monkeypatch.setattr(passwords, "_MAX_WAIT_SECONDS", 0)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(UnavailableError):
            await limiter.run(lambda: None)

    monkeypatch.setattr(passwords, "_MAX_WAIT_SECONDS", PATIENCE)
    gate.set()
    assert await limiter.run(lambda: "done") == "done"


async def test_one_who_is_cancelled_while_waiting_takes_neither_permit_nor_place(
    limiter: _Limiter, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_MAX_QUEUE", 1)
    monkeypatch.setattr(passwords, "_MAX_WAIT_SECONDS", PATIENCE)
    running = asyncio.create_task(limiter.run(lambda: gate.wait(PATIENCE)))
    waiting = asyncio.create_task(limiter.run(lambda: pytest.fail("ran")))
    with pytest.raises(UnavailableError):
        await asyncio.create_task(limiter.run(lambda: pytest.fail("ran")))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    gate.set()
    assert await running
    assert await limiter.run(lambda: "done") == "done"


async def test_when_too_many_wait_the_next_is_sent_away_at_once(
    limiter: _Limiter, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_MAX_QUEUE", 2)
    monkeypatch.setattr(passwords, "_MAX_WAIT_SECONDS", PATIENCE)
    # Tasks start in the order they are made: one runs, two wait.
    admitted = [asyncio.create_task(limiter.run(lambda: gate.wait(PATIENCE))) for _ in range(3)]
    refused = asyncio.create_task(limiter.run(lambda: True))

    with pytest.raises(UnavailableError):
        await refused

    gate.set()
    assert await asyncio.gather(*admitted) == [True, True, True]


async def test_nobody_waits_long(limiter: _Limiter, gate: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_MAX_WAIT_SECONDS", 0)
    running = asyncio.create_task(limiter.run(lambda: gate.wait(PATIENCE)))
    refused = asyncio.create_task(limiter.run(lambda: True))

    with pytest.raises(UnavailableError):
        await refused

    gate.set()
    assert await running
