"""The section [loans] of config.toml."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Interval, doc


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanSettings:
    max_per_borrower: Annotated[int, Interval(ge=1, le=100), doc("items at the same time")] = 3
    days: Annotated[int, Interval(ge=1, le=365), doc("until an item is due")] = 14
