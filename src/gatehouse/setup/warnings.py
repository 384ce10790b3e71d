"""What is allowed, and perhaps not meant: a line for each."""

from collections.abc import Iterator
from typing import Final

from gatehouse.common.settings import AppSettings, PostgresSettings, Settings, UvicornSettings
from gatehouse.setup.database_url import DatabaseUrls
from gatehouse.setup.tracing import warnings_of_tracing

_ONE_ROLE: Final = (
    "the server's database role owns the schema and can change it; give postgres.owner_url a role of its own."
)


def warnings_of_server(settings: Settings) -> Iterator[str]:
    app, postgres = settings[AppSettings], settings[PostgresSettings]
    if not app.is_production and not settings[UvicornSettings].is_on_loopback:
        yield f"app.environment is {app.environment}, not production, and uvicorn.host is open to other machines."
    # Where it is not given, `migrate` alone may know it, as it should be.
    if app.is_production and postgres.owner_url and _has_one_role(postgres):
        yield _ONE_ROLE
    if app.docs is not None:
        yield "app.docs is deprecated: it is now features.docs, and counts where that is unset."
    yield from warnings_of_tracing()


def warnings_of_migration(settings: Settings) -> Iterator[str]:
    if settings[AppSettings].is_production and _has_one_role(settings[PostgresSettings]):
        yield _ONE_ROLE


def _has_one_role(postgres: PostgresSettings) -> bool:
    return DatabaseUrls(postgres.url, postgres.owner_url or postgres.url).server_role is None
