import pytest

from gatehouse.accounts.application.commands.end_sessions_by_hand import EndSessionsByHand
from gatehouse.accounts.domain.errors import UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.testing.in_memory_app import InMemoryApp


@pytest.mark.parametrize("role", Role)
async def test_the_operator_ends_all_sessions_of_anybody_and_is_told_how_many(role: Role) -> None:
    app = InMemoryApp()
    alice, bobby = app.add_user("alice", role), app.add_user("bobby")
    app.add_session(alice, "one")
    app.add_session(alice, "two")
    of_bobby = app.add_session(bobby, "three")

    assert await app.use(EndSessionsByHand)("Alice") == 2
    assert await app.use(EndSessionsByHand)("Alice") == 0

    assert app.sessions_of(alice) == set()
    assert app.sessions_of(bobby) == {of_bobby.id}
    assert app.user("alice") == alice


async def test_an_unknown_user_is_not_found() -> None:
    with pytest.raises(UserNotFoundError):
        await InMemoryApp().use(EndSessionsByHand)("nobody")
