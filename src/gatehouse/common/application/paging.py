"""Keyset pagination: what all requests for a page have in common, and the cursors between pages."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Protocol

from annotated_types import Interval, MaxLen

from gatehouse.common.domain.errors import InvalidError


class SortingOrder(StrEnum):
    ASC = "asc"
    DESC = "desc"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """The part of a query string that every list has. `cursor` continues after the previous page."""

    limit: Annotated[int, Interval(ge=1, le=100)] = 20
    cursor: Annotated[str | None, MaxLen(500)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SortedPageRequest(PageRequest):
    """For a list with several orders. The list adds `sorting_field`, an enum of its own, and its filters."""

    offset: Annotated[int, Interval(ge=0, le=10_000)] = 0
    sorting_order: SortingOrder = SortingOrder.ASC
    with_total: bool = False

    def ensure_one_position(self) -> None:
        if self.cursor is not None and self.offset:
            raise InvalidError("cursor", "Cannot be combined with offset.")


class Cursors(Protocol):
    """Opaque to clients, and signed, since they hold them. `scope` names the list and the order a cursor belongs to."""

    def encode(self, scope: str, position: tuple[str, ...]) -> str: ...

    def decode(self, scope: str, cursor: str) -> tuple[str, ...]:
        """Raises InvalidError for a cursor that was not made here, or was made for another list or order."""
