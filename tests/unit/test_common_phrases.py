from random import Random

import pytest
from zxcvbn.matching import RANKED_DICTIONARIES

from gatehouse.accounts.infrastructure.common_phrases import CommonPhrases
from gatehouse.accounts.infrastructure.keyboard_walks import is_keyboard_walk
from gatehouse.accounts.infrastructure.password_strength import SHIPPED_PHRASES, read_lines

SHIPPED = CommonPhrases(read_lines(SHIPPED_PHRASES))


@pytest.mark.promise("P14")
@pytest.mark.parametrize(
    "password",
    [
        "welcometothejungle",
        "Welcome to the Jungle!",
        "welcome-to-the-jungle-1987",
        "W3lc0m3T0Th3Jung1e!",
        "@m@z1ng gr@c3 2024",
        "Welcome2TheJungle",
        "1we2lco3metothe4jungle",
        "elgnujehtotemoclew",
        "welcometothejunglebaby",
        "welcome to the jungle kettles",
        "1234567890ilovey0u",
        "happybirthdaytoyou",
        "good morning, thank you very much",
        "iloveyou iloveyou iloveyou",
        "Actions speak louder than words",
    ],
)
def test_phrases_make_up_a_password_however_they_are_written(password: str) -> None:
    assert SHIPPED.are_all_of(password)


@pytest.mark.parametrize(
    "password",
    [
        "welcome to the jungle kettling",
        "welcome to the jungle of forgotten kettles",
        "violet kettle under thirteen maples",
        "twelve maples, thank you, kettle",
        "Tq7#vZ2pLw9!xR4m",
        "\u706b\u8eca\u304c\u5c71\u3092\u8d8a\u3048\u3066\u9759\u304b\u306a\u6d77\u3078",
        "",
    ],
)
def test_further_words_make_it_another_password(password: str) -> None:
    assert not SHIPPED.are_all_of(password)


def test_the_list_is_the_operators_to_replace() -> None:
    own = CommonPhrases(["Herons \u00e9t\u00e9 argue", "", "  "])

    assert own.are_all_of("herons ete ARGUE 2024")
    assert not own.are_all_of("short")
    assert not own.are_all_of("welcome to the jungle")
    assert not CommonPhrases([]).are_all_of("short")


@pytest.mark.promise("P14")
def test_passphrases_of_random_words_are_neither_phrases_nor_keyboard_walks() -> None:
    words = [word for word in RANKED_DICTIONARIES["english_wikipedia"] if len(word) > 2][:5000]
    random = Random("passphrases")  # noqa: S311  # the same ones in every run
    passphrases = [random.choice(["", " ", "-"]).join(random.choices(words, k=4)) for _ in range(300)]

    assert not [text for text in passphrases if SHIPPED.are_all_of(text) or is_keyboard_walk(text)]
