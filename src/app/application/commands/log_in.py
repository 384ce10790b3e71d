from dataclasses import dataclass
from datetime import datetime

from app.application.ports import Clock, PasswordHasher, Sessions, SessionTokens, Transaction, Users
from app.domain.errors import InvalidCredentialsError
from app.domain.session import Session, SessionLifetime, new_secret
from app.domain.user import User
from app.domain.username import Username


@dataclass(frozen=True, slots=True)
class LoggedIn:
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LogIn:
    """Opens a session. Unknown, wrong and inactive get one and the same answer, after the same work."""

    users: Users
    sessions: Sessions
    hasher: PasswordHasher
    tokens: SessionTokens
    lifetime: SessionLifetime
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, password: str) -> LoggedIn:
        user = await self._find(username)
        if not await self.hasher.verify(password, user.password_hash if user else None) or user is None:
            raise InvalidCredentialsError
        secret, now = new_secret(), self.clock.now()
        session = Session.open(user.id, secret, self.lifetime, now)
        async with self.transaction:
            # Hashing took a while: under lock, ask again whether this user may still log in with this password.
            locked = await self.users.lock_for_login(user.id)
            if locked is None or not locked.is_active or locked.password_hash != user.password_hash:
                raise InvalidCredentialsError
            await self.sessions.add(session)
        token = self.tokens.encode(secret, issued_at=now, expires_at=session.expires_at)
        return LoggedIn(token, session.expires_at)

    async def _find(self, username: str) -> User | None:
        name = Username.parse(username)
        async with self.transaction:
            return await self.users.find(name) if name else None
