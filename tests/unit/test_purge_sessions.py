import pytest

from gatehouse.accounts.application.commands.purge_sessions import PurgeSessions
from tests.fakes import LIFETIME
from tests.world import World


@pytest.mark.promise("S16")
@pytest.mark.parametrize("expired", [0, 1, 3])
async def test_expired_sessions_go_batch_by_batch_until_none_is_left(expired: int) -> None:
    world = World()
    alice = world.add_user("alice")
    for number in range(expired):
        world.add_session(alice, f"browser {number}")
    world.clock.advance(LIFETIME.idle)
    alive = world.add_session(alice, "a live one")

    assert await world.use(PurgeSessions)() == expired

    assert world.sessions_of(alice) == {alive.id}
