from dataclasses import dataclass

from app.application.identity import Identity
from app.application.ports import Sessions, Transaction


@dataclass(frozen=True, slots=True)
class LogOut:
    """Ends the session that this request came with."""

    identity: Identity
    sessions: Sessions
    transaction: Transaction

    async def __call__(self) -> None:
        async with self.transaction:
            await self.sessions.end(self.identity.session_id)
