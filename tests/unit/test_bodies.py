"""What bodies of modules are made of."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from gatehouse.common.presentation.http.bodies import Body, Time


class Period(Body):
    starts_at: Time


@pytest.mark.parametrize("value", ["2030-01-02T12:00:00+02:00", "2030-01-02T10:00:00Z", "2030-01-02t10:00:00.000z"])
def test_a_time_with_an_offset_comes_in_utc(value: str) -> None:
    starts_at = Period.model_validate({"starts_at": value}).starts_at

    assert (starts_at, starts_at.tzinfo) == (datetime(2030, 1, 2, 10, tzinfo=UTC), UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2030-01-02T10:00:00",
        "2030-01-02",
        "2030-02-30T10:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:30:00-01:00",
        1893578400,
        "1893578400",
        None,
    ],
)
def test_what_is_ambiguous_or_no_time_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Period.model_validate({"starts_at": value})
