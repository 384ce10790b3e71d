from datetime import timedelta

from gatehouse.accounts.application.queries.list_sessions import ListSessions
from gatehouse.testing.fakes import CONTEXT, LIFETIME
from gatehouse.testing.in_memory_app import InMemoryApp


async def test_one_sees_ones_own_live_sessions_newest_first() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    app.add_session(alice, "expired")
    app.clock.advance(LIFETIME.idle)
    old = app.add_session(alice, "this browser")
    list_sessions = app.use(ListSessions, app.user("alice"))
    app.clock.advance(timedelta(minutes=1))
    new = app.add_session(alice, "another browser")
    app.add_session(app.add_user("other"), "someone else")

    sessions = (await list_sessions()).sessions

    assert [session.id for session in sessions] == [new.id, old.id]


async def test_the_session_one_calls_with_is_marked() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    current = app.add_session(alice, "this browser")
    list_sessions = app.use(ListSessions, alice)
    app.add_session(alice, "another browser")

    sessions = (await list_sessions()).sessions

    assert [session.id for session in sessions if session.is_current] == [current.id]
    assert {(session.ip, session.user_agent) for session in sessions} == {(CONTEXT.ip, CONTEXT.user_agent)}
