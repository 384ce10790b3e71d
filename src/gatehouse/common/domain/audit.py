"""The parts of an audit event that every module shares."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FURTHER_ATTEMPTS: Final = "further_attempts"
"""The action of an event that counts attempts of several actions, or of several people."""


class Outcome(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """The password was wrong."""
    REFUSED = "refused"
    """The caller's role does not allow it."""
    THROTTLED = "throttled"
    """Too many attempts from one address."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What was acted on, where that is no user. `label` is its name at that time, for people to read.

    Of an event that counts attempts it says by whom they were, and how many.
    """

    kind: str
    id: str
    label: str
