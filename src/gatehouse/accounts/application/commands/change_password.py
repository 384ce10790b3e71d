from typing import ClassVar

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.locking import lock_self_or_subordinate
from gatehouse.accounts.application.passwords import Passwords
from gatehouse.accounts.application.ports import Sessions, Users
from gatehouse.accounts.domain.errors import InvalidCredentialsError
from gatehouse.accounts.domain.password import normalize
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.ports import Audit, Clock, Transaction
from gatehouse.common.application.use_case import command_in_steps, retry_on_conflict
from gatehouse.common.domain.errors import InvalidError


@command_in_steps
class ChangePassword:
    """Changes one's own password, which takes the current one, or as an admin a subordinate's, which does not.

    Every other session of that user ends. A user whose password an admin has set must change it before anything else.
    """

    action: ClassVar = "change_password"

    identity: Identity
    users: Users
    sessions: Sessions
    passwords: Passwords
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, password: str, current_password: str | None) -> None:
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
        await self._replace(user, await self.passwords.choose(name, password))

    @retry_on_conflict
    async def _replace(self, old_user: User, password_hash: str) -> None:
        async with self.transaction:
            # Hashing took a while, without a lock: everything is decided again on the locked rows.
            actor, user = await lock_self_or_subordinate(self.users, self.identity, old_user.username)
            if user.id == actor.id and user.password_hash != old_user.password_hash:
                raise InvalidCredentialsError
            user.change_password(password_hash, self.clock.now(), by=actor)
            await self.users.save(user)
            await self.sessions.end_all_of(user.id, but=self.identity.session_id)
            await self.audit.record(self.action, actor=actor.username.value, target=user.username.value)

    async def _verify_current(self, user: User, current_password: str | None) -> None:
        if current_password is None:
            raise InvalidError("current_password", "Give your current password to change it.")
        actor = self.identity.name
        if not await self.passwords.verify(self.action, user.username, user, current_password, actor=actor):
            raise InvalidCredentialsError
