"""Keyset pagination: the cost of a page depends on its length alone, not on its depth or on the length of the list.

A list describes the parts of its SQL in a `KeysetList`. Cursors, prefix search, the bounded total and the extra row
that shows whether there is a next page are handled here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from types import MappingProxyType
from typing import Any, Final, Self

from psycopg.rows import scalar_row, tuple_row

from gatehouse.common.application.paging import Cursors, PageRequest, SortedPageRequest, SortingOrder
from gatehouse.common.infrastructure.replica.query_database import QueryDatabase

COUNT_LIMIT: Final = 10_000
"""A larger total is not counted: that would cost what keyset pagination saves."""
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Window:
    """Conditions that leave a part of a partitioned table, as constant SQL with their parameters."""

    conditions: tuple[str, ...] = ()
    parameters: Mapping[str, object] = MappingProxyType({})


_WHOLE_TABLE: Final = (Window(),)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeysetList:
    """One list. Everything in it is constant SQL; what a client sends goes as parameters only."""

    table: str
    select: str
    """The columns that are returned."""
    orders: Mapping[str, tuple[str, ...]]
    """Maps a sorting field to its columns. The last is unique, so that every order is total; an index has them all."""
    types: Mapping[str, str] = _NOTHING
    """The type of each of those columns that is not text, since a cursor holds text."""
    filters: Mapping[str, str] = _NOTHING
    """Maps a filter's name to its condition, in which its value is `%(name)s`."""
    ranges: frozenset[str] = frozenset()
    """Filters by a range. How many rows one leaves depends on its value, so PostgreSQL plans for that."""
    prefix_column: str = ""
    """The column that a prefix search applies to: ASCII text with collation "C"."""
    branches: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """Columns with few values, each with all its values. They lead the index of each order, and are filters as well.

    The statement has a branch, a subquery, for each combination of values that may match. Within it these columns are
    constant, so that PostgreSQL reads one range of the index, of one page's length. The page is the first of all rows.
    """
    orders_without_branches: frozenset[str] = frozenset()
    """Orders that also have an index without these columns, for requests that do not filter by them."""
    condition_without_branches: str = "true"
    """Leaves out, in those orders, rows that are in no branch."""
    windows: Callable[[Mapping[str, object]], Iterable[Window]] = lambda _: _WHOLE_TABLE
    """For a partitioned table, whose statements otherwise cost as much as there are partitions: where to look, one
    window after the other in the direction of the order, until the page is full. It gets the values of the filters, and
    those of the cursor's position as `after_0` and so on.
    """


@dataclass(frozen=True, slots=True)
class KeysetQuery:
    """Which page of a list. Filters are pairs of a name and a value that is not None."""

    order: str
    direction: SortingOrder
    filters: tuple[tuple[str, object], ...]
    prefix: str | None
    limit: int
    offset: int

    @classmethod
    def of(cls, request: PageRequest, order: str, *, prefix: str | None = None, **filters: object) -> Self:
        """A list whose request has no `sorting_order` is newest first."""
        direction, offset = SortingOrder.DESC, 0
        if isinstance(request, SortedPageRequest):
            direction, offset = request.sorting_order, request.offset
        pairs = tuple([pair for pair in filters.items() if pair[1] is not None])
        return cls(order, direction, pairs, prefix, request.limit, offset)


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
        self, query: KeysetQuery, cursor: str | None, to_row: Callable[[Sequence[Any]], Row]
    ) -> KeysetPage[Row]:
        """Raises InvalidError for a cursor of another list, order or filter.

        `to_row` gets a value for each column of `select`, of that column's type, and then some that it leaves alone.
        """
        after = None if cursor is None else self._cursors.decode(_scope(self._keyset.table, query), cursor)
        parameters = _parameters(self._keyset, query)
        if after is not None:
            parameters |= {f"after_{place}": value for place, value in enumerate(after)}
        # The best plan for a prefix or a range depends on how many rows it has, so it is made each time.
        has_range = query.prefix is not None or any(name in self._keyset.ranges for name, _ in query.filters)
        fetched: list[tuple[Any, ...]] = []
        for window in self._keyset.windows(parameters):
            statement = _statement(self._keyset, query, None if after is None else after[0], window.conditions)
            prepare = False if has_range or window.conditions else None
            fetched += await self._database.fetch_all(
                statement, {**parameters, **window.parameters}, tuple_row, prepare=prepare
            )
            if len(fetched) > query.limit:
                break
        if len(fetched) <= query.limit:
            return KeysetPage([to_row(row) for row in fetched], None)
        # A row's last columns are its position in the order, as text.
        position = fetched[query.limit - 1][-len(self._keyset.orders[query.order]) :]
        rows = [to_row(row) for row in fetched[: query.limit]]
        return KeysetPage(rows, self._cursors.encode(_scope(self._keyset.table, query), position))

    async def count(self, query: KeysetQuery) -> int | None:
        """How many rows match, or None where there are more than COUNT_LIMIT."""
        parameters = _parameters(self._keyset, query)
        total = await self._database.fetch_one(_count_statement(self._keyset, query), parameters, scalar_row)
        return None if total is None or total > COUNT_LIMIT else total


@lru_cache(maxsize=256)
def _statement(keyset: KeysetList, query: KeysetQuery, after: str | None, window: tuple[str, ...]) -> str:
    """`after` is the first column of the cursor's position."""
    # Limits are part of the text: for a parameter PostgreSQL's planner would assume a tenth of the table.
    rows_to_fetch = query.limit + 1
    columns = keyset.orders[query.order]
    direction = query.direction.value.upper()
    # PostgreSQL drops a constant column from the order and may then choose another index than the branch's. Naming all
    # constant columns makes it choose that one.
    constants = tuple(column for column in keyset.branches if columns[0] in keyset.branches and column not in columns)
    order = ", ".join(f"{column} {direction}" for column in columns)
    inner = ", ".join(f"{column} {direction}" for column in (*constants, *columns))
    branches = " UNION ALL ".join(
        f"(SELECT * FROM {keyset.table} WHERE {condition} ORDER BY {inner} LIMIT {query.offset + rows_to_fetch})"
        for condition in _branch_conditions(keyset, query, after, window)
    )
    position = ", ".join(f"{column}::text AS position_{place}" for place, column in enumerate(columns))
    return f"""
        SELECT {keyset.select}, {position} FROM ({branches}) AS {keyset.table}
        ORDER BY {order} LIMIT {rows_to_fetch} OFFSET {query.offset}
    """


@lru_cache(maxsize=256)
def _count_statement(keyset: KeysetList, query: KeysetQuery) -> str:
    values = _branch_values(keyset, query)
    conditions = _common_conditions(keyset, query)
    for place, (column, column_values) in enumerate(values.items()):
        if place == 0 or column_values != keyset.branches[column]:
            conditions.append(f"{column} IN ({', '.join(map(_literal, column_values))})")
    where = " AND ".join(conditions) or "true"
    return f"SELECT count(*) FROM (SELECT FROM {keyset.table} WHERE {where} LIMIT {COUNT_LIMIT + 1}) AS matching"


def _branch_conditions(
    keyset: KeysetList, query: KeysetQuery, after: str | None, window: tuple[str, ...]
) -> Iterator[str]:
    common = [*_common_conditions(keyset, query), *window]
    values = _branch_values(keyset, query)
    if query.order in keyset.orders_without_branches and values == keyset.branches:
        values, common = {}, [*common, keyset.condition_without_branches]
    for combination in product(*values.values()):
        constants = dict(zip(values, combination, strict=True))
        equal = [f"{column} = {_literal(value)}" for column, value in constants.items()]
        yield " AND ".join([*equal, *common, *_after_cursor(keyset, query, after, constants)]) or "true"


def _after_cursor(
    keyset: KeysetList, query: KeysetQuery, after: str | None, constants: Mapping[str, str]
) -> Iterator[str]:
    """The condition for the rows after the cursor, in a branch where the first column of the order may be constant."""
    if after is None:
        return
    columns = keyset.orders[query.order]
    is_after = ">" if query.direction is SortingOrder.ASC else "<"
    first = 0
    constant = constants.get(columns[0])
    if constant is not None:
        if constant != after:
            # These values sort as text, here and in PostgreSQL: the whole branch comes after the cursor, or before it.
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
    """The values of each branch column that may match."""
    filter_values = {name: _text(value) for name, value in query.filters if name in keyset.branches}
    return {
        column: tuple(value for value in values if filter_values.get(column, value) == value)
        for column, values in keyset.branches.items()
    }


def _parameters(keyset: KeysetList, query: KeysetQuery) -> dict[str, object]:
    parameters = {name: value for name, value in query.filters if name not in keyset.branches}
    if query.prefix is not None:
        # Whatever begins with the prefix sorts between it and the same text with its last character incremented.
        upper_bound = query.prefix[:-1] + chr(ord(query.prefix[-1]) + 1)
        parameters |= {"prefix_from": query.prefix, "prefix_below": upper_bound}
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
