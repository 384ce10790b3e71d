from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.queries.get_user import AccountByUsername
from gatehouse.accounts.application.queries.list_sessions import LiveSessionViews, SessionList
from gatehouse.accounts.domain.authorization import ensure_at_least, ensure_manages
from gatehouse.accounts.domain.errors import UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.use_case import query


@query
class ListUserSessions:
    """Admins see the sessions of a subordinate, newest first."""

    identity: Identity
    account: AccountByUsername
    views: LiveSessionViews

    async def __call__(self, username: str) -> SessionList:
        ensure_at_least(self.identity.role, Role.ADMIN)
        account = await self.account(Username(username).value)
        if account is None:
            raise UserNotFoundError
        ensure_manages(self.identity.role, account.role)
        return await self.views(account.id, current_id=self.identity.session_id)
