"""What a client has written last."""

from dataclasses import dataclass


@dataclass(slots=True)
class Written:
    """A position in the primary's write-ahead log. The client carries it, so that it reads its own writes.

    None where there is no read replica, or nothing was written lately.
    """

    position: str | None = None
