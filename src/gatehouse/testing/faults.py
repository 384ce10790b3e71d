"""Whatever a command is doing when the database fails it: all of it happens, or nothing.

For a module of one's own:

    @pytest.mark.parametrize("case", TESTS.fault_cases, ids=str)
    async def test_a_fault_leaves_nothing_behind(
        harness: Harness, owner: psycopg.Connection, case: FaultCase
    ) -> None:
        await check_faults(harness, owner, case)
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, get_type_hints

import psycopg
from sqlalchemy import Engine, event

from gatehouse.accounts.application.passwords import Passwords
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.database import Database
from gatehouse.testing.database import Rows, changed_tables, rows_of
from gatehouse.testing.declaration import FaultCase, Fixtures
from gatehouse.testing.harness import Harness

PEOPLE: Final = {
    "alice": Role.USER,
    "inactive": Role.USER,
    "outdated": Role.USER,
    "admin": Role.ADMIN,
    "chief": Role.SUPER_ADMIN,
    "other": Role.SUPER_ADMIN,
}
"""Who a fault case finds, each with three sessions. `outdated` has a password hash that is to be replaced."""
OUTSIDE_THE_TRANSACTION: Final = "attempts"
"""Where a command verifies or chooses a password: counted before it is hashed, so that parallel guesses cannot outrun
the count.
"""


@dataclass(frozen=True)
class FaultScenario:
    """People of every kind with sessions, and one call that one of them makes."""

    harness: Harness
    owner: psycopg.Connection
    case: FaultCase
    fixtures: Fixtures

    async def call(self) -> None:
        caller = None if self.case.caller is None else self.fixtures.users[self.case.caller]
        await self.harness.call(self.case.command, caller, *self.case.arguments(self.fixtures))

    def stored(self) -> Rows:
        left_out = OUTSIDE_THE_TRANSACTION if Passwords in get_type_hints(self.case.command).values() else None
        return {table: rows for table, rows in rows_of(self.owner).items() if table != left_out}

    def events(self) -> int:
        return len(self.stored()["audit_events"])


async def check_faults(harness: Harness, owner: psycopg.Connection, case: FaultCase) -> None:
    """Each statement and the commit fail once: nothing is left of the call. Then none fails: all is done, and there is
    one event in the audit trail. It begins on an empty database.
    """
    scenario = await prepare(harness, owner, case)
    engine = (await harness.container.get(Database)).engine.sync_engine
    before, failures = scenario.stored(), 0
    while True:
        try:
            with fault_at(engine, failures + 1, psycopg.OperationalError("lost")):
                await scenario.call()
        except UnavailableError:
            assert scenario.stored() == before
            failures += 1
        else:
            break

    assert failures >= 3
    assert changed_tables(before, scenario.stored()) - {"audit_events"}
    assert scenario.events() == 1


async def prepare(harness: Harness, owner: psycopg.Connection, case: FaultCase) -> FaultScenario:
    users, sessions = {}, {}
    for name, role in PEOPLE.items():
        users[name] = await harness.add_user(name, role)
        sessions[name] = await harness.add_sessions(users[name], 3)
    owner.execute("UPDATE users SET is_active = false WHERE username = 'inactive'")
    owner.execute("UPDATE users SET password_hash = 'outdated ' || password_hash WHERE username = 'outdated'")
    fixtures = Fixtures(users, sessions)
    await case.seed(harness, fixtures)
    return FaultScenario(harness, owner, case, fixtures)


@contextmanager
def listen(engine: Engine, **listeners: Callable[..., None]) -> Iterator[None]:
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        yield
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


@contextmanager
def fault_at(engine: Engine, step: int, fault: Exception) -> Iterator[None]:
    """Statements and commits alike are steps; the fault comes before the step is sent."""
    steps = iter(range(1, 1000))

    def count(*_: object) -> None:
        if next(steps) == step:
            raise fault

    with listen(engine, before_cursor_execute=count, commit=count):
        yield
