"""Passwords that follow the keys of a keyboard, such as `zaq12wsxcde34rfvbgt5`."""

from collections.abc import Iterator
from typing import Final

_LIMITS: Final = ((3, 7), (2, 4))
"""How many keys the shortest walk has, and of how many walks a password is made: whoever types walks chooses where each
of them starts, and little more. Two neighbouring keys are often by chance, so of such walks there may be fewer. A short
password has half as many walks as keys at most, or it would be enough that some three of its keys are neighbours.
"""
_DIGITS: Final = ("`1234567890-=", "~!@#$%^&*()_+")
_LAYOUTS: Final = (
    (_DIGITS, ("qwertyuiop[]", "QWERTYUIOP{}"), ("asdfghjkl;'", 'ASDFGHJKL:"'), ("zxcvbnm,./", "ZXCVBNM<>?")),
    (_DIGITS, ("qwertzuiopü+", "QWERTZUIOPÜ*"), ("asdfghjklöä", "ASDFGHJKLÖÄ"), ("yxcvbnm,.-", "YXCVBNM;:_")),
    (_DIGITS, ("azertyuiop", "AZERTYUIOP"), ("qsdfghjklm", "QSDFGHJKLM"), ("wxcvbn,;:!", "WXCVBN?./§")),
    (_DIGITS, ("йцукенгшщзхъ", "ЙЦУКЕНГШЩЗХЪ"), ("фывапролджэ", "ФЫВАПРОЛДЖЭ"), ("ячсмитьбю.", "ЯЧСМИТЬБЮ,")),
)

type _Layout = dict[str, tuple[int, int]]
"""The row and the column of each key."""


def _places(rows: tuple[tuple[str, str], ...]) -> _Layout:
    return {
        key: (row, column - (row == 0))  # `1` stands above `q`, one key further to the right
        for row, keys in enumerate(rows)
        for shift in keys
        for column, key in enumerate(shift)
    }


_PLACES: Final = tuple(map(_places, _LAYOUTS))


def is_keyboard_walk(password: str) -> bool:
    """Whether a few walks from key to neighbouring key make up the password, whatever their directions.

    Each walk is replaced by its first key, until none is left: the columns `qaz wsx edc` become `qwe`, and that `q`.
    """
    text = "".join(password.split())
    half = len(text) // 2
    return any(_count_starts(text, layout, keys) <= min(walks, half) for layout in _PLACES for keys, walks in _LIMITS)


def _count_starts(text: str, layout: _Layout, min_keys: int) -> int:
    while len(starts := "".join(_starts(text, layout, min_keys))) < len(text):
        text = starts
    return len(text)


def _starts(text: str, layout: _Layout, min_keys: int) -> Iterator[str]:
    begin = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or not _are_neighbours(layout.get(text[end - 1]), layout.get(text[end])):
            walk = text[begin:end]
            yield walk[0] if len(walk) >= min_keys else walk
            begin = end


def _are_neighbours(key: tuple[int, int] | None, other: tuple[int, int] | None) -> bool:
    """Each row stands half a key to the right of the one above it. A key is its own neighbour."""
    if key is None or other is None:
        return False
    (row, column), (other_row, other_column) = sorted((key, other))
    step = other_column - column
    return abs(step) <= 1 if row == other_row else other_row - row == 1 and step in (-1, 0)
