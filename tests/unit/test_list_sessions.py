from datetime import timedelta

from gatehouse.accounts.application.queries.list_sessions import ListSessions
from tests.fakes import LIFETIME
from tests.world import ORIGIN, World


async def test_one_sees_ones_own_live_sessions_newest_first() -> None:
    world = World()
    alice = world.add_user("alice")
    world.add_session(alice, "expired")
    world.clock.advance(LIFETIME.idle)
    old = world.add_session(alice, "this browser")
    list_sessions = world.use(ListSessions, world.user("alice"))
    world.clock.advance(timedelta(minutes=1))
    new = world.add_session(alice, "another browser")
    world.add_session(world.add_user("other"), "someone else")

    sessions = (await list_sessions()).sessions

    assert [session.id for session in sessions] == [new.id, old.id]


async def test_the_session_one_calls_with_is_marked() -> None:
    world = World()
    alice = world.add_user("alice")
    current = world.add_session(alice, "this browser")
    list_sessions = world.use(ListSessions, alice)
    world.add_session(alice, "another browser")

    sessions = (await list_sessions()).sessions

    assert [session.id for session in sessions if session.is_current] == [current.id]
    assert {(session.ip, session.user_agent) for session in sessions} == {(ORIGIN.ip, ORIGIN.user_agent)}
