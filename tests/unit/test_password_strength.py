import asyncio
import hashlib
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from zxcvbn import matching, zxcvbn

from gatehouse.accounts.infrastructure import password_strength
from gatehouse.accounts.infrastructure.breached_passwords import BreachedPasswords
from gatehouse.accounts.infrastructure.password_strength import (
    SHIPPED_BLOCKLIST,
    SHIPPED_PHRASES,
    ZxcvbnPasswordStrength,
    read_lines,
)
from gatehouse.common.infrastructure.bounded_threads import BoundedThreads
from gatehouse.testing.fakes import PASSWORD

USERNAME = "winterbourne"
COMMON = "Is a password that everyone knows."


class Strength(ZxcvbnPasswordStrength):
    """Whose work it is plays no part here."""

    async def find_weakness(self, password: str, username: str, *, client: str = "a client") -> str | None:
        return await super().find_weakness(password, username, client=client)


@pytest.fixture(scope="module")
def threads() -> Iterator[BoundedThreads]:
    threads = BoundedThreads(4)
    yield threads
    threads.close()


@pytest.fixture(scope="module")
def strength(threads: BoundedThreads) -> Strength:
    return Strength(read_lines(SHIPPED_BLOCKLIST), read_lines(SHIPPED_PHRASES), None, threads)


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "password1234567890",
        "p4$$w0rdp4$$w0rd",
        "drowssapdrowssap",
        "iloveyouiloveyou",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        " " * 20,
        "\U0001f511" * 20,
        "abcdefghijklmnop",
        "123456789012345",
        "9876543210987654",
        "qwertyuiopasdfgh",
        "zxcvbnmasdfghjkl",
        "1qaz2wsx3edc4rfv",
        "winterbournewinterbourne",
        "winterbourne2024",
        "WINTERBOURNE!!!!",
        "W1nt3rb0urn3.1234",
        "enruobretniw12345",
        "gatehousegatehouse",
        "gatehouse gatehouse",
        "gatehouse.winterbourne",
        "Gatehouse20242025",
        "esuohetag#20242025",
        "a1b2c3d4e5f6g7h8",
        "mondaytuesdaywednesday",
    ],
)
async def test_what_is_easily_guessed_is_refused_with_a_reason_that_does_not_repeat_it(
    strength: Strength, password: str
) -> None:
    reason = await strength.find_weakness(password, USERNAME)

    assert reason is not None
    assert reason.endswith(".")
    assert password not in reason
    assert USERNAME not in reason


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "an entirely new password",
        "seven herons argue about umbrellas",
        "h\u00e4user stehen schief am Kanal",
        "\u706b\u8eca\u304c\u5c71\u3092\u8d8a\u3048\u3066\u9759\u304b\u306a\u6d77\u3078\u5411\u304b\u3046",
        "Tq7#vZ2pLw9!xR4m",
        "  two blanks before, two after  ",
        "winterbourne walks nine tired otters home",
        "v" + "".join(chr(0x4E00 + 37 * number) for number in range(127)),
    ],
)
async def test_a_good_passphrase_in_any_language_passes(strength: Strength, password: str) -> None:
    assert await strength.find_weakness(password, USERNAME) is None


async def test_what_is_weak_for_its_owner_is_strong_for_another(strength: Strength) -> None:
    password = "grzegorz.brzeczyszczykiewicz"

    assert await strength.find_weakness(password, "somebody") is None
    assert await strength.find_weakness(password, password) is not None


@pytest.fixture
def in_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Holds the estimator until two calls are in it at once, or until the second has to wait for the first."""
    barrier, match = threading.Barrier(2), matching.omnimatch

    def match_in_step(password: str, dictionaries: dict[str, dict[str, int]] = matching.RANKED_DICTIONARIES) -> object:
        with suppress(threading.BrokenBarrierError):
            barrier.wait(0.2)
        return match(password, dictionaries)

    monkeypatch.setattr(matching, "omnimatch", match_in_step)


@pytest.mark.promise("P5")
@pytest.mark.usefixtures("in_step")
async def test_two_passwords_at_once_are_each_judged_for_their_own_user(strength: Strength) -> None:
    names = ["grzegorz.brzeczyszczyk", "ferdinand.von.toblerwick"]

    reasons = await asyncio.gather(*(strength.find_weakness(name, name) for name in names))

    assert None not in reasons


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "CorrectHorseBatteryStaple",
        " correct  horse\tbattery\nstaple ",
        "CORRECT\u00a0HORSE BATTERY\u3000STAPLE",
    ],
)
async def test_what_everyone_knows_is_refused_whatever_its_case_and_blanks(strength: Strength, password: str) -> None:
    assert await strength.find_weakness(password, USERNAME) == COMMON


async def test_the_list_of_what_everyone_knows_can_be_replaced(threads: BoundedThreads) -> None:
    blocklist = ["Seven Herons argue", "", "  ", "Cafe\u0301 Stra\u00dfe nebenan gleich links"]
    strength = Strength(blocklist, [], None, threads)

    assert await strength.find_weakness("sevenheronsARGUE", USERNAME) == COMMON
    assert await strength.find_weakness("caf\u00e9 STRASSE nebenan gleich links", USERNAME) == COMMON
    assert await strength.find_weakness("correct horse battery staple", USERNAME) is None
    assert await strength.find_weakness("   ", USERNAME) != COMMON


async def test_an_empty_list_blocks_nothing(threads: BoundedThreads) -> None:
    strength = Strength([], [], None, threads)

    assert await strength.find_weakness(PASSWORD, USERNAME) is None
    assert await strength.find_weakness("a" * 15, USERNAME) is not None


@pytest.mark.promise("P13")
async def test_a_long_password_is_judged_by_its_beginning_and_its_end(strength: Strength) -> None:
    assert await strength.find_weakness(f"{PASSWORD}{'a' * 93}", USERNAME) is None
    assert await strength.find_weakness(f"{'a' * 93}{PASSWORD}", USERNAME) is None
    assert await strength.find_weakness(f"{'a' * 45}{PASSWORD}{'a' * 45}", USERNAME) is not None


@pytest.fixture
def estimated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the estimator is given."""
    estimated: list[str] = []

    def record(part: str, user_inputs: list[str]) -> object:
        estimated.append(part)
        return zxcvbn(part, user_inputs=user_inputs)

    monkeypatch.setattr(password_strength, "zxcvbn", record)
    return estimated


SYMBOLS = "4@8({[<369!1|0$5+7%2"


@pytest.mark.promise("P13")
@pytest.mark.parametrize(
    "password",
    [
        "a" * 128,
        "aab" * 42,
        "1/1/2011" * 16,
        SYMBOLS * 6,
        SYMBOLS + "1|7" * 36,
        "4@8(x[<2a9!1|7$5+wwxgre(<{[8369!",
        "b|5|a[7|an!h$[9i|l$|(6!(1||zl|15",
    ],
)
async def test_the_estimator_is_given_no_more_than_it_judges_in_good_time(
    strength: Strength, estimated: list[str], password: str
) -> None:
    """Its work grows with the length, and with the product of what each symbol may stand for."""
    await strength.find_weakness(password, USERNAME)

    assert len(estimated) <= 2
    for part in estimated:
        assert part in password
        assert len(part) <= 32
        assert len(set(part) & set(SYMBOLS)) <= 10


def test_the_symbols_that_are_counted_are_those_that_the_estimator_tries() -> None:
    tried = {symbol for symbols in matching.L33T_TABLE.values() for symbol in symbols}

    assert tried == set(SYMBOLS) == password_strength._AMBIGUOUS


@pytest.mark.promise("P13")
async def test_a_random_password_with_every_symbol_in_it_is_judged_strong(strength: Strength) -> None:
    assert await strength.find_weakness("{9x@7q(4|K%3w$8", USERNAME) is None


@pytest.mark.promise("P5", "P14")
async def test_each_rule_has_a_reason_of_its_own(tmp_path: Path, threads: BoundedThreads) -> None:
    stolen = "a password stolen from another service"
    file = tmp_path / "breached.txt"
    file.write_text(hashlib.sha1(stolen.encode(), usedforsecurity=False).hexdigest().upper())
    with BreachedPasswords(file) as breached:
        strength = Strength(read_lines(SHIPPED_BLOCKLIST), read_lines(SHIPPED_PHRASES), breached, threads)
        reasons = [
            await strength.find_weakness(password, USERNAME)
            for password in ("correct horse battery staple", stolen, "zaq12wsxcde34rfvbgt5", "welcometothejungle")
        ]

    assert reasons == [
        COMMON,
        "Is known from a breach of another service.",
        "Follows the keys of a keyboard.",
        "Is a common phrase. Add a few words that do not belong to it.",
    ]
