from uuid import UUID

import pytest

from gatehouse.accounts import Role, UserNotFoundError
from gatehouse.common.domain.audit import Subject
from gatehouse.common.domain.errors import ForbiddenError, InvalidError
from gatehouse.testing.fakes import FakeEvent
from gatehouse.testing.in_memory_app import InMemoryApp
from tests.modules.badges.fakes import BadgesState
from tests.sample.application.commands.award_badge import AwardBadge
from tests.sample.domain.errors import BadgeTakenError


def badges_of(app: InMemoryApp) -> dict[UUID, tuple[str, UUID]]:
    return {badge.id: (badge.name, badge.user_id) for badge in app.store[BadgesState].badges.values()}


async def test_a_subordinate_gets_the_badge_and_the_event_names_both() -> None:
    app = InMemoryApp()
    admin, alice = app.add_user("admin", Role.ADMIN), app.add_user("alice")

    badge_id = await app.use(AwardBadge, admin)("alice", "gold")

    assert badges_of(app) == {badge_id: ("gold", alice.id)}
    subject = Subject("badge", str(badge_id), "gold")
    assert app.store.events == [FakeEvent("award_badge", "admin", "alice", subject=subject)]


async def test_a_name_that_is_taken_is_refused_and_nothing_is_recorded() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    app.add_user("alice")
    await app.use(AwardBadge, admin)("alice", "gold")

    with pytest.raises(BadgeTakenError):
        await app.use(AwardBadge, admin)("alice", "gold")

    assert len(app.store.events) == len(badges_of(app)) == 1


@pytest.mark.parametrize("name", ["", "two words", "x" * 41, "g\u00f6ld"])
async def test_what_is_no_name_is_refused(name: str) -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    app.add_user("alice")

    with pytest.raises(InvalidError):
        await app.use(AwardBadge, admin)("alice", name)

    assert badges_of(app) == {}


async def test_nobody_awards_to_an_equal_or_to_someone_who_is_not_there() -> None:
    app = InMemoryApp()
    admin, alice = app.add_user("admin", Role.ADMIN), app.add_user("alice")
    app.add_user("equal", Role.ADMIN)

    with pytest.raises(ForbiddenError):
        await app.use(AwardBadge, admin)("equal", "gold")
    with pytest.raises(UserNotFoundError):
        await app.use(AwardBadge, admin)("nobody", "gold")
    with pytest.raises(ForbiddenError):
        await app.use(AwardBadge, alice)("nobody", "gold")

    assert badges_of(app) == {}
