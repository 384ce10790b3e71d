from datetime import UTC, datetime, timedelta, timezone

import pytest

from gatehouse.common.domain.months import begin_of_month


@pytest.mark.parametrize(
    ("months", "begin"),
    [
        (0, datetime(2026, 11, 1, tzinfo=UTC)),
        (1, datetime(2026, 12, 1, tzinfo=UTC)),
        (2, datetime(2027, 1, 1, tzinfo=UTC)),
        (-10, datetime(2026, 1, 1, tzinfo=UTC)),
        (-11, datetime(2025, 12, 1, tzinfo=UTC)),
        (-24, datetime(2024, 11, 1, tzinfo=UTC)),
    ],
)
def test_months_are_counted_over_the_years(months: int, begin: datetime) -> None:
    assert begin_of_month(datetime(2026, 11, 27, 19, 25, tzinfo=UTC), months) == begin


def test_a_month_begins_in_utc() -> None:
    new_year_in_tokyo = datetime(2027, 1, 1, 8, tzinfo=timezone(timedelta(hours=9)))

    assert begin_of_month(new_year_in_tokyo) == datetime(2026, 12, 1, tzinfo=UTC)
