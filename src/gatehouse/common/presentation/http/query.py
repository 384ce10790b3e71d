"""A use case's request, read from the query string: validated at once, and documented field by field.

FastAPI can do this, too, but validates field by field, which costs more than the database query itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError

from gatehouse.common.presentation.http.rfc_3339 import RULE, is_rfc_3339


class QueryString[T]:
    """The dependency. `kind` is a dataclass whose fields are the parameters; unknown and repeated ones are refused.

    `shapes` adds to a parameter's JSON Schema, in the OpenAPI document only.
    """

    def __init__(self, kind: type[T], **shapes: Mapping[str, object]) -> None:
        self._shapes = shapes
        self._adapter: TypeAdapter[T] = TypeAdapter(kind)
        self._schema = self._adapter.json_schema()
        self._names = frozenset(self._schema["properties"])
        self._time_names = [name for name in self._names if self._parameter_schema(name).get("format") == "date-time"]

    async def __call__(self, request: Request) -> T:
        return self.parse(request.query_params.multi_items())

    def parse(self, items: Sequence[tuple[str, str]]) -> T:
        values = dict(items)
        if not self._names.issuperset(values):
            raise _validation_error({"type": "extra_forbidden", "loc": ()})
        if len(values) < len(items):
            raise _validation_error({"type": "repeated", "loc": (), "msg": "Holds a parameter twice"})
        for name in self._time_names:
            if name in values and not is_rfc_3339(values[name]):
                raise _validation_error({"type": "time", "loc": (name,), "msg": RULE})
        try:
            return self._adapter.validate_python(values)
        except ValidationError as error:
            raise _validation_error(*error.errors(include_input=False)) from None

    def parameters(self) -> list[dict[str, Any]]:
        """As OpenAPI describes them. Null is left out, since a query string can only omit a parameter."""
        return [
            {"name": name, "in": "query", "required": False, "schema": self._parameter_schema(name)}
            for name in self._schema["properties"]
        ]

    def _parameter_schema(self, name: str) -> dict[str, Any]:
        schema = self._schema["properties"][name]
        non_null = next((option for option in schema.get("anyOf", []) if option.get("type") != "null"), schema)
        non_null = self._schema["$defs"][non_null["$ref"].rpartition("/")[2]] if "$ref" in non_null else non_null
        default = {"default": schema["default"]} if schema.get("default") is not None else {}
        return {**non_null, **default, **self._shapes.get(name, {})}


def _validation_error(*errors: Mapping[str, Any]) -> RequestValidationError:
    return RequestValidationError([{**error, "loc": ("query", *error["loc"])} for error in errors])
