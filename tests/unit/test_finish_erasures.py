from gatehouse.audit.application.commands.finish_erasures import FinishErasures
from gatehouse.audit.application.ports import UnfinishedErasures
from gatehouse.testing.audit.fakes import FakeUnfinishedErasures
from gatehouse.testing.in_memory_app import InMemoryApp


async def test_it_goes_on_until_nothing_is_left() -> None:
    app = InMemoryApp()
    erasures = app.get(UnfinishedErasures, FakeUnfinishedErasures)
    erasures.batches = 3

    assert await app.use(FinishErasures)() == 3
    assert await app.use(FinishErasures)() == 0

    assert erasures.asked_at == [app.clock.now()] * 5
