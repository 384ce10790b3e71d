"""What a client has written last."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True)
class Written:
    """A position in the primary's write-ahead log. The client carries it, so that it reads its own writes.

    None where there is no read replica, or nothing was written lately.
    """

    position: str | None = None


class CurrentWritten(Protocol):
    def __call__(self) -> Written:
        """That of the client whose request is being answered."""
