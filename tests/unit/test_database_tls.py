"""In production, a database on another host is reached as the URL says in so many words, encrypted or not."""

import pytest

from tests.unit.configs import PRODUCTION, Config

pytestmark = pytest.mark.promise("K5")

ELSEWHERE = [
    "postgresql://me@db.internal/name",
    "postgresql://me@db.internal/name?sslmode=",
    "postgresql://me@192.0.2.7/name?connect_timeout=3",
    "postgresql://me@[2001:db8::7]/name",
    "postgresql://me@localhost,db.internal/name",
    "postgresql://me@localhost/name?hostaddr=192.0.2.7",
    "host=db.internal user=me",
    "service=gatehouse user=me",
]
HERE = [
    "postgresql://me@/name",
    "postgresql://me@/name?host=/run/postgresql",
    "postgresql://me@%2Frun%2Fpostgresql/name",
    "postgresql://me@localhost/name",
    "postgresql://me@127.0.0.1,[::1]/name",
    "postgresql://me@db.internal/name?hostaddr=127.0.0.1",
    "postgresql://me@db.internal/name?sslmode=verify-full",
    "postgresql://me@db.internal/name?sslmode=disable",
    "host=db.internal sslmode=require user=me",
]


def with_url(key: str, url: str) -> dict[str, str]:
    return {**PRODUCTION, f"GATEHOUSE_POSTGRES__{key.upper()}": url}


@pytest.fixture(autouse=True)
def _environment_of_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGHOST", raising=False)
    monkeypatch.setenv("PGSSLMODE", "verify-full")  # says nothing: it may have been meant for another program


@pytest.mark.parametrize("key", ["url", "owner_url", "replica_url"])
@pytest.mark.parametrize("url", ELSEWHERE)
def test_another_host_without_sslmode_is_refused(config: Config, key: str, url: str) -> None:
    message = config.mistake(**with_url(key, url))

    assert message.startswith(f"postgres.{key}: names another host without sslmode; add sslmode=verify-full, or ")


@pytest.mark.parametrize("key", ["url", "owner_url", "replica_url"])
@pytest.mark.parametrize("url", HERE)
def test_this_machine_or_an_sslmode_of_any_kind_is_taken(config: Config, key: str, url: str) -> None:
    config.load(**with_url(key, url))


def test_a_host_that_the_environment_of_the_driver_names_is_another_one_too(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOST", "db.internal")

    assert config.mistake(**with_url("url", "postgresql://me@/name")).startswith("postgres.url: ")


@pytest.mark.parametrize("url", ELSEWHERE)
def test_development_takes_any(config: Config, url: str) -> None:
    config.load(**{**with_url("url", url), "GATEHOUSE_APP__ENVIRONMENT": "development"})
