"""Pages by keyset: the cost of a page depends on its length alone, however deep it lies and however long the list is.

A list says in a `KeysetList` what its SQL is made of; cursors, prefix range, bounded total and the one row more that
tells of a next page are done here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from types import MappingProxyType
from typing import Final, Self

from psycopg.rows import scalar_row, tuple_row

from gatehouse.common.application.paging import Cursors, PageRequest, SortedPageRequest, SortingOrder
from gatehouse.common.infrastructure.replica.query_database import QueryDatabase

COUNT_LIMIT: Final = 10_000
"""A total beyond it is not counted: that would cost what the pages save."""
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeysetList:
    """One list. Everything in it is constant SQL; what a client sends goes as parameters only."""

    table: str
    select: str
    """What is shown of a row."""
    orders: Mapping[str, tuple[str, ...]]
    """A sorting field to its columns. The last is unique, so that every order is total; an index has them all."""
    types: Mapping[str, str] = _NOTHING
    """The type of each of those columns that is no text: a cursor holds text."""
    filters: Mapping[str, str] = _NOTHING
    """A filter's name to its condition, where its value is `%(name)s`."""
    prefix_column: str = ""
    """What a search is a prefix of: ASCII text with collation "C"."""
    branches: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """Columns of few values, with all of these, that lead the index of each order, and are filters as well.

    A page is then the best rows of one branch for each combination that may match. Within a branch they are constant,
    so the index is read from the right place on, and reading stops after a page's worth of rows.
    """
    orders_without_branches: frozenset[str] = frozenset()
    """Orders that have an index of their own, for when no such filter is given."""


@dataclass(frozen=True, slots=True)
class KeysetQuery:
    """Which page of a list. Filters are pairs of name and value, none of them None."""

    order: str
    direction: SortingOrder
    filters: tuple[tuple[str, object], ...]
    prefix: str | None
    limit: int
    offset: int

    @classmethod
    def of(cls, request: PageRequest, order: str, *, prefix: str | None = None, **filters: object) -> Self:
        """`request.sorting_order` counts where it has one; other lists are newest first."""
        direction, offset = SortingOrder.DESC, 0
        if isinstance(request, SortedPageRequest):
            direction, offset = request.sorting_order, request.offset
        given = tuple([pair for pair in filters.items() if pair[1] is not None])
        return cls(order, direction, given, prefix, request.limit, offset)


@dataclass(frozen=True, slots=True)
class KeysetPage[Row]:
    rows: list[Row]
    next_cursor: str | None


class KeysetPages:
    def __init__(self, keyset: KeysetList, database: QueryDatabase, cursors: Cursors) -> None:
        self._keyset = keyset
        self._database = database
        self._cursors = cursors

    async def fetch[Row](
        self, query: KeysetQuery, cursor: str | None, to_row: Callable[[Sequence[object]], Row]
    ) -> KeysetPage[Row]:
        """Raises InvalidError for a cursor of another list, order or filter."""
        after = None if cursor is None else self._cursors.decode(_scope(self._keyset.table, query), cursor)
        parameters = _parameters(self._keyset, query)
        if after is not None:
            parameters |= {f"after_{place}": value for place, value in enumerate(after)}
        # Which index serves a prefix in another order depends on the prefix: such a statement is planned anew.
        prepare = None if query.prefix is None else False
        statement = _statement(self._keyset, query, None if after is None else after[0])
        fetched = await self._database.fetch_all(statement, parameters, tuple_row, prepare=prepare)
        if len(fetched) <= query.limit:
            return KeysetPage([to_row(row) for row in fetched], None)
        # The columns behind what is shown are the row's place in the order, as text.
        position = fetched[query.limit - 1][-len(self._keyset.orders[query.order]) :]
        rows = [to_row(row) for row in fetched[: query.limit]]
        return KeysetPage(rows, self._cursors.encode(_scope(self._keyset.table, query), position))

    async def count(self, query: KeysetQuery) -> int | None:
        """How many rows match, or None where there are more than COUNT_LIMIT."""
        parameters = _parameters(self._keyset, query)
        total = await self._database.fetch_one(_count_statement(self._keyset, query), parameters, scalar_row)
        return None if total is None or total > COUNT_LIMIT else total


@lru_cache(maxsize=256)
def _statement(keyset: KeysetList, query: KeysetQuery, after: str | None) -> str:
    """`after` is the first column of the position behind which the page begins."""
    # Limits stand in the text: with a parameter in their place PostgreSQL would plan for a tenth of the table.
    needed = query.limit + 1
    columns = keyset.orders[query.order]
    direction = query.direction.value.upper()
    # Where a column of the order is constant, PostgreSQL drops it and may walk another index than the branch's: naming
    # all constant columns keeps it to that one.
    constants = tuple(column for column in keyset.branches if columns[0] in keyset.branches and column not in columns)
    order = ", ".join(f"{column} {direction}" for column in columns)
    inner = ", ".join(f"{column} {direction}" for column in (*constants, *columns))
    branches = " UNION ALL ".join(
        f"(SELECT * FROM {keyset.table} WHERE {condition} ORDER BY {inner} LIMIT {query.offset + needed})"
        for condition in _branch_conditions(keyset, query, after)
    )
    position = ", ".join(f"{column}::text AS position_{place}" for place, column in enumerate(columns))
    return f"""
        SELECT {keyset.select}, {position} FROM ({branches}) AS {keyset.table}
        ORDER BY {order} LIMIT {needed} OFFSET {query.offset}
    """


@lru_cache(maxsize=256)
def _count_statement(keyset: KeysetList, query: KeysetQuery) -> str:
    values = _branch_values(keyset, query)
    conditions = _common_conditions(keyset, query)
    for place, (column, some) in enumerate(values.items()):
        if place == 0 or some != keyset.branches[column]:
            conditions.append(f"{column} IN ({', '.join(map(_literal, some))})")
    where = " AND ".join(conditions) or "true"
    return f"SELECT count(*) FROM (SELECT FROM {keyset.table} WHERE {where} LIMIT {COUNT_LIMIT + 1}) AS matching"


def _branch_conditions(keyset: KeysetList, query: KeysetQuery, after: str | None) -> Iterator[str]:
    common = _common_conditions(keyset, query)
    values = _branch_values(keyset, query)
    if query.order in keyset.orders_without_branches and values == keyset.branches:
        values = {}
    for combination in product(*values.values()):
        constants = dict(zip(values, combination, strict=True))
        equal = [f"{column} = {_literal(value)}" for column, value in constants.items()]
        yield " AND ".join([*equal, *common, *_behind_cursor(keyset, query, after, constants)]) or "true"


def _behind_cursor(
    keyset: KeysetList, query: KeysetQuery, after: str | None, constants: Mapping[str, str]
) -> Iterator[str]:
    """What lies behind the cursor, in a branch where the first column of the order may be constant."""
    if after is None:
        return
    columns = keyset.orders[query.order]
    is_after = ">" if query.direction is SortingOrder.ASC else "<"
    first = 0
    constant = constants.get(columns[0])
    if constant is not None:
        if constant != after:
            # Such values sort by their text, here as in PostgreSQL: the branch lies wholly behind the cursor or before.
            if (constant > after) is (is_after == "<"):
                yield "false"
            return
        first = 1
    places = [f"%(after_{place})s::{keyset.types.get(column, 'text')}" for place, column in enumerate(columns)]
    yield f"({', '.join(columns[first:])}) {is_after} ({', '.join(places[first:])})"


def _common_conditions(keyset: KeysetList, query: KeysetQuery) -> list[str]:
    conditions = [keyset.filters[name] for name, _ in query.filters if name not in keyset.branches]
    if query.prefix is not None:
        conditions.append(f"{keyset.prefix_column} >= %(prefix_from)s AND {keyset.prefix_column} < %(prefix_below)s")
    return conditions


def _branch_values(keyset: KeysetList, query: KeysetQuery) -> Mapping[str, tuple[str, ...]]:
    """Of each branch column the values that may match."""
    given = {name: _text(value) for name, value in query.filters if name in keyset.branches}
    return {
        column: tuple(value for value in values if given.get(column, value) == value)
        for column, values in keyset.branches.items()
    }


def _parameters(keyset: KeysetList, query: KeysetQuery) -> dict[str, object]:
    parameters = {name: value for name, value in query.filters if name not in keyset.branches}
    if query.prefix is not None:
        # All that begins with the prefix lies between it and the same with its last character raised by one.
        raised = query.prefix[:-1] + chr(ord(query.prefix[-1]) + 1)
        parameters |= {"prefix_from": query.prefix, "prefix_below": raised}
    return parameters


@lru_cache(maxsize=256)
def _scope(table: str, query: KeysetQuery) -> str:
    """What a cursor is bound to: the list, its order and its filters, but not the page's length."""
    filters = sorted((name, str(value)) for name, value in query.filters)
    return f"{table} {query.order} {query.direction} {query.prefix!r} {filters}"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _literal(value: str) -> str:
    return f"'{value}'"
