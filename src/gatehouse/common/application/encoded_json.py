"""Responses that the database has already encoded."""

from typing import Self


class EncodedJson[T](bytes):
    """The JSON text of a T."""


class EncodedPage[T](EncodedJson[T]):
    """That of a page of a list, with what its text says of the list: its answer repeats it in headers."""

    next_cursor: str | None
    total: int | None

    @classmethod
    def of(cls, text: str, *, next_cursor: str | None, total: int | None = None) -> Self:
        page = cls(text.encode())
        page.next_cursor, page.total = next_cursor, total
        return page
