import hashlib
from collections.abc import Iterable
from pathlib import Path

import pytest

from gatehouse.accounts.infrastructure.breached_passwords import BreachedFileError, BreachedPasswords

STOLEN = [f"stolen password {number}" for number in range(300)]


def hash_of(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def lines_of(passwords: Iterable[str], count: str = ":12") -> list[str]:
    return [f"{sha1}{count}" for sha1 in sorted(map(hash_of, passwords))]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "breached.txt"


@pytest.mark.promise("P14")
@pytest.mark.parametrize(
    "stolen", [STOLEN, STOLEN[:1], STOLEN[:2], STOLEN[:2] * 2], ids=["many", "one", "two", "two twice"]
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("end", ["", None], ids=["open-end", "closed-end"])
@pytest.mark.parametrize("count", ["", ":1", ":12345678901234567890"])
def test_what_the_file_holds_is_found_and_nothing_else(
    file: Path, stolen: list[str], newline: str, end: str | None, count: str
) -> None:
    file.write_text(newline.join(lines_of(stolen, count)) + (newline if end is None else end), newline="")

    with BreachedPasswords(file) as breached:
        assert all(breached.hold(password) for password in stolen)
        assert not any(breached.hold(f"another {password}") for password in STOLEN)


@pytest.mark.promise("P14")
def test_lines_of_different_lengths_are_all_found(file: Path) -> None:
    hashes = sorted(map(hash_of, STOLEN))
    file.write_text("\n".join(f"{sha1}:{10 ** (index % 20)}" for index, sha1 in enumerate(hashes)))

    with BreachedPasswords(file) as breached:
        assert all(map(breached.hold, STOLEN))


@pytest.mark.promise("P14")
def test_a_file_that_is_not_there_is_refused(file: Path) -> None:
    with pytest.raises(BreachedFileError, match="cannot be read"):
        BreachedPasswords(file)


@pytest.mark.promise("P14")
@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (lines_of(STOLEN)[::-1], "sorted"),
        ([*lines_of(STOLEN)[1:], lines_of(STOLEN)[0]], "sorted"),
        ([lines_of(STOLEN)[-1], *lines_of(STOLEN)[:-1]], "sorted"),
        ([], "hexadecimal"),
        (["violet kettle", "under thirteen maples"], "hexadecimal"),
        ([line.lower() for line in lines_of(STOLEN)], "hexadecimal"),
        ([line[:32] for line in lines_of(STOLEN, "")], "hexadecimal"),
        (["0" * 64], "hexadecimal"),
        ([*lines_of(STOLEN), "", ""], "hexadecimal"),
        (["\0" * 4096], "hexadecimal"),
    ],
)
def test_a_file_of_something_else_is_refused(file: Path, lines: list[str], reason: str) -> None:
    file.write_text("\n".join(lines))

    with pytest.raises(BreachedFileError, match=reason):
        BreachedPasswords(file)
