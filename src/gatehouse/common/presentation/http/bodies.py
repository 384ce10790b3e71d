"""What request bodies have in common. Unknown fields are refused, and nothing is converted: a number is no string."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from gatehouse.common.domain.text import is_text


def _ensure_is_text(value: str) -> str:
    if not is_text(value):
        raise ValueError("Must be valid Unicode text")
    return value


Text = Annotated[str, AfterValidator(_ensure_is_text)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
