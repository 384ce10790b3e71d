from dishka import Provider, Scope, provide

from tests.sample.application.ports import Badges
from tests.sample.application.queries.list_badges import BadgePages
from tests.sample.infrastructure.badges import SqlBadges
from tests.sample.infrastructure.queries.list_badges import SqlBadgePages


class BadgesProvider(Provider):
    badges = provide(SqlBadges, scope=Scope.REQUEST, provides=Badges)
    pages = provide(SqlBadgePages, scope=Scope.APP, provides=BadgePages)
