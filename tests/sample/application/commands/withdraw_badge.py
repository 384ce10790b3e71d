from typing import ClassVar
from uuid import UUID

from gatehouse.accounts import Identity, Role, Users, lock_actor
from gatehouse.common.application.ports import Audit, Transaction
from gatehouse.common.application.use_case import command
from tests.sample.application.ports import Badges
from tests.sample.domain.errors import BadgeNotFoundError


@command
class WithdrawBadge:
    """Admins take any badge back."""

    action: ClassVar = "withdraw_badge"

    identity: Identity
    users: Users
    badges: Badges
    audit: Audit
    transaction: Transaction

    async def __call__(self, badge_id: UUID) -> None:
        async with self.transaction:
            actor = await lock_actor(self.users, self.identity, actor_is=Role.ADMIN)
            badge = await self.badges.lock(badge_id)
            if badge is None:
                raise BadgeNotFoundError
            await self.badges.remove(badge)
            await self.audit.record(self.action, actor=actor.username.value, subject=badge.subject)
