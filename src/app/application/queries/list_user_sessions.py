from dataclasses import dataclass

from app.application.identity import Identity
from app.application.queries.get_user import AccountByUsername
from app.application.queries.list_sessions import LiveSessionViews, SessionList
from app.domain.errors import ForbiddenError, UserNotFoundError
from app.domain.role import Role
from app.domain.username import Username


@dataclass(frozen=True, slots=True)
class ListUserSessions:
    """Admins see the sessions of a subordinate, newest first."""

    identity: Identity
    account: AccountByUsername
    views: LiveSessionViews

    async def __call__(self, username: str) -> SessionList:
        self.identity.ensure_at_least(Role.ADMIN)
        account = await self.account(Username(username).value)
        if account is None:
            raise UserNotFoundError
        if not self.identity.role.manages(account.role):
            raise ForbiddenError
        return await self.views(account.id, current_id=self.identity.session_id)
