"""What request bodies have in common. Unknown fields are refused, and nothing is converted: a number is no string."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from gatehouse.common.domain.text import is_text


def _ensure_is_text(value: str) -> str:
    if not is_text(value):
        raise ValueError("Must be valid Unicode text")
    return value


Text = Annotated[str, AfterValidator(_ensure_is_text)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_fields(cls, fields: object) -> object:
        """Once for all of them: pydantic makes an error of each, and a body has room for thousands."""
        if isinstance(fields, dict) and not cls.model_fields.keys() >= fields.keys():
            raise PydanticCustomError("extra_forbidden", "Holds an unknown field")
        return fields
