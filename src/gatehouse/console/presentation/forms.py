"""What a form sends, and what is wrong with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from gatehouse.common.domain.errors import GatehouseError, InvalidError

_MAX_FIELDS: Final = 200


@dataclass(frozen=True, slots=True)
class FormRules:
    """What pages tell of the settings."""

    may_sign_up: bool
    min_password_length: int


class Form:
    """A field that was not sent is empty text."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = tuple(fields)

    def __getitem__(self, name: str) -> str:
        """Of two values, other readers of the same form, such as a firewall, may have judged the other one."""
        values = self.all_of(name)
        if len(values) > 1:
            raise InvalidError(name, "Must be sent once.")
        return values[0] if values else ""

    def all_of(self, name: str) -> list[str]:
        return [value for field, value in self._fields if field == name]


async def _read_form(request: Request) -> Form:
    """The body has passed the middleware: it is a form, and small."""
    try:
        text = (await request.body()).decode("ascii")
        return Form(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS))
    except ValueError:
        raise InvalidError("form", "Is not a valid form.") from None


SentForm = Annotated[Form, Depends(_read_form)]


def filters_of(request: Request) -> list[tuple[str, str]]:
    """Those that are set. Names are pasted with blanks around them."""
    return [(name, text) for name, value in request.query_params.multi_items() if (text := value.strip())]


def errors_of(error: GatehouseError, field: str = "") -> dict[str, str]:
    """By the field that the message stands beside; `field` is that of an error which names none."""
    if isinstance(error, InvalidError):
        return {error.field: error.message}
    return {field: error.detail}
