from typing import Final

from gatehouse.common.modules import Module
from tests.sample.application.commands.award_badge import AwardBadge
from tests.sample.application.commands.withdraw_badge import WithdrawBadge
from tests.sample.application.queries.list_badges import ListBadges
from tests.sample.domain.errors import BadgeTakenError
from tests.sample.infrastructure.tables import badges
from tests.sample.presentation.http import badges as badge_routes
from tests.sample.providers import BadgesProvider

MODULE: Final = Module(
    name="badges",
    commands=(AwardBadge, WithdrawBadge),
    queries=(ListBadges,),
    providers=(BadgesProvider(),),
    routers=(badge_routes.router,),
    tables={badges: "SELECT, INSERT, DELETE, UPDATE"},
    migrations="tests.sample:migrations",
    constraints={"uq_badges_name": BadgeTakenError},
)
