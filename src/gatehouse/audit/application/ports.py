"""What the use cases of the audit trail need from outside."""

from datetime import datetime
from typing import Protocol


class UnfinishedErasures(Protocol):
    async def finish_batch(self, now: datetime) -> int:
        """Erases a name from some more events, and forgets the name where none is left. Returns how much was done: 0 if
        nothing was to do yet.
        """
