"""The parts of an audit event that every module shares."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Subject:
    """What was acted on, where that is no user. `label` is its name at that time, for people to read."""

    kind: str
    id: str
    label: str
