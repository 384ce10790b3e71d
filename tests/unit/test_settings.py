import pytest

from gatehouse.accounts.settings import JwtSettings, PasswordSettings
from gatehouse.common.presentation.http.settings import FeatureSettings
from gatehouse.common.settings import AppSettings, Environment, PostgresSettings, Settings, UvicornSettings
from gatehouse.setup.describe_settings import describe_settings
from gatehouse.setup.features import serves_docs
from gatehouse.setup.modules import MODULES

SECRETIVE = Settings(
    PostgresSettings(
        url="postgresql://me:hunter2@host/db",
        owner_url="postgresql://owner:hunter2@host/db",
        replica_url="postgresql://me:hunter2@replica/db",
    ),
    JwtSettings(secret="hunter2", previous_secrets=["hunter2", "hunter2"]),
    PasswordSettings(pepper="hunter2", previous_peppers=["hunter2"]),
)
SECRETS = (
    "postgres.url",
    "postgres.owner_url",
    "postgres.replica_url",
    "jwt.secret",
    "jwt.previous_secrets",
    "password.pepper",
    "password.previous_peppers",
)


@pytest.mark.promise("K2")
def test_secrets_are_masked() -> None:
    lines = list(describe_settings(SECRETIVE, MODULES.settings))

    for key in SECRETS:
        assert f"{key} = ********" in lines
    assert not [line for line in lines if "hunter2" in line]
    assert "hunter2" not in repr(SECRETIVE)


def test_a_secret_that_is_missing_is_seen_to_be() -> None:
    lines = list(describe_settings(Settings(), MODULES.settings))

    for key in (*SECRETS, "app.origin", "features.docs", "app.hosts"):
        assert f"{key} = (not set)" in lines


def test_every_other_value_is_shown() -> None:
    app = AppSettings(hosts=["one.example", "two.example"])
    lines = list(
        describe_settings(Settings(app, UvicornSettings(port=0), FeatureSettings(docs=False)), MODULES.settings)
    )

    assert "app.environment = development" in lines
    assert "features.docs = False" in lines
    assert "app.hosts = one.example, two.example" in lines
    assert "uvicorn.port = 0" in lines
    assert "throttle.attempts_per_account = 5" in lines


def test_the_origin_is_configured_or_where_the_server_listens() -> None:
    assert Settings().origin == "http://127.0.0.1:8000"
    assert Settings(UvicornSettings(host="::1", port=1)).origin == "http://[::1]:1"
    assert Settings(AppSettings(origin="https://example.org")).origin == "https://example.org"


@pytest.mark.parametrize(
    ("environment", "docs", "serves"),
    [
        (Environment.DEVELOPMENT, None, True),
        (Environment.PRODUCTION, None, False),
        (Environment.PRODUCTION, True, True),
        (Environment.DEVELOPMENT, False, False),
    ],
)
def test_docs_are_off_in_production_unless_configured_on(
    environment: Environment, *, docs: bool | None, serves: bool
) -> None:
    settings = Settings(AppSettings(environment=environment), FeatureSettings(docs=docs))
    assert serves_docs(settings) is serves


@pytest.mark.promise("C6")
@pytest.mark.parametrize(
    ("app", "hosts"),
    [
        (AppSettings(), {"127.0.0.1", "localhost", "::1"}),
        (AppSettings(origin="https://one.example:8443"), {"one.example", "127.0.0.1", "localhost", "::1"}),
        (AppSettings(environment=Environment.PRODUCTION, origin="https://one.example"), {"one.example"}),
        (
            AppSettings(
                environment=Environment.PRODUCTION, origin="https://one.example", hosts=["two.example", "192.0.2.1"]
            ),
            {"one.example", "two.example", "192.0.2.1"},
        ),
    ],
)
def test_the_service_answers_to_the_origins_name_the_configured_ones_and_outside_production_to_local_ones(
    app: AppSettings, hosts: set[str]
) -> None:
    assert Settings(app).hosts == hosts
