from datetime import timedelta

from gatehouse.accounts.application.commands.end_all_sessions import EndAllSessions, Progress
from gatehouse.accounts.domain.role import Role
from gatehouse.testing.fakes import FakeEvent
from gatehouse.testing.in_memory_app import InMemoryApp


async def go_on(app: InMemoryApp, progress: Progress | None = None) -> Progress:
    progress = await app.use(EndAllSessions)(progress)
    while not progress.is_done:
        progress = await app.use(EndAllSessions)(progress)
    return progress


async def test_every_session_ends_batch_by_batch_with_one_event() -> None:
    app = InMemoryApp()
    for name, role in (("alice", Role.USER), ("chief", Role.SUPER_ADMIN)):
        user = app.add_user(name, role)
        for number in range(3):
            app.add_session(user, f"{name} {number}")

    assert (await go_on(app)).ended == 6

    assert app.store.sessions == {}
    assert app.store.events == [FakeEvent("end_all_sessions", None, None)]


async def test_sessions_that_are_opened_meanwhile_stay() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    app.add_session(alice, "one")
    app.add_session(alice, "two")

    progress = await app.use(EndAllSessions)()
    app.clock.advance(timedelta(seconds=1))
    later = {app.add_session(alice, f"later {number}").id for number in range(5)}

    assert (await go_on(app, progress)).ended == 2
    assert app.sessions_of(alice) == later


async def test_what_was_opened_before_and_is_found_behind_ends_in_a_further_pass() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    for number in range(20):
        app.add_session(alice, f"session {number}")

    progress = await app.use(EndAllSessions)()
    for number in range(20):
        app.add_session(alice, f"just committed {number}")  # some of them with lower keys

    assert (await go_on(app, progress)).ended == 40
    assert app.store.sessions == {}


async def test_where_nobody_is_logged_in_nothing_is_recorded() -> None:
    app = InMemoryApp()

    assert (await go_on(app)).ended == 0
    assert app.store.events == []
