import pytest

from gatehouse.accounts import Role
from gatehouse.common.domain.errors import InvalidError
from gatehouse.testing.in_memory_app import InMemoryApp
from tests.sample.application.commands.award_badge import AwardBadge
from tests.sample.application.queries.list_badges import BadgeListRequest, ListBadges


async def test_everybody_sees_all_badges() -> None:
    app = InMemoryApp()
    admin, alice = app.add_user("admin", Role.ADMIN), app.add_user("alice")
    for name in ("silver", "gold"):
        await app.use(AwardBadge, admin)("alice", name)

    page = await app.use(ListBadges, alice)(BadgeListRequest(with_total=True))

    assert [(badge.name, badge.username) for badge in page.badges] == [("gold", "alice"), ("silver", "alice")]
    assert page.total == 2


@pytest.mark.parametrize("request_", [BadgeListRequest(search="no name!"), BadgeListRequest(cursor="x", offset=1)])
async def test_what_cannot_be_asked_for_is_refused(request_: BadgeListRequest) -> None:
    with pytest.raises(InvalidError):
        await InMemoryApp().use(ListBadges)(request_)
