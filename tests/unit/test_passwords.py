import asyncio
import base64
import hashlib
import hmac
import threading
from collections.abc import Iterator

import bcrypt
import pytest

from gatehouse.accounts.infrastructure.passwords import DURATIONS, QUEUE, REFUSALS, WAITS, BcryptPasswordHasher
from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.bounded_threads import BoundedThreads
from gatehouse.testing.fakes import FakeMetrics

PASSWORD = "correct horse battery staple"
PATIENCE_SECONDS = 10
PEPPER, NEW_PEPPER = "a pepper", "a new pepper"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


class Hasher(BcryptPasswordHasher):
    """Whose work it is plays no part here."""

    async def hash(self, password: str, *, client: str = "a client") -> str:
        return await super().hash(password, client=client)

    async def verify(self, password: str, password_hash: str | None, *, client: str = "a client") -> bool:
        return await super().verify(password, password_hash, client=client)


@pytest.fixture(scope="module")
def hasher(threads: BoundedThreads) -> Hasher:
    return Hasher([PEPPER], 4, threads)


@pytest.mark.promise("P3")
@pytest.mark.parametrize(
    "password", [PASSWORD, "", "x" * 128, " " * 15, "\0", "\U0001f511" * 15, FAMILY * 20, "日本語"]
)
async def test_a_password_verifies_against_its_own_hash(hasher: Hasher, password: str) -> None:
    assert await hasher.verify(password, await hasher.hash(password))


@pytest.mark.promise("P2", "P4")
@pytest.mark.parametrize(
    ("password", "other"),
    [
        (PASSWORD, PASSWORD.upper()),
        (PASSWORD, f"{PASSWORD} "),
        (PASSWORD, f" {PASSWORD}"),
        ("x" * 72 + "a", "x" * 72 + "b"),
        ("x" * 72, "x" * 73),
        ("x" * 127 + "a", "x" * 127 + "b"),
        ("\U0001f511" * 127 + "a", "\U0001f511" * 127 + "b"),
        ("before\0after", "before\0later"),
        ("before", "before\0"),
        ("", "\0"),
        ("ﬁ", "fi"),
        ("Stra\u00dfe", "Strasse"),
    ],
)
async def test_another_password_does_not_verify(hasher: Hasher, password: str, other: str) -> None:
    assert not await hasher.verify(other, await hasher.hash(password))


@pytest.mark.promise("P4")
async def test_the_ways_to_type_one_text_are_one_password(hasher: Hasher) -> None:
    assert await hasher.verify("caf\u00e9", await hasher.hash("cafe\u0301"))


def with_a_digest_that_begins_with_nul() -> Iterator[str]:
    for number in range(100_000):
        password = f"{PASSWORD} {number}"
        if hmac.digest(PEPPER.encode(), password.encode(), hashlib.sha384)[0] == 0:
            yield password


@pytest.mark.promise("P6")
async def test_passwords_whose_digest_begins_with_a_nul_still_differ(hasher: Hasher) -> None:
    passwords = with_a_digest_that_begins_with_nul()
    password, other_password = next(passwords), next(passwords)

    password_hash = await hasher.hash(password)

    assert await hasher.verify(password, password_hash)
    assert not await hasher.verify(other_password, password_hash)


@pytest.mark.promise("P2", "P6")
async def test_bcrypt_is_given_64_bytes_of_base64(hasher: Hasher) -> None:
    _, _, bcrypt_hash = (await hasher.hash("x" * 128)).split("$", 2)
    digest = base64.b64encode(hmac.digest(PEPPER.encode(), b"x" * 128, hashlib.sha384))

    assert len(digest) == 64
    assert bcrypt.checkpw(digest, bcrypt_hash.encode())


async def test_a_hash_names_its_scheme_and_cost_and_tells_nothing(hasher: Hasher) -> None:
    first, second = await hasher.hash(PASSWORD), await hasher.hash(PASSWORD)

    scheme, pepper_id, bcrypt_hash = first.split("$", 2)
    assert scheme == "v1"
    assert bcrypt_hash.startswith("$2b$04$")
    assert first != second
    assert PEPPER not in first
    assert pepper_id not in hashlib.sha256(PEPPER.encode()).hexdigest()


@pytest.mark.promise("P7")
async def test_with_a_new_pepper_old_hashes_verify_and_are_outdated(hasher: Hasher, threads: BoundedThreads) -> None:
    old = await hasher.hash(PASSWORD)
    new_hasher = Hasher([NEW_PEPPER, PEPPER], 4, threads)
    new = await new_hasher.hash(PASSWORD)

    assert await new_hasher.verify(PASSWORD, old)
    assert not await new_hasher.verify("another password", old)
    assert await new_hasher.verify(PASSWORD, new)
    assert new_hasher.is_outdated(old)
    assert not new_hasher.is_outdated(new)
    assert await Hasher([NEW_PEPPER], 4, threads).verify(PASSWORD, new)


@pytest.mark.promise("P7")
async def test_when_a_pepper_is_removed_its_hashes_verify_nothing(hasher: Hasher, threads: BoundedThreads) -> None:
    old = await hasher.hash(PASSWORD)

    assert not await Hasher([NEW_PEPPER], 4, threads).verify(PASSWORD, old)


@pytest.mark.promise("P7")
async def test_the_pepper_goes_into_the_hash(hasher: Hasher, threads: BoundedThreads) -> None:
    foreign = await Hasher([NEW_PEPPER], 4, threads).hash(PASSWORD)
    own_prefix = (await hasher.hash(PASSWORD)).split("$", 2)[:2]
    forged_hash = "$".join([*own_prefix, foreign.split("$", 2)[2]])

    assert not await hasher.verify(PASSWORD, forged_hash)


async def test_a_hash_of_another_scheme_verifies_nothing(hasher: Hasher) -> None:
    password_hash = await hasher.hash(PASSWORD)

    assert not await hasher.verify(PASSWORD, password_hash.replace("v1", "v0", 1))


@pytest.mark.promise("P9")
async def test_a_hash_is_outdated_when_scheme_pepper_or_work_factor_changed(
    hasher: Hasher, threads: BoundedThreads
) -> None:
    password_hash = await hasher.hash(PASSWORD)

    assert not hasher.is_outdated(password_hash)
    assert hasher.is_outdated(password_hash.replace("v1", "v0", 1))
    assert Hasher([NEW_PEPPER, PEPPER], 4, threads).is_outdated(password_hash)
    for work_factor in (5, 14):
        assert Hasher([PEPPER], work_factor, threads).is_outdated(password_hash)


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, int]]:
    """The cost of every computation of bcrypt, and the thread that did it."""
    costs: list[tuple[bytes, int]] = []
    check, compute = bcrypt.checkpw, bcrypt.hashpw

    def count_check(password: bytes, hashed: bytes) -> bool:
        costs.append((hashed[:7], threading.get_ident()))
        return check(password, hashed)

    def count_hash(password: bytes, salt: bytes) -> bytes:
        costs.append((salt[:7], threading.get_ident()))
        return compute(password, salt)

    monkeypatch.setattr(bcrypt, "checkpw", count_check)
    monkeypatch.setattr(bcrypt, "hashpw", count_hash)
    return costs


@pytest.mark.promise("L2")
@pytest.mark.parametrize("work_factor", [4, 6])
@pytest.mark.parametrize("is_known", [True, False])
async def test_a_missing_user_costs_one_computation_at_the_present_cost_like_any_other(
    threads: BoundedThreads, costs: list[tuple[bytes, int]], *, is_known: bool, work_factor: int
) -> None:
    hasher = Hasher([PEPPER], work_factor, threads)
    password_hash = await hasher.hash(PASSWORD) if is_known else None
    costs.clear()

    assert await hasher.verify(PASSWORD, password_hash) is is_known

    assert [cost for cost, _ in costs] == [b"$2b$%02d$" % work_factor]


@pytest.mark.promise("L9")
@pytest.mark.parametrize("earlier", [4, 5, 7])
async def test_a_wrong_password_takes_the_present_cost_also_where_the_hash_has_an_earlier_factor_or_pepper(
    threads: BoundedThreads, costs: list[tuple[bytes, int]], earlier: int
) -> None:
    password_hash = await Hasher([PEPPER], earlier, threads).hash(PASSWORD)
    hasher = Hasher([NEW_PEPPER, PEPPER], 7, threads)
    costs.clear()

    assert not await hasher.verify("another password", password_hash)

    assert rounds(costs) == 2**7


@pytest.mark.promise("L9")
@pytest.mark.parametrize("scheme", ["v1", "v0"])
async def test_a_hash_that_nothing_verifies_takes_the_present_cost(
    hasher: Hasher, threads: BoundedThreads, costs: list[tuple[bytes, int]], scheme: str
) -> None:
    password_hash = (await hasher.hash(PASSWORD)).replace("v1", scheme, 1)
    later_hasher = Hasher([NEW_PEPPER], 7, threads)
    costs.clear()

    assert not await later_hasher.verify(PASSWORD, password_hash)

    assert rounds(costs) == 2**7


@pytest.mark.promise("L1", "L9")
@pytest.mark.parametrize(
    "stored",
    ["x", "v1$abc", "v1$0000000000000000$none", "v1$ID$", "v1$ID$$2b$12$short", "v1$ID$$2b$99$TAIL", "v1$ID$HASH."],
)
async def test_a_stored_hash_that_is_none_verifies_nothing_and_takes_the_present_cost(
    hasher: Hasher, costs: list[tuple[bytes, int]], stored: str
) -> None:
    _, pepper_id, bcrypt_hash = (await hasher.hash(PASSWORD)).split("$", 2)
    stored = stored.replace("ID", pepper_id).replace("HASH", bcrypt_hash).replace("TAIL", bcrypt_hash[7:])
    costs.clear()

    assert not await hasher.verify(PASSWORD, stored)

    assert rounds(costs) == 2**4


def rounds(costs: list[tuple[bytes, int]]) -> int:
    """What bcrypt took in all: two to the power of each work factor."""
    return sum(2 ** int(cost[4:6]) for cost, _ in costs)


@pytest.mark.promise("D1")
async def test_hashing_and_verifying_leave_the_event_loop_alone(hasher: Hasher, costs: list[tuple[bytes, int]]) -> None:
    await hasher.verify(PASSWORD, await hasher.hash(PASSWORD))

    assert len(costs) == 2
    assert threading.get_ident() not in {thread for _, thread in costs}


async def test_waiting_hashing_and_refusals_are_measured() -> None:
    threads, metrics, busy = BoundedThreads(1, queue=1, per_client=1), FakeMetrics(), threading.Event()
    hasher = BcryptPasswordHasher([PEPPER], 4, threads, metrics)
    working = asyncio.create_task(threads.run(lambda: busy.wait(PATIENCE_SECONDS), "a client"))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(hasher.hash(PASSWORD, client="a client"))
    await asyncio.sleep(0)

    assert metrics.watched(QUEUE) == 1
    with pytest.raises(UnavailableError):
        await hasher.verify(PASSWORD, None, client="a client")
    busy.set()
    await waiting
    await working

    assert metrics.watched(QUEUE) == 0
    assert metrics.counted(REFUSALS) == 1
    assert len(metrics.observed(WAITS)) == len(metrics.observed(DURATIONS)) == 1
    assert 0 < metrics.observed(WAITS)[0] < 60
    threads.close()
