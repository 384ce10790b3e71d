from copy import deepcopy
from dataclasses import dataclass, field
from uuid import UUID

from gatehouse.testing.fakes import FakeStore, FakeTransaction
from tests.sample.application.queries.list_badges import BadgeList, BadgeListRequest, BadgeView
from tests.sample.domain.badge import Badge
from tests.sample.domain.errors import BadgeTakenError


@dataclass
class BadgesState:
    badges: dict[UUID, Badge] = field(default_factory=dict)


class FakeBadges:
    def __init__(self, transaction: FakeTransaction) -> None:
        self._transaction = transaction

    async def add(self, badge: Badge) -> None:
        if any(other.name == badge.name for other in self._badges.values()):
            raise BadgeTakenError
        self._badges[badge.id] = badge

    async def find(self, badge_id: UUID) -> Badge | None:
        return deepcopy(self._badges.get(badge_id))

    async def lock(self, badge_id: UUID) -> Badge | None:
        return await self.find(badge_id)

    async def remove(self, badge: Badge) -> None:
        self._badges.pop(badge.id, None)

    @property
    def _badges(self) -> dict[UUID, Badge]:
        return self._transaction.store[BadgesState].badges


class FakeBadgePages:
    """All badges that begin with the search, on one page."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store

    async def __call__(self, request: BadgeListRequest) -> BadgeList:
        badges = sorted(self._store[BadgesState].badges.values(), key=lambda badge: badge.name)
        names = {user.id: user.username.value for user in self._store.users.values()}
        views = [
            BadgeView(badge.id, badge.name, badge.user_id, badge.awarded_at, names[badge.user_id]) for badge in badges
        ]
        shown = [view for view in views if view.name.startswith(request.search or "")]
        return BadgeList(shown, None, len(shown) if request.with_total else None)
