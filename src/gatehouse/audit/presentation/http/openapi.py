"""Adds to the OpenAPI document what an event's fields mean, and all actions: only the list of modules knows them."""

from collections.abc import Collection
from typing import Any, Final

_MEANINGS: Final = {
    "outcome": "`succeeded`, `failed` (a wrong password), `refused` (the role does not allow it) or `throttled`.",
    "subject": "What was acted on, where that is no user. Of an event that counts the attempts of a minute, `kind` is "
    "`attempts`, `id` is an address, an actor or `others`, and `label` says how many there were.",
}


def document_events(document: dict[str, Any], actions: Collection[str]) -> None:
    for path in ("/api/v1/audit/", "/api/v1/audit/export"):
        parameters = document["paths"][path]["get"]["parameters"]
        action = next(parameter for parameter in parameters if parameter["name"] == "action")
        action["schema"]["enum"] = sorted(actions)
    for field, meaning in _MEANINGS.items():
        document["components"]["schemas"]["AuditEvent"]["properties"][field]["description"] = meaning
