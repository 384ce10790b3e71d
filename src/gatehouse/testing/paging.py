"""Walking through a list, page by page, as a client does."""

from collections.abc import AsyncIterator
from typing import Any

import httpx


async def walk_pages(
    client: httpx.AsyncClient, path: str, rows: str, *, limit: int, **query: Any
) -> AsyncIterator[list[dict[str, Any]]]:
    """The rows of each page. `rows` is their name in the answer. Every page but the last is full."""
    cursor = None
    while True:
        answer = await client.get(path, params={"limit": limit, **query, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        page, cursor = answer.json()[rows], answer.json()["next_cursor"]
        assert cursor is None or len(page) == limit
        yield page
        if cursor is None:
            return
