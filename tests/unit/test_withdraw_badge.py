import pytest

from gatehouse.accounts import Role
from gatehouse.common.domain.audit import Subject
from gatehouse.common.domain.errors import ForbiddenError
from gatehouse.testing.declaration import MISSING_ID
from gatehouse.testing.fakes import FakeEvent
from gatehouse.testing.in_memory_app import InMemoryApp
from tests.modules.badges.fakes import BadgesState
from tests.sample.application.commands.award_badge import AwardBadge
from tests.sample.application.commands.withdraw_badge import WithdrawBadge
from tests.sample.domain.errors import BadgeNotFoundError


async def test_the_badge_goes_and_the_event_still_tells_its_name() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    app.add_user("alice")
    badge_id = await app.use(AwardBadge, admin)("alice", "gold")

    await app.use(WithdrawBadge, admin)(badge_id)

    assert app.store[BadgesState].badges == {}
    subject = Subject("badge", str(badge_id), "gold")
    assert app.store.events[-1] == FakeEvent("withdraw_badge", "admin", None, subject=subject)


async def test_a_badge_that_is_not_there_is_not_found() -> None:
    app = InMemoryApp()

    with pytest.raises(BadgeNotFoundError):
        await app.use(WithdrawBadge, app.add_user("admin", Role.ADMIN))(MISSING_ID)


async def test_a_plain_user_is_not_told_whether_there_is_one() -> None:
    app = InMemoryApp()

    with pytest.raises(ForbiddenError):
        await app.use(WithdrawBadge, app.add_user("alice"))(MISSING_ID)
