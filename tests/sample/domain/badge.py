"""A badge: something that one user may wear, and nobody else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from gatehouse.common.domain.audit import Subject
from gatehouse.common.domain.errors import InvalidError

MAX_NAME_LENGTH: Final = 40


@dataclass(slots=True)
class Badge:
    id: UUID
    name: str
    user_id: UUID
    awarded_at: datetime

    def __post_init__(self) -> None:
        if not self.name.isascii() or not self.name.isalnum() or len(self.name) > MAX_NAME_LENGTH:
            raise InvalidError("name", f"Must be 1 to {MAX_NAME_LENGTH} ASCII letters and digits.")

    @property
    def subject(self) -> Subject:
        return Subject("badge", str(self.id), self.name)
