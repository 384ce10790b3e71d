"""A use case's request read from the query string: checked in one go, and documented field by field.

FastAPI can do this, too, but takes it field by field at every request, which costs more than the query itself.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError

_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


class QueryString[T]:
    """The dependency. `kind` is a dataclass whose fields are the parameters; unknown and repeated ones are refused.

    `shapes` adds to a parameter's JSON Schema, for the document alone.
    """

    def __init__(self, kind: type[T], **shapes: Mapping[str, object]) -> None:
        self._shapes = shapes
        self._adapter: TypeAdapter[T] = TypeAdapter(kind)
        self._schema = self._adapter.json_schema()
        self._names = frozenset(self._schema["properties"])
        self._times = [name for name in self._names if self._documented(name).get("format") == "date-time"]

    async def __call__(self, request: Request) -> T:
        items = request.query_params.multi_items()
        values = dict(items)
        if not self._names.issuperset(values):
            raise _invalid({"type": "extra_forbidden", "loc": ()})
        if len(values) < len(items):
            raise _invalid({"type": "repeated", "loc": (), "msg": "Holds a parameter twice"})
        for name in self._times:
            # Pydantic also takes numbers and times without an offset, which mean something else to everyone.
            if name in values and not _RFC_3339.fullmatch(values[name]):
                raise _invalid({"type": "time", "loc": (name,), "msg": "Must be an RFC 3339 time with an offset"})
        try:
            return self._adapter.validate_python(values)
        except ValidationError as error:
            raise _invalid(*error.errors(include_input=False)) from None

    def parameters(self) -> list[dict[str, Any]]:
        """As OpenAPI wants them. Null is left out: a query string can only leave a parameter away."""
        return [
            {"name": name, "in": "query", "required": False, "schema": self._documented(name)}
            for name in self._schema["properties"]
        ]

    def _documented(self, name: str) -> dict[str, Any]:
        schema = self._schema["properties"][name]
        given = next((one for one in schema.get("anyOf", []) if one.get("type") != "null"), schema)
        given = self._schema["$defs"][given["$ref"].rpartition("/")[2]] if "$ref" in given else given
        default = {"default": schema["default"]} if schema.get("default") is not None else {}
        return {**given, **default, **self._shapes.get(name, {})}


def _invalid(*errors: Mapping[str, Any]) -> RequestValidationError:
    return RequestValidationError([{**error, "loc": ("query", *error["loc"])} for error in errors])
