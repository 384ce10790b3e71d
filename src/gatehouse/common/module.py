"""What the shared kernel brings: probes, database, settings."""

from typing import Final

from gatehouse.common import settings
from gatehouse.common.modules import Module
from gatehouse.common.presentation.http import health
from gatehouse.common.providers import CommonProvider

COMMON: Final = Module(
    name="common",
    providers=(CommonProvider(),),
    routers=(health.router,),
    settings={
        "app": settings.AppSettings,
        "uvicorn": settings.UvicornSettings,
        "http": settings.HttpSettings,
        "postgres": settings.PostgresSettings,
        "cookie": settings.CookieSettings,
        "logs": settings.LogSettings,
    },
    ensure_safe=settings.ensure_safe,
)
