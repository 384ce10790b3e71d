"""What the shared kernel brings: probes, database, settings."""

from typing import Final

from gatehouse.common import settings
from gatehouse.common.infrastructure.database_pool import POOL_METRICS
from gatehouse.common.infrastructure.metrics.settings import MetricsSettings
from gatehouse.common.infrastructure.metrics.shared_metrics import OWN_METRICS
from gatehouse.common.infrastructure.replica.read_replica import REPLICA_METRICS
from gatehouse.common.modules import Module
from gatehouse.common.presentation.http import health
from gatehouse.common.presentation.http import settings as http_settings
from gatehouse.common.providers import CommonProvider
from gatehouse.common.settings import Settings


def _ensure_safe(of: Settings) -> None:
    settings.ensure_safe(of)
    http_settings.ensure_safe(of)


COMMON: Final = Module(
    name="common",
    providers=(CommonProvider(),),
    routers=(health.router,),
    metrics=(*OWN_METRICS, *POOL_METRICS, *REPLICA_METRICS),
    settings={
        "app": settings.AppSettings,
        "uvicorn": settings.UvicornSettings,
        "http": http_settings.HttpSettings,
        "postgres": settings.PostgresSettings,
        "cookie": settings.CookieSettings,
        "logs": settings.LogSettings,
        "metrics": MetricsSettings,
        "features": http_settings.FeatureSettings,
    },
    ensure_safe=_ensure_safe,
)
