import pytest

from gatehouse.accounts.domain.username import Username
from gatehouse.common.domain.audit import Action
from tests.fakes import FakeEvent
from tests.integration.conftest import Gateways

CHIEF, ALICE = Username("chief"), Username("alice")


@pytest.mark.promise("G2")
async def test_what_is_recorded_is_kept_in_order(gateways: Gateways) -> None:
    async with gateways.transaction:
        await gateways.audit.record(Action.GRANT_ADMIN, actor=CHIEF, target=ALICE)
        await gateways.audit.record(Action.CREATE_SUPER_ADMIN, actor=None, target=CHIEF)
    async with gateways.transaction:
        await gateways.audit.record(Action.LOG_OUT, actor=ALICE)

    assert await gateways.recorded() == [
        FakeEvent(Action.GRANT_ADMIN, "chief", "alice"),
        FakeEvent(Action.CREATE_SUPER_ADMIN, None, "chief"),
        FakeEvent(Action.LOG_OUT, "alice", None),
    ]


@pytest.mark.promise("G2")
async def test_a_record_is_rolled_back_with_what_it_records(gateways: Gateways) -> None:
    async def record_and_fail() -> None:
        async with gateways.transaction:
            await gateways.audit.record(Action.GRANT_ADMIN, actor=CHIEF, target=ALICE)
            raise LookupError

    with pytest.raises(LookupError):
        await record_and_fail()

    assert await gateways.recorded() == []
