"""How far a client's own writes reach, so that it reads them from a replica, too."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True)
class WritePosition:
    """A position in the primary's write-ahead log (an LSN). The client carries it from request to request.

    None where there is no read replica, or this client has written nothing lately.
    """

    lsn: str | None = None


class CurrentWritePosition(Protocol):
    def __call__(self) -> WritePosition:
        """That of the client whose request is being answered."""
