"""What a password may be: long, and anything else its owner likes (NIST SP 800-63B-4, 3.1.1.2)."""

import unicodedata
from dataclasses import dataclass
from typing import Final

from gatehouse.common.domain.errors import InvalidError
from gatehouse.common.domain.text import is_text

MAX_LENGTH: Final = 128
NO_PASSWORD: Final = "!"  # noqa: S105  # which is the point
"""Stored in place of a hash, for an account that came without one: no password is right until one is set."""
_MAX_NORMALIZED: Final = 8 * MAX_LENGTH
"""At most four code points become one in NFC, so a password that is cut off here is too long anyway."""


def normalize(password: str) -> str:
    """One form for all ways to type the same text: NFC, without trimming or case folding.

    A text that is far too long is cut off first: sorting combining characters takes quadratic time.
    """
    return unicodedata.normalize("NFC", password[:_MAX_NORMALIZED])


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """The rule for a password that is being chosen. Lengths are in Unicode code points after NFC.

    There are no composition rules: they make passwords worse.
    """

    min_length: int

    def ensure_allows(self, password: str) -> None:
        if not is_text(password):
            raise InvalidError("password", "Must be valid Unicode text.")
        length = len(normalize(password))
        if not self.min_length <= length <= MAX_LENGTH:
            raise InvalidError("password", f"Must have {self.min_length} to {MAX_LENGTH} characters.")
