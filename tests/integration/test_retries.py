"""After a conflict with a parallel transaction, a use case is retried before its caller gets an answer."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, event

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.running_app import RunningApp

LOST = [psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure]


class Conflicts:
    """Raises a conflict, `remaining` times: at each insert into the audit trail, or at its commit."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._statement = ""
        self.remaining = 0
        self.tries = 0
        self.at_commit = False
        self.kind: type[psycopg.OperationalError] = psycopg.errors.DeadlockDetected
        event.listen(engine, "before_cursor_execute", self.on_statement)
        event.listen(engine, "commit", self.on_commit)

    def on_statement(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self._statement = statement
        if not self.at_commit:
            self._lose()

    def on_commit(self, _connection: object) -> None:
        if self.at_commit:
            self._lose()

    def _lose(self) -> None:
        if self._statement.startswith("INSERT INTO audit_events"):
            self.tries += 1
            if self.remaining:
                self.remaining -= 1
                raise self.kind("lost")

    def stop(self) -> None:
        event.remove(self._engine, "before_cursor_execute", self.on_statement)
        event.remove(self._engine, "commit", self.on_commit)


@pytest.fixture
def conflicts(app: RunningApp) -> Iterator[Conflicts]:
    conflicts = Conflicts(app.database.engine.sync_engine)
    yield conflicts
    conflicts.stop()


def read_grant(owner: psycopg.Connection) -> tuple[object, ...]:
    statement = """
        SELECT (SELECT role FROM users WHERE username = 'alice'),
            (SELECT count(*) FROM audit_events WHERE action = 'grant_admin')
    """
    return owner.execute(statement).fetchone() or ()


@pytest.mark.promise("T1")
@pytest.mark.parametrize("kind", LOST)
async def test_up_to_three_lost_conflicts_go_unnoticed(
    app: RunningApp, owner: psycopg.Connection, conflicts: Conflicts, kind: type[psycopg.OperationalError]
) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    await app.add_user("alice")
    conflicts.kind, conflicts.remaining, conflicts.tries = kind, 3, 0

    assert (await chief.patch("/api/v1/users/grant", json={"username": "alice"})).status_code == 204
    assert (conflicts.tries, *read_grant(owner)) == (4, "admin", 1)


@pytest.mark.parametrize(("at_commit", "tries"), [(False, 4), (True, 1)])
async def test_more_of_them_and_one_at_the_commit_are_unavailable(
    app: RunningApp, owner: psycopg.Connection, conflicts: Conflicts, tries: int, *, at_commit: bool
) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    await app.add_user("alice")
    conflicts.at_commit, conflicts.remaining, conflicts.tries = at_commit, 9, 0

    answer = await chief.patch("/api/v1/users/grant", json={"username": "alice"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert (conflicts.tries, *read_grant(owner)) == (tries, "user", 0)
