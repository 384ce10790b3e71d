"""docker-compose.yaml: its commands, variables and secrets work together, outside of containers and in the image.

Compose itself is not run: it needs a container engine.
"""

import json
from typing import Final

import httpx
import psycopg
import pytest

from gatehouse.testing.fakes import PASSWORD
from tests.system.compose import API, COMPOSE, MIGRATE, health_check, write_address
from tests.system.debian_postgres import DebianPostgres
from tests.system.deployment import Deployment, InTheImage, OnThisMachine
from tests.system.service import SECRETS, Service

LOGIN: Final = "/api/v1/account/login"
CREDENTIALS: Final = {"username": "chief", "password": PASSWORD}


@pytest.fixture(params=["on this machine", "in the image"])
def deployment(request: pytest.FixtureRequest, on_this_machine: OnThisMachine, postgres: DebianPostgres) -> Deployment:
    for secret in ("postgres_url", "postgres_owner_url"):
        write_address(on_this_machine.secrets / secret, postgres.port)
    if request.param == "in the image":
        return InTheImage(on_this_machine.folder, on_this_machine.secrets, image=request.getfixturevalue("image"))
    return on_this_machine


def test_it_migrates_serves_and_stops(deployment: Deployment, postgres: DebianPostgres) -> None:
    deployment.prepare()
    with deployment.serve(API) as process, httpx.Client(base_url=deployment.url) as client:
        assert deployment.status("/readyz") == 200
        ask = [word.replace(":8000/", f":{deployment.port}/") for word in health_check()]
        assert deployment.run(API, *ask).returncode == 0

        answer = client.post(LOGIN, json=CREDENTIALS, headers={"host": "localhost"})
        assert answer.status_code == 204
        assert answer.headers["set-cookie"].startswith("__Host-session=")
        assert "; Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"]
        assert client.post(LOGIN, json=CREDENTIALS, headers={"host": "other.test"}).status_code == 400
        with psycopg.connect(postgres.url(postgres.superuser)) as connection:
            statement = "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'gatehouse'"
            assert connection.execute(statement).fetchall() == [("gatehouse_server",)]

        deployment.terminate(process)
        assert process.wait(timeout=20) == 0
    log = deployment.log.read_text().splitlines()
    events = [json.loads(line) for line in log if line.startswith("{")]
    assert len(events) > 3
    assert "log_in" in [event.get("action") for event in events]


@pytest.mark.parametrize(
    ("service", "variable"),
    [
        pytest.param(service, variable, id=f"{service.name}-{variable}")
        for service in (MIGRATE, API)
        for variable in service.file_variables
    ],
)
def test_each_file_that_a_variable_names_is_a_secret_of_the_service_and_is_read(
    on_this_machine: OnThisMachine, service: Service, variable: str
) -> None:
    folder, _, secret = service.environment[variable].rpartition("/")
    assert folder == SECRETS
    assert secret in service.secrets
    (on_this_machine.secrets / secret).unlink()

    result = on_this_machine.run(service)

    assert result.returncode == 1
    assert result.stderr == f"gatehouse: {variable}: the file it names cannot be read.\n"


@pytest.mark.parametrize("service", [MIGRATE, API], ids=lambda service: service.name)
def test_each_secret_of_a_service_is_named_by_a_variable(service: Service) -> None:
    assert service.secrets_of_variables == set(service.secrets) <= set(COMPOSE["secrets"])
