import pytest

from app.setup.settings import (
    AppSettings,
    Environment,
    JwtSettings,
    PasswordSettings,
    PostgresSettings,
    Settings,
    UvicornSettings,
    described,
)

SECRETIVE = Settings(
    postgres=PostgresSettings(url="postgresql://me:hunter2@host/db"),
    jwt=JwtSettings(secret="hunter2"),
    password=PasswordSettings(pepper="hunter2"),
)


def test_secrets_are_masked() -> None:
    lines = list(described(SECRETIVE))

    for key in ("postgres.url", "jwt.secret", "password.pepper"):
        assert f"{key} = ********" in lines
    assert not [line for line in lines if "hunter2" in line]
    assert "hunter2" not in repr(SECRETIVE)


def test_a_secret_that_is_missing_is_seen_to_be() -> None:
    lines = list(described(Settings()))

    for key in ("postgres.url", "jwt.secret", "password.pepper", "app.origin", "app.docs"):
        assert f"{key} = (not set)" in lines


def test_every_other_value_is_shown() -> None:
    lines = list(described(Settings(app=AppSettings(docs=False), uvicorn=UvicornSettings(port=0))))

    assert "app.environment = development" in lines
    assert "app.docs = False" in lines
    assert "uvicorn.port = 0" in lines


def test_the_origin_is_configured_or_where_the_server_listens() -> None:
    assert Settings().origin == "http://127.0.0.1:8000"
    assert Settings(app=AppSettings(origin="https://example.org")).origin == "https://example.org"


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
    assert Settings(app=AppSettings(environment=environment, docs=docs)).serves_docs is serves
