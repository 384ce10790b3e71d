from uuid import uuid4

import pytest

from gatehouse.accounts.application.commands.end_session import EndSession
from gatehouse.accounts.domain.errors import SessionNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.testing.in_memory_app import InMemoryApp


async def test_one_ends_one_of_ones_own_sessions_and_no_other() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    session, other_session = app.add_session(alice, "this browser"), app.add_session(alice, "another browser")

    await app.use(EndSession, alice)(other_session.id)

    assert app.sessions_of(alice) == {session.id}


async def test_one_may_end_the_current_session_too() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    current = app.add_session(alice)

    await app.use(EndSession, alice)(current.id)

    assert app.sessions_of(alice) == set()


@pytest.mark.parametrize("role", Role)
async def test_the_session_of_someone_else_is_not_found(role: Role) -> None:
    app = InMemoryApp()
    caller, other = app.add_user("caller", role), app.add_user("other")
    session = app.add_session(other)

    with pytest.raises(SessionNotFoundError) as foreign_error:
        await app.use(EndSession, caller)(session.id)
    with pytest.raises(SessionNotFoundError) as unknown_error:
        await app.use(EndSession, caller)(uuid4())

    assert foreign_error.value.detail == unknown_error.value.detail
    assert app.sessions_of(other) == {session.id}
    assert app.store.events == []


async def test_a_session_that_has_ended_is_not_found() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    session = app.add_session(alice)
    end_session = app.use(EndSession, alice)
    await end_session(session.id)

    with pytest.raises(SessionNotFoundError):
        await end_session(session.id)
