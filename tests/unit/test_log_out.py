import pytest

from gatehouse.accounts.application.commands.log_out import LogOut
from gatehouse.testing.in_memory_app import InMemoryApp


@pytest.mark.promise("S7")
async def test_logout_ends_the_session_it_came_with_and_no_other() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    app.add_session(alice, "this browser")
    log_out = app.use(LogOut, alice)
    other = app.add_session(alice, "another browser")

    await log_out()

    assert app.sessions_of(alice) == {other.id}


@pytest.mark.promise("Z10")
async def test_a_repeated_logout_changes_nothing() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    app.add_session(alice)
    log_out = app.use(LogOut, alice)

    await log_out()
    await log_out()

    assert app.store.sessions == {}
