from gatehouse.accounts.application.commands.end_other_sessions import EndOtherSessions
from tests.world import World


async def test_all_of_ones_own_sessions_but_the_current_one_end() -> None:
    world = World()
    alice, other = world.add_user("alice"), world.add_user("other")
    current = world.add_session(alice, "this browser")
    end_other_sessions = world.use(EndOtherSessions, alice)
    world.add_session(alice, "another browser")
    world.add_session(alice, "a third browser")
    someone_elses = world.add_session(other, "someone else")

    await end_other_sessions()

    assert world.sessions_of(alice) == {current.id}
    assert world.sessions_of(other) == {someone_elses.id}


async def test_where_there_is_no_other_session_nothing_changes() -> None:
    world = World()
    alice = world.add_user("alice")
    current = world.add_session(alice)

    await world.use(EndOtherSessions, alice)()

    assert world.sessions_of(alice) == {current.id}
