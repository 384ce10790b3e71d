"""Passwords made of words that stand together elsewhere, too: titles, proverbs, greetings."""

import string
import unicodedata
from collections.abc import Iterable
from typing import Final

_MAX_REST: Final = 7
"""What a phrase may have beside it without being a better password: another word, or a year and a name's beginning."""
_LETTERS: Final = str.maketrans("0134578269@$!|+(", "oieastbzggasiitc")
"""What stands for a letter. `1` is an i or an l, and a phrase is compared with each l read as an i."""


class CommonPhrases:
    def __init__(self, phrases: Iterable[str]) -> None:
        # The longest first, since a phrase may hold a shorter one.
        self._phrases = sorted({_letters(phrase) for phrase in phrases} - {""}, key=len, reverse=True)

    def are_all_of(self, password: str) -> bool:
        """Whether phrases, in either direction, make up the password but for at most another word.

        Spaces, punctuation and case play no part, nor do digits, whether they stand for letters or between them.
        """
        text = password.casefold()
        readings = (
            text,
            text.translate(_LETTERS),
            text.strip(string.digits + string.punctuation).translate(_LETTERS),
            text.replace("2", "to").replace("4", "for"),
        )
        return any(self._make_up(letters) for reading in {*map(_letters, readings)} for letters in _both_ways(reading))

    def _make_up(self, text: str) -> bool:
        rest = text
        for phrase in self._phrases:
            if phrase in rest:
                rest = rest.replace(phrase, " ")
        return rest != text and len(rest.replace(" ", "")) <= _MAX_REST


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, unicodedata.normalize("NFKD", text.casefold()))).replace("l", "i")


def _both_ways(text: str) -> tuple[str, str]:
    return text, text[::-1]
