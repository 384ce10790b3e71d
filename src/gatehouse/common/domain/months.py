"""Months, as they begin in UTC."""

from datetime import UTC, datetime


def begin_of_month(at: datetime, months: int = 0) -> datetime:
    """That of `at`, or of so many months after it."""
    utc = at.astimezone(UTC)
    year, month = divmod(utc.year * 12 + utc.month - 1 + months, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)
