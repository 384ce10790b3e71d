"""What request bodies have in common. Unknown fields are refused, and nothing is converted: a number is no string."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from gatehouse.common.domain.text import is_text
from gatehouse.common.presentation.http.rfc_3339 import RULE, is_rfc_3339


def _ensure_is_text(value: str) -> str:
    if not is_text(value):
        raise ValueError("Must be valid Unicode text")
    return value


def _ensure_is_rfc_3339(value: object) -> object:
    if not is_rfc_3339(value):
        raise ValueError(RULE)
    return value


def _to_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:  # beyond the year 9999, as PostgreSQL would give it back, where Python has no such time
        raise ValueError("Must be in the years 1 to 9999") from None


Text = Annotated[str, AfterValidator(_ensure_is_text)]
Time = Annotated[datetime, Field(strict=False), BeforeValidator(_ensure_is_rfc_3339), AfterValidator(_to_utc)]
"""A time with an offset, as in a query string; the use case gets it in UTC. JSON has no type of its own for it."""


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_fields(cls, fields: object) -> object:
        """Once for all of them: pydantic makes an error of each, and a body has room for thousands."""
        if isinstance(fields, dict) and not cls.model_fields.keys() >= fields.keys():
            raise PydanticCustomError("extra_forbidden", "Holds an unknown field")
        return fields
