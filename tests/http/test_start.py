from dishka import Provider, Scope

from gatehouse.common.application.ports import Clock
from gatehouse.common.settings import Settings
from gatehouse.testing.fakes import FakeClock
from gatehouse.testing.run_app import run_app


async def test_what_all_requests_share_is_made_before_the_first_of_them(settings: Settings) -> None:
    made: list[Clock] = []

    def make_clock() -> FakeClock:
        made.append(clock := FakeClock())
        return clock

    parts = Provider(scope=Scope.APP)
    parts.provide(make_clock, provides=Clock)
    async with run_app(settings, parts) as app:
        assert len(made) == 1
        assert await app.container.get(Clock) is made[0]
