from typing import ClassVar

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.locking import lock_self_or_subordinate
from gatehouse.accounts.application.new_session import NewSession
from gatehouse.accounts.application.passwords import Passwords
from gatehouse.accounts.application.ports import Sessions, SessionTokens, Users
from gatehouse.accounts.domain.errors import InvalidCredentialsError
from gatehouse.accounts.domain.password import normalize
from gatehouse.accounts.domain.session import hash_secret, new_secret
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.ports import Audit, Clock, Transaction
from gatehouse.common.application.use_case import command_in_steps, retry_on_conflict
from gatehouse.common.domain.errors import InvalidError, UnauthenticatedError


@command_in_steps
class ChangePassword:
    """Changes one's own password, which takes the current one, or as an admin a subordinate's, which does not.

    Every other session of that user ends, and one's own gets a new secret: a copy of the old cookie opens nothing any
    more (OWASP ASVS 5.0, 7.2.4). A user whose password an admin has set must change it before anything else.
    """

    action: ClassVar = "change_password"

    identity: Identity
    users: Users
    sessions: Sessions
    passwords: Passwords
    tokens: SessionTokens
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, password: str, current_password: str | None) -> NewSession | None:
        """Returns the caller's session under its new secret, if it is the caller's own password."""
        name = Username(username)
        if name != self.identity.username:
            self.identity.ensure_password_is_own()
        async with self.transaction:
            _, user = await lock_self_or_subordinate(self.users, self.identity, name)
        is_own = user.id == self.identity.user_id
        if is_own:
            await self._verify_current(user, current_password)
            if normalize(password) == normalize(current_password or ""):
                raise InvalidError("password", "Must be another one than the current password.")
        return await self._replace(user, await self.passwords.choose(name, password))

    @retry_on_conflict
    async def _replace(self, old_user: User, password_hash: str) -> NewSession | None:
        async with self.transaction:
            # Hashing took a while, without a lock: everything is decided again on the locked rows.
            actor, user = await lock_self_or_subordinate(self.users, self.identity, old_user.username)
            if user.id == actor.id and user.password_hash != old_user.password_hash:
                raise InvalidCredentialsError
            user.change_password(password_hash, self.clock.now(), by=actor)
            await self.users.save(user)
            await self.sessions.end_all_of(user.id, but=self.identity.session_id)
            session = await self._renew_secret() if user.id == actor.id else None
            await self.audit.record(self.action, actor=actor.username.value, target=user.username.value)
        return session

    async def _renew_secret(self) -> NewSession:
        secret = new_secret()
        expires_at = await self.sessions.replace_secret(
            self.identity.session_id, user_id=self.identity.user_id, secret_hash=hash_secret(secret)
        )
        if expires_at is None:  # ended while the hash was computed: the caller is not logged in any more
            raise UnauthenticatedError
        token = self.tokens.encode(secret, issued_at=self.clock.now(), expires_at=expires_at)
        return NewSession(token, expires_at)

    async def _verify_current(self, user: User, current_password: str | None) -> None:
        if current_password is None:
            raise InvalidError("current_password", "Give your current password to change it.")
        actor = self.identity.name
        if not await self.passwords.verify(self.action, user.username, user, current_password, actor=actor):
            raise InvalidCredentialsError
