"""What a username may look like."""

import re
from dataclasses import dataclass
from typing import Final, Self

from gatehouse.common.domain.errors import InvalidError

MIN_LENGTH: Final = 5
MAX_LENGTH: Final = 20
RULE: Final = (
    f"{MIN_LENGTH} to {MAX_LENGTH} ASCII letters, digits, '.', '_' or '-', beginning and ending with a letter or "
    "digit, no two specials in a row"
)
SHAPE: Final[dict[str, str | int]] = {
    "minLength": MIN_LENGTH,
    "maxLength": MAX_LENGTH,
    "pattern": "^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$",
}
"""The same as JSON Schema, for the OpenAPI document. `Username` decides."""
_ALLOWED: Final = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", re.ASCII)

_ALLOWED_PREFIX: Final = re.compile(r"[A-Za-z0-9](?:[._-]?[A-Za-z0-9])*[._-]?", re.ASCII)


RESERVED: Final = frozenset(
    {
        "admin", "administrator", "gatehouse", "helpdesk", "moderator", "official", "operator", "postmaster", "root",
        "security", "staff", "superadmin", "superuser", "support", "sysadmin", "system", "webmaster",
    }
)  # fmt: skip
"""Names that people take for someone in charge. Nobody signs up for them; those in charge may create them."""
_LOOKS_LIKE: Final = {"o": "0", "i": "1", "l": "1", "e": "3", "a": "4", "s": "5", "t": "7", "b": "8"}
"""Digits that stand for letters, as in `r00t`."""
_RESERVED: Final = re.compile(
    "(?:{})[0-9._-]*".format(
        "|".join(
            "[._-]?".join(f"[{letter}{_LOOKS_LIKE.get(letter, '')}]" for letter in name) for name in sorted(RESERVED)
        )
    )
)


@dataclass(frozen=True, slots=True)
class Username:
    """A name in its one stored form: lower case, so that `Alice` and `alice` are the same account.

    ASCII only, which leaves no look-alikes and no case folding that grows or changes a name (CVE-2019-19844).
    """

    value: str

    def __post_init__(self) -> None:
        # Matched before lower-casing: some non-ASCII letters (the Kelvin sign) become ASCII in lower case.
        if not self.value.isascii() or not MIN_LENGTH <= len(self.value) <= MAX_LENGTH:
            raise InvalidError("username", f"Must be {RULE}.")
        lower_case = self.value.lower()
        if not _ALLOWED.fullmatch(lower_case):
            raise InvalidError("username", f"Must be {RULE}.")
        object.__setattr__(self, "value", lower_case)

    @classmethod
    def parse(cls, value: str) -> Self | None:
        """The username, or None if the text is not a valid one."""
        try:
            return cls(value)
        except InvalidError:
            return None

    @property
    def is_reserved(self) -> bool:
        """Whatever specials and digits are put into it: `ad.min`, `admin-1` and `adm1n` are taken for `admin`, too."""
        return _RESERVED.fullmatch(self.value) is not None

    @staticmethod
    def prefix(value: str) -> str:
        """The stored form of what a username may begin with."""
        if not _ALLOWED_PREFIX.fullmatch(value):
            raise InvalidError("search", "Must be what a username may begin with.")
        return value.lower()

    def __str__(self) -> str:
        return self.value
