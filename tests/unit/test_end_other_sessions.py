from gatehouse.accounts.application.commands.end_other_sessions import EndOtherSessions
from gatehouse.testing.in_memory_app import InMemoryApp


async def test_all_of_ones_own_sessions_but_the_current_one_end() -> None:
    app = InMemoryApp()
    alice, other = app.add_user("alice"), app.add_user("other")
    current = app.add_session(alice, "this browser")
    end_other_sessions = app.use(EndOtherSessions, alice)
    app.add_session(alice, "another browser")
    app.add_session(alice, "a third browser")
    someone_elses = app.add_session(other, "someone else")

    await end_other_sessions()

    assert app.sessions_of(alice) == {current.id}
    assert app.sessions_of(other) == {someone_elses.id}


async def test_where_there_is_no_other_session_nothing_changes() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    current = app.add_session(alice)

    await app.use(EndOtherSessions, alice)()

    assert app.sessions_of(alice) == {current.id}
