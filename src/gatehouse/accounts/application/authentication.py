"""From a session token to the caller's identity."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.ports import LiveSessions, SessionTokens
from gatehouse.accounts.domain.session import hash_secret
from gatehouse.common.application.ports import Clock
from gatehouse.common.domain.errors import UnauthenticatedError

RENEWAL_INTERVAL: Final = timedelta(minutes=1)
"""How stale `last_seen_at` may become: a session in use costs one small write a minute, not one a request."""


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Any authenticated request extends the session's idle timeout; nothing extends its absolute timeout."""

    tokens: SessionTokens
    sessions: LiveSessions
    clock: Clock

    async def __call__(self, token: str) -> Identity:
        secret = self.tokens.decode(token)
        if secret is None:
            raise UnauthenticatedError
        secret_hash = hash_secret(secret)
        now = self.clock.now()
        session = await self.sessions.find(secret_hash, now)
        if session is None:
            raise UnauthenticatedError
        stale_since = now - RENEWAL_INTERVAL
        if session.last_seen_at <= stale_since:
            await self.sessions.renew(secret_hash, seen_at=now, if_unseen_since=stale_since)
        return session.identity
