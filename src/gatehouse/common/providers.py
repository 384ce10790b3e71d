"""Which adapter stands behind each of the ports that all modules share."""

from collections.abc import AsyncIterator

from dishka import AnyOf, Provider, Scope, from_context, provide

from gatehouse.common.application.metrics import Metrics
from gatehouse.common.application.ports import Clock, Readiness, Transaction
from gatehouse.common.application.write_position import CurrentWritePosition
from gatehouse.common.infrastructure.clock import SystemClock
from gatehouse.common.infrastructure.database import Database, open_database
from gatehouse.common.infrastructure.database_pool import PRIMARY, REPLICA
from gatehouse.common.infrastructure.replica.query_database import QueryDatabase
from gatehouse.common.infrastructure.replica.read_replica import ReadReplica, watch_replica
from gatehouse.common.infrastructure.schema_readiness import SchemaReadiness
from gatehouse.common.infrastructure.transaction import SqlTransaction
from gatehouse.common.modules import Modules
from gatehouse.common.presentation.http.middleware.write_position import current_write_position
from gatehouse.common.presentation.http.request_context import request_context_of
from gatehouse.common.settings import PostgresSettings, Settings


class CommonProvider(Provider):
    """Gateways of commands share the request's transaction; those of queries need only the pool, and are made once."""

    scope = Scope.APP

    settings = from_context(Settings)
    modules = from_context(Modules)
    metrics = from_context(Metrics)
    clock = provide(SystemClock, provides=Clock)
    request_context = provide(staticmethod(request_context_of), scope=Scope.REQUEST)
    transaction = provide(SqlTransaction, scope=Scope.REQUEST, provides=AnyOf[SqlTransaction, Transaction])
    query_database = provide(QueryDatabase)

    @provide(provides=Readiness)
    def readiness(self, database: Database, modules: Modules) -> SchemaReadiness:
        return SchemaReadiness(database, modules.migration_lines)

    @provide
    def current_write_position(self) -> CurrentWritePosition:
        return current_write_position

    @provide
    async def database(self, settings: Settings, modules: Modules, metrics: Metrics) -> AsyncIterator[Database]:
        postgres = settings[PostgresSettings]
        has_replica = bool(postgres.replica_url)
        async with open_database(
            postgres.url,
            postgres.pool_size,
            constraints=modules.constraints,
            has_replica=has_replica,
            through_pooler=postgres.pooler,
        ) as database:
            database.measure(metrics, PRIMARY)
            yield database

    @provide
    async def replica(
        self, settings: Settings, primary: Database, metrics: Metrics
    ) -> AsyncIterator[ReadReplica | None]:
        postgres = settings[PostgresSettings]
        if not postgres.replica_url:
            yield None
            return
        async with (
            open_database(postgres.replica_url, postgres.pool_size, through_pooler=postgres.pooler) as database,
            watch_replica(database, primary, metrics) as replica,
        ):
            database.measure(metrics, REPLICA)
            yield replica
