"""What the shared kernel brings: probes, database, settings."""

from typing import Final

from gatehouse.common import settings
from gatehouse.common.domain.web_origin import is_as_browsers_send_it
from gatehouse.common.infrastructure.database_pool import POOL_METRICS
from gatehouse.common.infrastructure.metrics.settings import MetricsSettings
from gatehouse.common.infrastructure.metrics.shared_metrics import OWN_METRICS
from gatehouse.common.infrastructure.replica.read_replica import REPLICA_METRICS
from gatehouse.common.modules import Module
from gatehouse.common.presentation.http import health
from gatehouse.common.presentation.http.settings import FeatureSettings
from gatehouse.common.providers import CommonProvider
from gatehouse.common.settings import AppSettings, ConfigError, HttpSettings, Settings


def ensure_safe(of: Settings) -> None:
    settings.ensure_safe(of)
    for origin in of[HttpSettings].cors_origins:
        if not is_as_browsers_send_it(origin):
            raise ConfigError(
                "http.cors_origins: an entry is no origin as browsers send it: https:// and a host name in lower case, "
                "with a port if it is another one than the scheme's, and nothing behind it."
            )
        if of[AppSettings].is_production and not origin.startswith("https://"):
            raise ConfigError("http.cors_origins: must be https:// in production, where anyone could forge the others.")


COMMON: Final = Module(
    name="common",
    providers=(CommonProvider(),),
    routers=(health.router,),
    metrics=(*OWN_METRICS, *POOL_METRICS, *REPLICA_METRICS),
    settings={
        "app": settings.AppSettings,
        "uvicorn": settings.UvicornSettings,
        "http": HttpSettings,
        "postgres": settings.PostgresSettings,
        "cookie": settings.CookieSettings,
        "logs": settings.LogSettings,
        "metrics": MetricsSettings,
        "features": FeatureSettings,
    },
    ensure_safe=ensure_safe,
)
