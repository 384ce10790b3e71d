from collections.abc import Mapping
from typing import Any, Final

from gatehouse.common.application.ports import Transaction
from gatehouse.testing.declaration import MISSING_ID, Call, Case, FaultCase, Fixtures, ModuleTests
from gatehouse.testing.fakes import Memory
from gatehouse.testing.harness import Harness
from gatehouse.testing.running_app import RunningApp
from tests.modules.badges.fakes import FakeBadgePages, FakeBadges
from tests.modules.database_cases import DatabaseCases
from tests.sample.application.commands.award_badge import AwardBadge
from tests.sample.application.commands.withdraw_badge import WithdrawBadge
from tests.sample.application.ports import Badges
from tests.sample.application.queries.list_badges import BadgePages
from tests.sample.domain.badge import Badge
from tests.sample.module import MODULE as BADGES

PATH: Final = "/api/v1/badges/"
TOUCHES: Final = frozenset({"badges"})


def _fakes(memory: Memory) -> Mapping[object, object]:
    return {Badges: FakeBadges(memory.transaction), BadgePages: FakeBadgePages(memory.store)}


def _award(case: Case) -> dict[str, Any]:
    return {"username": case.username, "name": f"badge{case.target}".replace("-", "").replace("_", "")}


async def _add_badge(app: RunningApp) -> None:
    holder = await app.add_user("holder")
    async with app.container() as request:
        badges = await request.get(Badges)
        async with await request.get(Transaction):
            await badges.add(Badge(MISSING_ID, "gold", holder.id, app.clock.now()))


async def _add_badge_of_alice(harness: Harness, fixtures: Fixtures) -> None:
    async with harness.container() as request:
        badges = await request.get(Badges)
        async with await request.get(Transaction):
            await badges.add(Badge(MISSING_ID, "gold", fixtures.users["alice"].id, harness.clock.now()))


TESTS: Final = ModuleTests(
    module=BADGES,
    package="tests.sample",
    calls=(
        Call(
            method="POST",
            path=PATH,
            status=201,
            open_to="admin",
            acts_on="subordinates",
            body=_award,
            touches=TOUCHES,
        ),
        Call(method="GET", path=PATH, status=200, open_to="authenticated", asks_more_than_documented=True),
        Call(
            method="DELETE",
            path=f"{PATH}{{badge_id}}",
            status=204,
            open_to="admin",
            placeholders={"badge_id": MISSING_ID},
            seed=_add_badge,
            touches=TOUCHES,
        ),
    ),
    fault_cases=(
        FaultCase(command=AwardBadge, caller="admin", arguments=lambda _: ("alice", "gold")),
        FaultCase(command=WithdrawBadge, caller="admin", arguments=lambda _: (MISSING_ID,), seed=_add_badge_of_alice),
    ),
    problems={
        "badge-taken": (409, "There is a badge of this name."),
        "badge-not-found": (404, "There is no such badge."),
    },
    fakes=_fakes,
    ports={Badges: "tests/integration/test_badges_gateway.py"},
)
DATABASE_CASES: Final = DatabaseCases(
    replica_seed=_add_badge,
    replica_change=("UPDATE badges SET name = 'silver'",),
    million_rows=(
        """
        INSERT INTO badges (id, name, user_id, awarded_at)
        SELECT lpad(to_hex(n), 32, '0')::uuid, 'badge' || n, lpad(to_hex(n), 32, '0')::uuid, now()
        FROM generate_series(1, 1000) AS n
        """,
    ),
)
