import pytest

from gatehouse.accounts.application.commands.purge_sessions import PurgeSessions
from gatehouse.testing.fakes import LIFETIME
from gatehouse.testing.in_memory_app import InMemoryApp


@pytest.mark.promise("S16")
@pytest.mark.parametrize("expired", [0, 1, 3])
async def test_expired_sessions_go_batch_by_batch_until_none_is_left(expired: int) -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    for number in range(expired):
        app.add_session(alice, f"browser {number}")
    app.clock.advance(LIFETIME.idle)
    alive = app.add_session(alice, "a live one")

    assert await app.use(PurgeSessions)() == expired

    assert app.sessions_of(alice) == {alive.id}
