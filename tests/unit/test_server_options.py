"""How many connections a server process takes, below the number of files that it may open."""

import resource

import pytest

from gatehouse.common.settings import ConfigError, HttpSettings, PostgresSettings, Settings
from gatehouse.setup.server import server_options

pytestmark = pytest.mark.promise("E4")

POOL = PostgresSettings(pool_size=16)
TWO_POOLS = PostgresSettings(pool_size=16, replica_url="postgresql://me@replica/db")


def max_connections(monkeypatch: pytest.MonkeyPatch, max_files: int, *sections: object) -> int:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (max_files, resource.RLIM_INFINITY))
    limit: int = server_options(Settings(*sections))["http"].keywords["limits"].connections
    return limit


@pytest.mark.parametrize(
    ("max_files", "postgres", "connections"),
    [
        (1_024, POOL, 944),
        (1_024, TWO_POOLS, 928),
        (81, POOL, 1),
        (1_000_000, POOL, 10_000),
        (resource.RLIM_INFINITY, POOL, 10_000),
    ],
)
def test_unless_configured_it_is_what_the_database_and_other_files_leave(
    monkeypatch: pytest.MonkeyPatch, max_files: int, postgres: PostgresSettings, connections: int
) -> None:
    assert max_connections(monkeypatch, max_files, postgres) == connections


@pytest.mark.parametrize(
    ("max_files", "connections"), [(1_024, 944), (1_024, 1), (100_000, 20_000), (resource.RLIM_INFINITY, 1_000_000)]
)
def test_a_configured_number_counts(monkeypatch: pytest.MonkeyPatch, max_files: int, connections: int) -> None:
    configured = HttpSettings(max_connections=connections)

    assert max_connections(monkeypatch, max_files, POOL, configured) == connections


@pytest.mark.parametrize(("max_files", "configured", "left"), [(1_024, 945, 944), (80, 0, 0), (40, 0, 0), (40, 5, 0)])
def test_a_number_that_the_limit_of_files_does_not_allow_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, max_files: int, configured: int, left: int
) -> None:
    with pytest.raises(ConfigError, match=rf"^http\.max_connections: {max_files} open files leave room for {left}; "):
        max_connections(monkeypatch, max_files, POOL, HttpSettings(max_connections=configured))
