from dataclasses import dataclass

from app.application.authorization import lock_self_or_subordinate
from app.application.identity import Identity
from app.application.ports import Clock, PasswordHasher, Sessions, Transaction, Users
from app.domain.errors import InvalidCredentialsError, InvalidError
from app.domain.password import PasswordPolicy
from app.domain.user import User
from app.domain.username import Username


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """One changes one's own password by giving the current one; admins set a subordinate's without.

    Every other session of that user ends.
    """

    identity: Identity
    users: Users
    sessions: Sessions
    hasher: PasswordHasher
    policy: PasswordPolicy
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, password: str, current_password: str | None) -> None:
        name = Username(username)
        self.policy.ensure_allows(password)
        async with self.transaction:
            before = await lock_self_or_subordinate(self.users, self.identity, name)
        is_own = before.id == self.identity.user_id
        if is_own:
            await self._ensure_knows(before, current_password)
        password_hash = await self.hasher.hash(password)
        async with self.transaction:
            # Hashing took a while, with nothing locked: everything is decided anew.
            user = await lock_self_or_subordinate(self.users, self.identity, name)
            if is_own and user.password_hash != before.password_hash:
                raise InvalidCredentialsError
            user.change_password(password_hash, self.clock.now())
            await self.users.save(user)
            await self.sessions.end_all_of(user.id, but=self.identity.session_id)

    async def _ensure_knows(self, user: User, current_password: str | None) -> None:
        if current_password is None:
            raise InvalidError("current_password", "Give your current password to change it.")
        if not await self.hasher.verify(current_password, user.password_hash):
            raise InvalidCredentialsError
