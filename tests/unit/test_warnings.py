"""What is allowed, and perhaps not meant."""

import pytest

from gatehouse.common.settings import AppSettings, Environment, PostgresSettings, Settings, UvicornSettings
from gatehouse.setup.warnings import warnings_of_migration, warnings_of_server

PRODUCTION = AppSettings(environment=Environment.PRODUCTION)
URL = "postgresql://server@localhost/name"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
@pytest.mark.parametrize("environment", Environment)
def test_on_the_loopback_interface_every_environment_is_fine(environment: Environment, host: str) -> None:
    settings = Settings(AppSettings(environment=environment), UvicornSettings(host=host))

    assert [*warnings_of_server(settings)] == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "gatehouse.internal"])  # noqa: S104  # nothing listens
def test_beyond_it_what_is_not_production_is_told(host: str) -> None:
    for environment in (Environment.DEVELOPMENT, Environment.TEST):
        settings = Settings(AppSettings(environment=environment), UvicornSettings(host=host))
        [warning] = warnings_of_server(settings)
        assert warning == (
            f"app.environment is {environment}, not production, and uvicorn.host is open to other machines."
        )
    assert [*warnings_of_server(Settings(PRODUCTION, UvicornSettings(host=host)))] == []


@pytest.mark.promise("K5")
@pytest.mark.parametrize(
    ("owner_url", "told_by_server", "told_by_migration"),
    [
        ("", 0, 1),  # `migrate` alone may know another one
        ("postgresql://server@localhost/name", 1, 1),
        ("postgresql://owner@localhost/name", 0, 0),
    ],
)
def test_one_role_for_both_purposes_is_told_in_production(
    owner_url: str, told_by_server: int, told_by_migration: int
) -> None:
    postgres = PostgresSettings(url=URL, owner_url=owner_url)

    for told, app in ((1, PRODUCTION), (0, AppSettings())):
        settings = Settings(app, postgres)
        assert len([*warnings_of_server(settings)]) == told * told_by_server
        assert len([*warnings_of_migration(settings)]) == told * told_by_migration


def test_the_deprecated_switch_of_the_documentation_is_told() -> None:
    assert [*warnings_of_server(Settings(AppSettings(docs=False)))] == [
        "app.docs is deprecated: it is now features.docs, and counts where that is unset."
    ]


def test_what_a_release_read_of_it_is_still_there() -> None:
    with pytest.deprecated_call():
        assert AppSettings(docs=False).serves_docs is False
