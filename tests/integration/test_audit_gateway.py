import pytest
from structlog.testing import capture_logs

from gatehouse.testing.fakes import FakeEvent
from tests.integration.conftest import Gateways

CHIEF, ALICE = "chief", "alice"


@pytest.mark.promise("G2")
async def test_what_is_recorded_is_kept_in_order(gateways: Gateways) -> None:
    async with gateways.transaction:
        await gateways.audit.record("grant_admin", actor=CHIEF, target=ALICE)
        await gateways.audit.record("create_super_admin", actor=None, target=CHIEF)
    async with gateways.transaction:
        await gateways.audit.record("log_out", actor=ALICE)

    assert await gateways.recorded() == [
        FakeEvent("grant_admin", "chief", "alice"),
        FakeEvent("create_super_admin", None, "chief"),
        FakeEvent("log_out", "alice", None),
    ]


@pytest.mark.promise("G2")
async def test_a_record_is_rolled_back_with_what_it_records(gateways: Gateways) -> None:
    async def record_and_fail() -> None:
        async with gateways.transaction:
            await gateways.audit.record("grant_admin", actor=CHIEF, target=ALICE)
            raise LookupError

    with capture_logs() as logs, pytest.raises(LookupError):
        await record_and_fail()

    assert await gateways.recorded() == []
    assert logs == []
