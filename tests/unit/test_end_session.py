from uuid import uuid4

import pytest

from gatehouse.accounts.application.commands.end_session import EndSession
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import SessionNotFoundError
from tests.world import World


async def test_one_ends_one_of_ones_own_sessions_and_no_other() -> None:
    world = World()
    alice = world.add_user("alice")
    this, another = world.add_session(alice, "this browser"), world.add_session(alice, "another browser")

    await world.use(EndSession, alice)(another.id)

    assert world.sessions_of(alice) == {this.id}


async def test_one_may_end_the_current_session_too() -> None:
    world = World()
    alice = world.add_user("alice")
    current = world.add_session(alice)

    await world.use(EndSession, alice)(current.id)

    assert world.sessions_of(alice) == set()


@pytest.mark.parametrize("role", Role)
async def test_the_session_of_someone_else_is_not_found(role: Role) -> None:
    world = World()
    caller, other = world.add_user("caller", role), world.add_user("other")
    session = world.add_session(other)

    with pytest.raises(SessionNotFoundError) as theirs:
        await world.use(EndSession, caller)(session.id)
    with pytest.raises(SessionNotFoundError) as nobodys:
        await world.use(EndSession, caller)(uuid4())

    assert theirs.value.detail == nobodys.value.detail
    assert world.sessions_of(other) == {session.id}
    assert world.store.events == []


async def test_a_session_that_has_ended_is_not_found() -> None:
    world = World()
    alice = world.add_user("alice")
    session = world.add_session(alice)
    end_session = world.use(EndSession, alice)
    await end_session(session.id)

    with pytest.raises(SessionNotFoundError):
        await end_session(session.id)
