"""deploy/kubernetes, as the tests read it."""

from collections.abc import Mapping
from typing import Any, Final

import yaml

from tests.root import ROOT
from tests.system.service import SECRETS, Service

FILE: Final = ROOT / "deploy/kubernetes/gatehouse.yaml"
DOCUMENTS: Final[list[dict[str, Any]]] = list(yaml.safe_load_all(FILE.read_text()))
_MOUNT: Final = "/secrets"
_OF_THE_IMAGE: Final = {"GATEHOUSE_APP__ENVIRONMENT": "production"}


def find(kind: str) -> dict[str, Any]:
    [found] = [document for document in DOCUMENTS if document["kind"] == kind]
    return found


DEPLOYMENT: Final = find("Deployment")["spec"]
SERVER_POD: Final = DEPLOYMENT["template"]
MIGRATE_POD: Final = find("CronJob")["spec"]["jobTemplate"]["spec"]["template"]


def container_of(pod: Mapping[str, Any]) -> dict[str, Any]:
    [container] = pod["spec"]["containers"]
    return dict(container)


def secrets_of(pod: Mapping[str, Any]) -> set[str]:
    """The names of the Secrets whose keys the pod sees as files."""
    container = container_of(pod)
    [volume] = [mount["name"] for mount in container["volumeMounts"] if mount["mountPath"] == _MOUNT]
    [declared] = [declared for declared in pod["spec"]["volumes"] if declared["name"] == volume]
    if "secret" in declared:
        return {declared["secret"]["secretName"]}
    return {source["secret"]["name"] for source in declared["projected"]["sources"]}


def service_of(pod: Mapping[str, Any]) -> Service:
    container = container_of(pod)
    [source] = container["envFrom"]
    config = find("ConfigMap")
    assert source == {"configMapRef": {"name": config["metadata"]["name"]}}
    own = {variable["name"]: variable["value"] for variable in container.get("env", ())}
    environment = {
        name: value.replace(f"{_MOUNT}/", f"{SECRETS}/")
        for name, value in {**_OF_THE_IMAGE, **config["data"], **own}.items()
    }
    secrets = [value.removeprefix(f"{SECRETS}/") for value in environment.values() if value.startswith(SECRETS)]
    return Service(container["name"], container["command"], environment, secrets)
