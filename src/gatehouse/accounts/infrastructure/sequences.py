"""Passwords that count or repeat, such as `aabbccddeeffgghh`, `a1b2c3d4e5f6g7h8` and `2026202720282029`."""

from typing import Final

_MAX_PERIOD: Final = 7
"""Longer than most of what people repeat; the estimator sees a repeated word."""
_MAX_NEW: Final = 7
"""Characters that do not follow from those before them: where it begins, and where it changes its way. At most half of
a short password: in any eight characters, one follows from another by chance.
"""


def is_sequence(password: str) -> bool:
    """Whether nearly every character follows from those one or two periods before it, whatever the period.

    It repeats the one before, or goes on from it by the same step: `a1b2c3` does so with a period of two.
    """
    codes = [ord(character) for character in password.casefold() if not character.isspace()]
    max_new = min(_MAX_NEW, len(codes) // 2)
    return any(_count_new(codes, period) <= max_new for period in range(1, _MAX_PERIOD + 1))


def _count_new(codes: list[int], period: int) -> int:
    return sum(not _follows(codes, at, period) for at in range(len(codes)))


def _follows(codes: list[int], at: int, period: int) -> bool:
    if at < period:
        return False
    step = codes[at] - codes[at - period]
    return step == 0 or (abs(step) == 1 and (at < 2 * period or step == codes[at - period] - codes[at - 2 * period]))
