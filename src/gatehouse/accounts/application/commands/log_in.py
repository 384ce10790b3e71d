from typing import ClassVar

from gatehouse.accounts.application.new_session import NewSession
from gatehouse.accounts.application.passwords import Passwords
from gatehouse.accounts.application.ports import Sessions, SessionTokens, Users
from gatehouse.accounts.domain.errors import InvalidCredentialsError
from gatehouse.accounts.domain.session import Session, SessionLifetime, new_secret
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.ports import Audit, Clock, Transaction
from gatehouse.common.application.use_case import command_in_steps, retry_on_conflict
from gatehouse.common.domain.request_context import RequestContext


@command_in_steps
class LogIn:
    """Opens a session. An unknown user, a wrong password and an inactive user get one answer, after the same work."""

    action: ClassVar = "log_in"

    users: Users
    sessions: Sessions
    passwords: Passwords
    tokens: SessionTokens
    lifetime: SessionLifetime
    context: RequestContext
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, password: str) -> NewSession:
        name = Username.parse(username)
        user = await self._find(name)
        if not await self.passwords.verify(self.action, name, user, password) or user is None:
            raise InvalidCredentialsError
        new_hash = await self.passwords.rehash(user, password)
        secret, now = new_secret(), self.clock.now()
        session = Session.open(user.id, secret, self.lifetime, self.context, now)
        await self._open(session, user, new_hash)
        token = self.tokens.encode(secret, issued_at=now, expires_at=session.expires_at)
        return NewSession(token, session.expires_at)

    async def _find(self, name: Username | None) -> User | None:
        async with self.transaction:
            return await self.users.find(name) if name else None

    @retry_on_conflict
    async def _open(self, session: Session, user: User, new_hash: str | None) -> None:
        async with self.transaction:
            locked_user = await self._lock_if_may_still_log_in(user)
            locked_user.last_login_at = session.created_at
            locked_user.password_hash = new_hash or locked_user.password_hash
            await self.users.save(locked_user)
            await self.sessions.add(session, keep=self.lifetime.max_per_user)
            await self.audit.record(self.action, actor=user.username.value, target=user.username.value)

    async def _lock_if_may_still_log_in(self, user: User) -> User:
        """Decides again on the locked row, since hashing took a while."""
        locked_user = await self.users.lock_by_id(user.id)
        if locked_user is None or not locked_user.is_active or locked_user.password_hash != user.password_hash:
            raise InvalidCredentialsError
        return locked_user
