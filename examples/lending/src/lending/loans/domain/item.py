"""What can be lent."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from gatehouse.common.domain.audit import Subject
from gatehouse.common.domain.errors import InvalidError

MAX_LENGTH: Final = 60
RULE: Final = f"1 to {MAX_LENGTH} printable characters, without spaces around them"


@dataclass(frozen=True, slots=True)
class ItemName:
    """Also checked where an item is only looked for: PostgreSQL takes no text with a NUL in it."""

    value: str

    def __post_init__(self) -> None:
        is_clean = self.value.isprintable() and self.value == self.value.strip()
        if not is_clean or not 1 <= len(self.value) <= MAX_LENGTH:
            raise InvalidError("item", f"Must be {RULE}.")


@dataclass(frozen=True, slots=True)
class Item:
    id: UUID
    name: ItemName

    @property
    def subject(self) -> Subject:
        """In the audit trail, where it finds all that has happened to the item."""
        return Subject("item", str(self.id), self.name.value)
