"""A service as something declares it that starts services: compose, systemd, Kubernetes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SECRETS: Final = "/run/secrets"
"""Where it finds its secrets."""


@dataclass(frozen=True)
class Service:
    name: str
    command: list[str]
    environment: Mapping[str, str]
    secrets: list[str]

    @property
    def file_variables(self) -> list[str]:
        return [name for name in self.environment if name.endswith("_FILE")]

    @property
    def secrets_of_variables(self) -> set[str]:
        return {self.environment[name].removeprefix(f"{SECRETS}/") for name in self.file_variables}
