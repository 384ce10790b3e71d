"""A client's write position, so that it reads its own writes from a read replica, too."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True)
class WritePosition:
    """A position in the primary's write-ahead log (an LSN). The client carries it from request to request.

    None where there is no read replica, or the client has not written recently.
    """

    lsn: str | None = None


class CurrentWritePosition(Protocol):
    def __call__(self) -> WritePosition:
        """That of the current request's client."""
