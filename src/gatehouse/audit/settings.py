"""What can be configured of the audit trail."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Interval, doc


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSettings:
    keep_months: Annotated[
        int,
        Interval(ge=0, le=1_200),
        doc("whole months before this one; `gatehouse migrate` drops what is older; 0: keep all"),
    ] = 0
