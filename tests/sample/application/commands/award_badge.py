from typing import ClassVar
from uuid import UUID

from uuid6 import uuid7

from gatehouse.accounts import Identity, Role, Username, Users, lock_subordinate
from gatehouse.common.application.ports import Audit, Clock, Transaction
from gatehouse.common.application.use_case import command
from tests.sample.application.ports import Badges
from tests.sample.domain.badge import Badge


@command
class AwardBadge:
    """Admins award a new badge to a subordinate."""

    action: ClassVar = "award_badge"

    identity: Identity
    users: Users
    badges: Badges
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, name: str) -> UUID:
        async with self.transaction:
            user = await lock_subordinate(self.users, self.identity, Username(username), actor_is=Role.ADMIN)
            badge = Badge(uuid7(), name, user.id, self.clock.now())
            await self.badges.add(badge)
            actor, target = self.identity.username.value, user.username.value
            await self.audit.record(self.action, actor=actor, target=target, subject=badge.subject)
        return badge.id
