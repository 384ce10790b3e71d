"""Adds all actions to the OpenAPI document: only the list of modules knows them."""

from collections.abc import Collection
from typing import Any


def document_actions(document: dict[str, Any], actions: Collection[str]) -> None:
    parameters = document["paths"]["/api/v1/audit/"]["get"]["parameters"]
    action = next(parameter for parameter in parameters if parameter["name"] == "action")
    action["schema"]["enum"] = sorted(actions)
