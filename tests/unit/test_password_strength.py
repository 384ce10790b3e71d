import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from zxcvbn import matching

from gatehouse.accounts.infrastructure.password_strength import SHIPPED_BLOCKLIST, ZxcvbnPasswordStrength
from gatehouse.common.infrastructure.bounded_threads import BoundedThreads
from tests.fakes import PASSWORD

USERNAME = "winterbourne"
COMMON = "Is a password that everyone knows."


@pytest.fixture(scope="module")
def threads() -> Iterator[BoundedThreads]:
    threads = BoundedThreads(4)
    yield threads
    threads.close()


@pytest.fixture(scope="module")
def strength(threads: BoundedThreads) -> ZxcvbnPasswordStrength:
    return ZxcvbnPasswordStrength(SHIPPED_BLOCKLIST, threads)


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
    ],
)
async def test_what_is_easily_guessed_is_refused_with_a_reason_that_does_not_repeat_it(
    strength: ZxcvbnPasswordStrength, password: str
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
async def test_a_good_passphrase_in_any_language_passes(strength: ZxcvbnPasswordStrength, password: str) -> None:
    assert await strength.find_weakness(password, USERNAME) is None


async def test_what_is_weak_for_its_owner_is_strong_for_another(strength: ZxcvbnPasswordStrength) -> None:
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
async def test_two_passwords_at_once_are_each_judged_for_their_own_user(strength: ZxcvbnPasswordStrength) -> None:
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
async def test_what_everyone_knows_is_refused_whatever_its_case_and_blanks(
    strength: ZxcvbnPasswordStrength, password: str
) -> None:
    assert await strength.find_weakness(password, USERNAME) == COMMON


async def test_the_list_of_what_everyone_knows_can_be_replaced(tmp_path: Path, threads: BoundedThreads) -> None:
    blocklist = tmp_path / "blocklist.txt"
    blocklist.write_text("Seven Herons argue\n\n  \nCafe\u0301 Stra\u00dfe nebenan gleich links\n", encoding="utf-8")
    strength = ZxcvbnPasswordStrength(blocklist, threads)

    assert await strength.find_weakness("sevenheronsARGUE", USERNAME) == COMMON
    assert await strength.find_weakness("caf\u00e9 STRASSE nebenan gleich links", USERNAME) == COMMON
    assert await strength.find_weakness("correct horse battery staple", USERNAME) is None
    assert await strength.find_weakness("   ", USERNAME) != COMMON


async def test_an_empty_list_blocks_nothing(tmp_path: Path, threads: BoundedThreads) -> None:
    (tmp_path / "blocklist.txt").touch()
    strength = ZxcvbnPasswordStrength(tmp_path / "blocklist.txt", threads)

    assert await strength.find_weakness(PASSWORD, USERNAME) is None
    assert await strength.find_weakness("a" * 15, USERNAME) is not None


async def test_a_long_password_is_judged_by_its_beginning(strength: ZxcvbnPasswordStrength) -> None:
    assert await strength.find_weakness(f"{PASSWORD}{'a' * 93}", USERNAME) is None
    assert await strength.find_weakness(f"{'a' * 93}{PASSWORD}", USERNAME) is not None


SYMBOLS = "4@8({[<369!1|0$5+7%2"


@pytest.mark.promise("D1")
@pytest.mark.parametrize(
    "password",
    [
        "a" * 128,
        "aab" * 42,
        "x1" * 64,
        "1/1/2011" * 16,
        SYMBOLS * 6,
        SYMBOLS + "1|7" * 36,
        "".join(chr(33 + number * 37 % 94) for number in range(128)),
    ],
)
async def test_even_the_longest_password_is_judged_quickly(strength: ZxcvbnPasswordStrength, password: str) -> None:
    before = time.process_time()

    await strength.find_weakness(password, USERNAME)

    assert time.process_time() - before < 1
