from uuid import UUID

import pytest
from uuid6 import uuid7

from tests.integration.conftest import Gateways
from tests.sample.application.ports import Badges
from tests.sample.domain.badge import Badge
from tests.sample.domain.errors import BadgeTakenError


async def new_badge(gateways: Gateways, name: str, badge_id: UUID | None = None) -> Badge:
    alice = await gateways.find("alice") or await gateways.add_user("alice")
    return Badge(badge_id or uuid7(), name, alice.id, gateways.clock.now())


async def test_what_is_added_is_found_until_it_is_removed(gateways: Gateways) -> None:
    badges: Badges = await gateways.get(Badges)
    gold = await new_badge(gateways, "gold")

    async with gateways.transaction:
        await badges.add(gold)
        assert await badges.find(gold.id) == await badges.lock(gold.id) == gold
        await badges.remove(gold)
        assert await badges.find(gold.id) is await badges.lock(gold.id) is None


async def test_a_name_is_taken_once(gateways: Gateways) -> None:
    badges: Badges = await gateways.get(Badges)
    gold, other = await new_badge(gateways, "gold"), await new_badge(gateways, "gold")
    async with gateways.transaction:
        await badges.add(gold)

    async def add_the_other() -> None:
        async with gateways.transaction:
            await badges.add(other)

    with pytest.raises(BadgeTakenError):
        await add_the_other()


async def test_what_is_rolled_back_was_never_there(gateways: Gateways) -> None:
    badges: Badges = await gateways.get(Badges)
    gold = await new_badge(gateways, "gold")

    async def add_and_fail() -> None:
        async with gateways.transaction:
            await badges.add(gold)
            raise LookupError

    with pytest.raises(LookupError):
        await add_and_fail()
    async with gateways.transaction:
        assert await badges.find(gold.id) is None
