"""What a request waits for, measured for whoever develops."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(slots=True)
class Timing:
    database: float = 0
    """Seconds."""


CURRENT: Final = ContextVar[Timing | None]("timing", default=None)
