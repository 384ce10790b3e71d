"""What a page costs at a million users, by the query plans of the executed statements."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import sqrt
from typing import Any

import psycopg
import pytest

from gatehouse.accounts.application.queries.list_users import UserListRequest, UserSorting
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.session import SessionLifetime, hash_secret
from gatehouse.accounts.infrastructure.queries.list_users import SqlUserPages
from gatehouse.accounts.infrastructure.sessions import SqlLiveSessions
from gatehouse.audit.application.events import AuditRequest
from gatehouse.audit.infrastructure.queries.list_audit_events import SqlAuditPages
from gatehouse.common.application.paging import SortingOrder
from gatehouse.common.application.write_position import WritePosition
from gatehouse.common.domain.audit import Outcome
from gatehouse.common.infrastructure.cursors import SignedCursors
from gatehouse.common.infrastructure.keyset import COUNT_LIMIT
from gatehouse.common.infrastructure.replica.query_database import QueryDatabase
from gatehouse.testing.accounts.fake_queries import read
from gatehouse.testing.fakes import FakeClock
from tests.integration.million import ROWS, ExecutedStatement, Plan, RecordingDatabase, explain, explain_in, million_url

pytestmark = pytest.mark.slow

LIMIT = 20
NEEDED = LIMIT + 1
BRANCHES = 6
# The way down an index, and its last pages.
DESCENT = 8

FILTERS = [
    {},
    {"role": Role.USER},
    {"role": Role.ADMIN},
    {"is_active": True},
    {"is_active": False},
    {"role": Role.USER, "is_active": False},
]
PERIOD = {"since": datetime(2020, 1, 1, 1, tzinfo=UTC), "until": datetime(2020, 1, 1, 3, tzinfo=UTC)}
INDEXES = {
    UserSorting.USERNAME: "ix_users_by_username",
    UserSorting.ROLE: "ix_users_by_id",
    UserSorting.IS_ACTIVE: "ix_users_by_id",
    UserSorting.CREATED_AT: "ix_users_by_created_at",
    UserSorting.UPDATED_AT: "ix_users_by_updated_at",
    UserSorting.LAST_LOGIN_AT: "ix_users_by_last_login_at",
}


@dataclass
class Million:
    """The real queries, on a database that records their statements."""

    database: RecordingDatabase
    connection: psycopg.Connection

    def __post_init__(self) -> None:
        reads, cursors = QueryDatabase(self.database, None, WritePosition), SignedCursors("a secret for the cursors")
        self.users = SqlUserPages(reads, cursors)
        self.events = SqlAuditPages(reads, cursors, FakeClock())

    async def page(self, request: UserListRequest) -> list[Plan]:
        """Every plan that the request may get."""
        return [plan for statement in await self.statements_of(request) for plan in explain(self.connection, statement)]

    async def statements_of(self, request: UserListRequest) -> list[ExecutedStatement]:
        self.database.statements.clear()
        await self.users(request)
        return self.database.statements[:]

    def explain_both_plans(self, statement: ExecutedStatement) -> list[Plan]:
        """The first plan, and the one that PostgreSQL has chosen after many executions."""
        return [
            explain_in(self.connection, statement, "force_custom_plan"),
            explain_in(self.connection, statement, "auto", executions=10),
        ]

    async def cursor(self, request: UserListRequest) -> str:
        """From deep within the list."""
        for offset in (10_000, 5_000, 50):
            if (cursor := read(await self.users(replace(request, offset=offset))).next_cursor) is not None:
                return cursor
        raise AssertionError("There are too few of them.")


@pytest.fixture(scope="module")
def connection() -> Iterator[psycopg.Connection]:
    with psycopg.connect(million_url(), autocommit=True) as connection:
        yield connection


@pytest.fixture
async def million(connection: psycopg.Connection) -> AsyncIterator[Million]:
    database = RecordingDatabase(million_url())
    await database.open()
    yield Million(database, connection)
    await database.close()


@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("order", SortingOrder)
@pytest.mark.parametrize("sorting", UserSorting)
async def test_a_page_costs_its_length_in_any_order_with_any_filters_at_any_depth(
    million: Million, sorting: UserSorting, order: SortingOrder, filters: dict[str, Any]
) -> None:
    first = UserListRequest(limit=LIMIT, sorting_field=sorting, sorting_order=order, **filters)
    deep = replace(first, cursor=await million.cursor(first))
    is_by_username_alone = sorting is UserSorting.USERNAME and not filters
    branches = 1 if is_by_username_alone else BRANCHES

    for plan in [*await million.page(first), *await million.page(deep)]:
        assert plan.sequential == []
        assert plan.indexes == {"uq_users_username" if is_by_username_alone else INDEXES[sorting]}, plan.rows_read
        assert all(scan["Node Type"] == "Index Scan" and "Filter" not in scan for scan in plan.scans)
        assert plan.rows_read <= branches * NEEDED
        assert plan.rows_sorted <= branches * NEEDED
        assert plan.pages_read <= branches * (NEEDED + DESCENT)


@pytest.mark.parametrize("order", SortingOrder)
@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("search", ["user", "user1", "user1a2"])
async def test_a_prefix_by_username_is_a_range_of_an_index(
    million: Million, search: str, order: SortingOrder, filters: dict[str, Any]
) -> None:
    request = UserListRequest(limit=LIMIT, search=search, sorting_order=order, **filters)
    branches = BRANCHES if filters else 1

    for plan in await million.page(request):
        assert plan.indexes == {"ix_users_by_username" if filters else "uq_users_username"}
        assert all("username >= " in scan["Index Cond"] and "Filter" not in scan for scan in plan.scans)
        assert plan.rows_read <= branches * NEEDED
        assert plan.pages_read <= branches * (NEEDED + DESCENT)


@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("search", ["user", "user1", "user1a", "user1a2", "user1a2b", "user1a2b3", "nobody"])
@pytest.mark.parametrize("sorting", [UserSorting.ROLE, UserSorting.IS_ACTIVE, UserSorting.UPDATED_AT])
async def test_a_prefix_in_another_order_reads_the_prefix_or_the_order_whichever_is_shorter(
    million: Million, sorting: UserSorting, search: str, filters: dict[str, Any]
) -> None:
    first = UserListRequest(limit=LIMIT, search=search, sorting_field=sorting, **filters)
    second = replace(first, cursor=read(await million.users(first)).next_cursor)

    for plan in [*await million.page(first), *await million.page(second)]:
        assert plan.sequential == []
        assert plan.rows_read <= 2 * sqrt(NEEDED * ROWS)


@pytest.mark.parametrize("order", SortingOrder)
@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("time", ["last_login_since", "last_login_before"])
@pytest.mark.parametrize("at", [datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 1, 5, tzinfo=UTC)])
async def test_who_logged_in_before_or_since_is_a_range_of_an_index(
    million: Million, at: datetime, time: str, filters: dict[str, Any], order: SortingOrder
) -> None:
    times: dict[str, Any] = {time: at}
    first = UserListRequest(
        limit=LIMIT, sorting_field=UserSorting.LAST_LOGIN_AT, sorting_order=order, **times, **filters
    )

    for plan in await million.page(first):
        assert plan.indexes == {"ix_users_by_last_login_at"}
        assert all("Filter" not in scan for scan in plan.scans)
        assert plan.rows_read <= BRANCHES * NEEDED


@pytest.mark.parametrize("at", [datetime(2024, 1, 1, 0, 2, tzinfo=UTC), datetime(2024, 1, 5, tzinfo=UTC)])
@pytest.mark.parametrize("sorting", [UserSorting.ROLE, UserSorting.UPDATED_AT])
async def test_who_logged_in_before_in_another_order_reads_the_time_or_the_order_whichever_is_shorter(
    million: Million, at: datetime, sorting: UserSorting
) -> None:
    for plan in await million.page(UserListRequest(limit=LIMIT, sorting_field=sorting, last_login_before=at)):
        assert plan.sequential == []
        assert plan.rows_read <= 20 * BRANCHES * NEEDED


@pytest.mark.parametrize(
    ("filters", "total"),
    [
        ({}, None),
        ({"role": Role.USER}, None),
        ({"role": Role.ADMIN}, None),
        ({"role": Role.ADMIN, "is_active": True}, COUNT_LIMIT),
        ({"role": Role.ADMIN, "is_active": False}, 1),
        ({"role": Role.SUPER_ADMIN}, 10),
        ({"is_active": False}, None),
        ({"search": "user1"}, None),
        ({"search": "user1a"}, 4369),
        ({"search": "user1a2b"}, 17),
        ({"search": "user1", "role": Role.SUPER_ADMIN}, 0),
        ({"search": "user", "is_active": False}, None),
        ({"search": "user1", "role": Role.ADMIN, "is_active": True}, 705),
        ({"search": "nobody"}, 0),
    ],
)
async def test_a_total_is_counted_up_to_a_limit(million: Million, filters: dict[str, Any], total: int | None) -> None:
    request = UserListRequest(limit=1, with_total=True, **filters)
    count_statements = [statement for statement in await million.statements_of(request) if "count(*)" in statement.sql]

    assert read(await million.users(request)).total == total
    for plan in explain(million.connection, count_statements[0]):
        assert plan.rows_read <= COUNT_LIMIT + 1


async def test_a_session_is_found_by_two_keys(million: Million) -> None:
    sessions = SqlLiveSessions(
        million.database, SessionLifetime(timedelta(minutes=30), timedelta(hours=12), max_per_user=20)
    )
    million.database.statements.clear()
    await sessions.find(hash_secret("a secret"), FakeClock().now())
    (statement,) = million.database.statements
    found_statement = replace(statement, parameters={**statement.parameters, "secret_hash": hash_secret("7")})

    for plan in explain(million.connection, found_statement):
        assert plan.indexes == {"pk_sessions", "pk_users"}
        assert plan.rows_read == 2
        assert plan.pages_read <= DESCENT


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "pk_audit_events"),
        ({"actor": "user7"}, "ix_audit_events_actor"),
        ({"target": "user7"}, "ix_audit_events_target"),
        ({"action": "grant_admin"}, "ix_audit_events_action"),
        ({"outcome": Outcome.THROTTLED}, "ix_audit_events_outcome"),
        ({"subject": "room7"}, "ix_audit_events_subject_id"),
        ({"actor": "user7", "action": "log_in"}, "ix_audit_events_actor_action"),
        ({"actor": "user7", "action": "grant_admin"}, "ix_audit_events_actor_action"),
        ({"actor": "user0", "action": "log_in"}, "ix_audit_events_actor_action"),
        ({"target": "user7", "action": "log_in"}, "ix_audit_events_target_action"),
        ({"target": "user7", "action": "grant_admin"}, "ix_audit_events_target_action"),
    ],
)
@pytest.mark.parametrize("period", [{}, {"since": datetime(2020, 1, 1, 2, tzinfo=UTC)}, PERIOD], ids=str)
async def test_a_page_of_the_audit_trail_costs_its_length(
    million: Million, filters: dict[str, Any], period: dict[str, Any], index: str
) -> None:
    first = AuditRequest(limit=LIMIT, **filters, **period)
    deep = first
    for _ in range(3):
        deep = replace(first, cursor=(await million.events(deep)).next_cursor)
    million.database.statements.clear()
    await million.events(first)
    await million.events(deep)

    for statement in million.database.statements:
        plans = (
            million.explain_both_plans(statement) if statement.is_prepared else explain(million.connection, statement)
        )
        for plan in plans:
            read = [
                scan for scan in plan.scans if scan["Actual Rows"]
            ]  # partitions without events are tables of 0 pages
            assert {scan["Index Name"].replace("audit_events_first", "audit_events") for scan in read} <= {index}
            assert plan.rows_read <= NEEDED
            assert plan.rows_sorted == 0


@pytest.mark.promise("X1")
def test_an_erasure_reads_the_trail_by_its_indexes_alone(connection: psycopg.Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("""
            INSERT INTO audit_events (id, at, action, outcome, actor, target)
            VALUES (gen_random_uuid(), '2020-02-01Z', 'erase_user', 'succeeded', 'chief', '~pseudonym')
        """)
        for events in (1000, 572, 0):  # of 1 000 by that user and 714 on them, 142 of which are both
            changed = connection.execute("SELECT erase_from_audit_events('user7', '~pseudonym', 1000)").fetchone()
            assert changed == (events,)
        read = connection.execute("SELECT sum(seq_tup_read) FROM pg_stat_xact_user_tables").fetchone()

    assert read == (0,)
