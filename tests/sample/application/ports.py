from typing import Protocol
from uuid import UUID

from tests.sample.domain.badge import Badge


class Badges(Protocol):
    async def add(self, badge: Badge) -> None:
        """Raises BadgeTakenError."""

    async def find(self, badge_id: UUID) -> Badge | None: ...

    async def lock(self, badge_id: UUID) -> Badge | None:
        """Lock its user first: users come before rows of one's own, in every transaction."""

    async def remove(self, badge: Badge) -> None: ...
