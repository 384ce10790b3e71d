"""What a request waits for, measured for whoever develops, and whether it is traced."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(slots=True)
class Timing:
    database: float = 0
    """Seconds."""


CURRENT: Final = ContextVar[Timing | None]("timing", default=None)

MAY_BE_TRACED: Final = ContextVar("may_be_traced", default=False)
"""Asking this first costs the requests that are not sampled next to nothing."""
