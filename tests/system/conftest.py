"""What several tests of the system start once: an application, proxies before it, Debian's PostgreSQL."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatehouse.common.settings import Settings, UvicornSettings
from tests.http.served_app import ServedApp, serve_app
from tests.system import proxies
from tests.system.compose import COMPOSE, create_server_role, make_secrets, write_address
from tests.system.debian_postgres import DebianPostgres, debian_postgres
from tests.system.deployment import OnThisMachine
from tests.system.image import Image, built_image
from tests.system.proxies import ProxiedApp
from tests.system.wheel import Environment, build_wheel, empty_environment


@pytest.fixture(scope="session")
def server(settings: Settings) -> Iterator[ServedApp]:
    """Trusts a proxy on this machine."""
    with serve_app(settings.replace(UvicornSettings(trusted_proxies=["127.0.0.1"]))) as served_app:
        yield served_app


@pytest.fixture(scope="session", params=["haproxy", "nginx"])
def proxied_app(
    request: pytest.FixtureRequest, server: ServedApp, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProxiedApp]:
    start = getattr(proxies, request.param)
    with start(server, tmp_path_factory.mktemp(request.param)) as proxied_app:
        yield proxied_app


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    return make_secrets(tmp_path)


@pytest.fixture
def postgres(secrets: Path) -> Iterator[DebianPostgres]:
    """Set up as docker-compose.yaml declares it."""
    declared = COMPOSE["services"]["postgres"]
    user, database = declared["environment"]["POSTGRES_USER"], declared["environment"]["POSTGRES_DB"]
    password = Path(declared["environment"]["POSTGRES_PASSWORD_FILE"]).name
    assert user == database
    assert {password, "server_password"} == set(declared["secrets"])
    with debian_postgres(superuser=user, password=(secrets / password).read_text()) as server:
        create_server_role(user, server.password, server.port, secrets)
        yield server


@pytest.fixture
def on_this_machine(secrets: Path, tmp_path: Path) -> OnThisMachine:
    return OnThisMachine(tmp_path, secrets)


@pytest.fixture
def migrated(on_this_machine: OnThisMachine, postgres: DebianPostgres) -> OnThisMachine:
    """With a super admin, chief."""
    for secret in ("postgres_url", "postgres_owner_url"):
        write_address(on_this_machine.secrets / secret, postgres.port)
    on_this_machine.prepare()
    return on_this_machine


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    if os.geteuid() != 0:
        pytest.skip("the image is built and started by root")
    with built_image() as image:
        yield image


@pytest.fixture(scope="session")
def environment() -> Iterator[Environment]:
    """For the wheel, and what depends on it. Each test leaves in it what it has installed."""
    with empty_environment() as environment:
        yield environment


@pytest.fixture(scope="session")
def wheel(environment: Environment) -> Path:
    return build_wheel(environment)
