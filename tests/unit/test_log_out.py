import pytest

from gatehouse.accounts.application.commands.log_out import LogOut
from tests.world import World


@pytest.mark.promise("S7")
async def test_logout_ends_the_session_it_came_with_and_no_other() -> None:
    world = World()
    alice = world.add_user("alice")
    world.add_session(alice, "this browser")
    log_out = world.use(LogOut, alice)
    other = world.add_session(alice, "another browser")

    await log_out()

    assert world.sessions_of(alice) == {other.id}


@pytest.mark.promise("Z10")
async def test_a_repeated_logout_changes_nothing() -> None:
    world = World()
    alice = world.add_user("alice")
    world.add_session(alice)
    log_out = world.use(LogOut, alice)

    await log_out()
    await log_out()

    assert world.store.sessions == {}
