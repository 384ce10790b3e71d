import re
from string import ascii_letters, digits

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.accounts.domain.username import MAX_LENGTH, MIN_LENGTH, Username
from gatehouse.common.domain.errors import InvalidError

ALPHABET = ascii_letters + digits + "._-"
near_misses = st.one_of(
    st.text(ALPHABET, min_size=4, max_size=21), st.text(ALPHABET + "éK \u0131\n", max_size=21), st.text()
)
letters = st.sampled_from(ascii_letters + digits)
pairs = st.tuples(st.sampled_from(["", ".", "_", "-"]), letters).map("".join)
valid = st.builds(
    lambda first, between, last: f"{first}{''.join(between)}{last}",
    letters,
    st.lists(pairs, min_size=MIN_LENGTH - 1, max_size=(MAX_LENGTH - 2) // 2),
    letters | st.just(""),
)
in_any_time = settings(deadline=None)


@in_any_time
@given(near_misses)
def test_what_is_accepted_obeys_the_rule(text: str) -> None:
    name = Username.parse(text)
    if name is None:
        with pytest.raises(InvalidError):
            Username(text)
        return
    value = name.value
    assert value.isascii()
    assert MIN_LENGTH <= len(value) == len(text) <= MAX_LENGTH
    assert set(value) <= set(ALPHABET.lower())
    assert value[0].isalnum()
    assert value[-1].isalnum()
    assert not re.search(r"[._-]{2}", value)


@in_any_time
@given(valid)
def test_what_obeys_the_rule_is_accepted_in_lower_case(text: str) -> None:
    assert Username(text).value == text.lower()


@in_any_time
@given(valid)
def test_reading_a_username_again_changes_nothing(text: str) -> None:
    assert Username(Username(text).value) == Username(text)


@pytest.mark.promise("L6")
@in_any_time
@given(valid)
def test_case_does_not_count(text: str) -> None:
    assert len({Username(text), Username(text.upper()), Username(text.lower()), Username(text.swapcase())}) == 1


@pytest.mark.parametrize("text", ["alice", "a" * 20, "a.b_c-d", "12345", "Al.Ice"])
def test_a_good_username_is_shown_as_it_is_stored(text: str) -> None:
    assert str(Username(text)) == text.lower()


@pytest.mark.promise("L6", "I3")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "four",
        "a" * 21,
        ".alice",
        "alice-",
        "al..ice",
        "al._ice",
        "al ice",
        "alice\n",
        "alice\0",
        "alicé",
        "\u0430lice",  # a Cyrillic a
        "\u212aelvin",  # the Kelvin sign, which is an ASCII k in lower case
        "\uff41lice",
        "\u0661\u0662\u0663\u0664\u0665",
        "alice@home",
    ],
)
def test_a_bad_username_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(InvalidError) as refusal:
        Username(text)

    assert refusal.value.field == "username"
    assert not text or text not in f"{refusal.value.message}{refusal.value}"
    assert Username.parse(text) is None
