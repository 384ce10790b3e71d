"""An item in somebody's hands. What was lent and is back, the audit trail tells."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from gatehouse.accounts import User
from uuid6 import uuid7

from lending.loans.domain.errors import InactiveBorrowerError, LoanLimitError
from lending.loans.domain.item import Item


@dataclass(frozen=True, slots=True)
class LoanTerms:
    """On which all items are lent."""

    max_per_borrower: int
    period: timedelta


@dataclass(frozen=True, slots=True)
class Loan:
    id: UUID
    item_id: UUID
    user_id: UUID
    lent_at: datetime
    due_at: datetime

    @classmethod
    def grant(cls, item: Item, borrower: User, terms: LoanTerms, now: datetime, *, present: int) -> Self:
        """`present` is how many items the borrower has now. Raises InactiveBorrowerError and LoanLimitError."""
        if not borrower.is_active:
            raise InactiveBorrowerError
        if present >= terms.max_per_borrower:
            raise LoanLimitError
        return cls(uuid7(), item.id, borrower.id, now, now + terms.period)
