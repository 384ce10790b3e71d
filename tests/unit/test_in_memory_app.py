"""Use cases in memory."""

from gatehouse.accounts import Identity
from gatehouse.common.application.use_case import query
from gatehouse.testing.in_memory_app import InMemoryApp


@query
class WhoAmI:
    """Asked by another."""

    identity: Identity

    async def __call__(self) -> str:
        return self.identity.username.value


@query
class Greet:
    """As a module uses what another one offers."""

    who_am_i: WhoAmI

    async def __call__(self) -> str:
        return f"Hello, {await self.who_am_i()}."


async def test_a_use_case_that_another_one_asks_for_has_the_same_caller() -> None:
    app = InMemoryApp()

    assert await app.use(Greet, app.add_user("alice"))() == "Hello, alice."
