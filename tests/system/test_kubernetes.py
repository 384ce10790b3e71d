"""deploy/kubernetes: the schemas accept it, its parts fit each other and the service, which runs with its settings.

No cluster is started: what Kubernetes makes of it is not tried.
"""

import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from gatehouse.common.settings import UvicornSettings
from tests.root import ROOT
from tests.system.compose import write_address
from tests.system.debian_postgres import DebianPostgres
from tests.system.deployment import OnThisMachine
from tests.system.kubernetes import (
    DEPLOYMENT,
    FILE,
    MIGRATE_POD,
    SERVER_POD,
    container_of,
    find,
    secrets_of,
    service_of,
)
from tests.system.page import FOLDER
from tests.system.processes import free_port
from tests.system.test_systemd import HANGING_SECONDS

PAGE = FOLDER / "kubernetes.md"
VALIDATOR = ROOT / ".venv-kubernetes/bin/kubernetes-validate"
SERVER, MIGRATE = service_of(SERVER_POD), service_of(MIGRATE_POD)
PODS = pytest.mark.parametrize("pod", [SERVER_POD, MIGRATE_POD], ids=["server", "migrate"])


def validate(file: Path) -> subprocess.CompletedProcess[str]:
    assert VALIDATOR.exists(), "make test-system installs what validates it"
    return subprocess.run([VALIDATOR, "--strict", file], capture_output=True, text=True, check=False)


def test_it_is_as_the_schemas_of_kubernetes_ask() -> None:
    result = validate(FILE)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_schemas_know_a_field_that_is_none(tmp_path: Path) -> None:
    (misspelt := tmp_path / "misspelt.yaml").write_text(FILE.read_text().replace("minAvailable", "minAvailible"))
    assert validate(misspelt).returncode != 0


def test_all_that_selects_the_servers_finds_them_alone() -> None:
    labels, others = (pod["metadata"]["labels"].items() for pod in (SERVER_POD, MIGRATE_POD))
    spread = [constraint["labelSelector"] for constraint in SERVER_POD["spec"]["topologySpreadConstraints"]]
    selectors = [selector["matchLabels"] for selector in (DEPLOYMENT["selector"], *spread)]
    selectors += [find("PodDisruptionBudget")["spec"]["selector"]["matchLabels"], find("Service")["spec"]["selector"]]
    for selector in selectors:
        assert selector.items() <= labels
        assert not selector.items() <= others
    assert find("NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items() <= labels


def test_its_ports_are_those_that_the_service_listens_on() -> None:
    ports = {port["name"]: port["containerPort"] for port in container_of(SERVER_POD)["ports"]}
    assert ports == {"http": UvicornSettings().port, "metrics": int(SERVER.environment["GATEHOUSE_METRICS__PORT"])}
    assert SERVER_POD["metadata"]["annotations"]["prometheus.io/port"] == str(ports["metrics"])
    admitted = [port["port"] for rule in find("NetworkPolicy")["spec"]["ingress"] for port in rule["ports"]]
    assert {port["targetPort"] for port in find("Service")["spec"]["ports"]} == {"http"}
    assert set(admitted) == set(ports)


@PODS
def test_they_are_confined(pod: dict[str, Any]) -> None:
    container, spec = container_of(pod), pod["spec"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False


def test_migrating_alone_is_given_the_owners_password() -> None:
    assert secrets_of(SERVER_POD) == {"gatehouse"}
    assert secrets_of(MIGRATE_POD) == {"gatehouse", "gatehouse-owner"}
    assert set(MIGRATE.secrets) - set(SERVER.secrets) == {"postgres_owner_url"}


def test_the_secrets_that_the_page_makes_are_those_that_are_read() -> None:
    made = {
        name: set(re.findall(r"--from-file=(\w+)", options))
        for name, options in re.findall(r"^kubectl create secret generic (\S+) (.*)$", PAGE.read_text(), re.MULTILINE)
    }
    assert made == {"gatehouse": set(SERVER.secrets), "gatehouse-owner": {"postgres_owner_url"}}


def test_both_run_one_image_with_its_secrets_alike() -> None:
    server, migrate = container_of(SERVER_POD), container_of(MIGRATE_POD)
    assert server["image"] == migrate["image"]
    assert server["envFrom"] == migrate["envFrom"]


def test_a_pod_may_take_the_time_to_stop_that_it_grants_itself() -> None:
    drain = int(SERVER.environment["GATEHOUSE_UVICORN__DRAIN_SECONDS"])
    probe = container_of(SERVER_POD)["readinessProbe"]
    assert drain > probe["periodSeconds"] * probe["failureThreshold"] + probe["timeoutSeconds"]
    seconds = SERVER_POD["spec"]["terminationGracePeriodSeconds"]
    assert seconds > drain + UvicornSettings().grace_seconds + HANGING_SECONDS


@PODS
def test_its_settings_are_accepted_by_name_and_value(pod: dict[str, Any], on_this_machine: OnThisMachine) -> None:
    result = on_this_machine.run(service_of(pod), "gatehouse", "config", "check")
    assert result.returncode == 0, result.stderr
    assert "https://accounts.example.com" in result.stdout


def test_it_migrates_and_serves_and_the_probes_are_answered(
    on_this_machine: OnThisMachine, secrets: Path, postgres: DebianPostgres
) -> None:
    for secret in ("postgres_url", "postgres_owner_url"):
        write_address(secrets / secret, postgres.port)
    on_this_machine.variables = {
        "GATEHOUSE_UVICORN__HOST": "127.0.0.1",
        "GATEHOUSE_UVICORN__DRAIN_SECONDS": "0",
        "GATEHOUSE_METRICS__HOST": "127.0.0.1",
        "GATEHOUSE_METRICS__PORT": str(free_port()),
    }
    on_this_machine.prepare(MIGRATE, SERVER)
    with on_this_machine.serve(SERVER):
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            probe = container_of(SERVER_POD)[kind]["httpGet"]
            # By the kubelet, which knows the address of the pod alone.
            answer = httpx.get(on_this_machine.url + probe["path"], headers={"host": "10.244.1.7:8000"}, timeout=10)
            assert (kind, probe["port"], answer.status_code) == (kind, "http", 200)
