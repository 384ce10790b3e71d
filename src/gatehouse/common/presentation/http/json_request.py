"""A request whose body is JSON as RFC 8259 has it between systems: UTF-8, with each key once."""

import json
from typing import Any

from starlette.requests import Request


class JsonRequest(Request):
    """Other readers of the same body, such as a firewall, may decode it otherwise or keep another one of two keys."""

    async def json(self) -> Any:
        # Decoded here, since json.loads() would also guess UTF-16 and UTF-32. Of text it refuses a byte order mark.
        text = (await self.body()).decode()
        return json.loads(text, object_pairs_hook=_object_without_duplicates)


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key stands twice in an object")
    return values
