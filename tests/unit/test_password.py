import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.accounts.domain.password import MAX_LENGTH, PasswordPolicy, normalize
from gatehouse.common.domain.errors import InvalidError

POLICY = PasswordPolicy(15)
DECOMPOSED = "e\u0301"


def is_allowed(password: str) -> bool:
    try:
        POLICY.ensure_allows(password)
    except InvalidError as refusal:
        return refusal.field != "password"
    return True


@pytest.mark.promise("P2", "P3")
@pytest.mark.parametrize("length", [15, 64, MAX_LENGTH])
def test_any_characters_will_do_when_there_are_enough(length: int) -> None:
    assert all(is_allowed(character * length) for character in ("a", " ", "0", "\0", "ß", "\U0001f511"))


@pytest.mark.promise("P1")
@pytest.mark.parametrize("length", [0, 1, 14, MAX_LENGTH + 1, 100_000])
def test_too_short_and_too_long_are_refused(length: int) -> None:
    assert not is_allowed("a" * length)


@pytest.mark.promise("P4")
@pytest.mark.parametrize(("count", "expected"), [(14, False), (15, True), (MAX_LENGTH, True), (MAX_LENGTH + 1, False)])
def test_length_is_counted_after_composition(count: int, *, expected: bool) -> None:
    assert is_allowed(DECOMPOSED * count) is expected


@pytest.mark.parametrize("character", ["a", DECOMPOSED, "\u03b1\u0313\u0300\u0345", "\u0301\u0316"])
def test_what_is_far_too_long_is_refused_without_looking_at_its_end(character: str) -> None:
    assert not is_allowed(character * 5_000)
    assert len(normalize(character * 5_000)) <= 8 * MAX_LENGTH


@pytest.mark.promise("I2")
@pytest.mark.parametrize("surrogate", [0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_what_no_encoding_can_hold_is_refused(surrogate: int) -> None:
    assert not is_allowed(f"correct horse {chr(surrogate)} battery staple")


@pytest.mark.parametrize("neighbour", [0xD7FF, 0xE000, 0x10FFFF])
def test_the_neighbours_of_surrogates_are_text(neighbour: int) -> None:
    assert is_allowed(f"correct horse {chr(neighbour)} battery staple")


@pytest.mark.promise("I3", "P12")
def test_a_refusal_never_repeats_the_password() -> None:
    with pytest.raises(InvalidError) as refusal:
        POLICY.ensure_allows("hunter2")

    assert "hunter2" not in f"{refusal.value.message}{refusal.value}"


@pytest.mark.promise("P1")
def test_the_least_length_can_be_configured() -> None:
    PasswordPolicy(min_length=8).ensure_allows("a" * 8)

    with pytest.raises(InvalidError, match="invalid value") as refusal:
        PasswordPolicy(min_length=8).ensure_allows("a" * 7)
    assert "8" in refusal.value.message


def test_composed_and_decomposed_are_the_same_text() -> None:
    assert normalize(DECOMPOSED) == normalize("\u00e9")


@settings(deadline=None)
@given(st.text())
def test_normalizing_changes_nothing_but_the_form(password: str) -> None:
    assert normalize(normalize(password)) == normalize(password)
    assert unicodedata.normalize("NFD", normalize(password)) == unicodedata.normalize("NFD", password)


@pytest.mark.promise("P4")
@pytest.mark.parametrize("password", [" padded ", "UPPER", "\ufb01", "\uff41"])
def test_nothing_is_trimmed_folded_or_replaced_by_something_similar(password: str) -> None:
    assert normalize(password) == password
