from dataclasses import dataclass

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.queries.get_user import AccountByUsername
from gatehouse.accounts.application.queries.list_sessions import LiveSessionViews, SessionList
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.username import Username
from gatehouse.common.domain.errors import ForbiddenError, UserNotFoundError


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
