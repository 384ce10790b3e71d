import pytest
from gatehouse.testing.contract import Gateways
from uuid6 import uuid7

from lending.loans.application.ports import Items
from lending.loans.domain.errors import ItemExistsError
from lending.loans.domain.item import Item, ItemName

DRILL = ItemName("drill")


async def test_what_is_added_is_found(gateways: Gateways) -> None:
    items: Items = await gateways.get(Items)
    drill = Item(uuid7(), DRILL)

    async with gateways.transaction:
        await items.add(drill)

    async with gateways.transaction:
        assert await items.find(DRILL) == drill
        assert await items.find(ItemName("Drill")) is None


async def test_a_name_is_taken_once(gateways: Gateways) -> None:
    items: Items = await gateways.get(Items)

    with pytest.raises(ItemExistsError):
        async with gateways.transaction:
            await items.add(Item(uuid7(), DRILL))
            await items.add(Item(uuid7(), DRILL))

    async with gateways.transaction:
        assert await items.find(DRILL) is None
