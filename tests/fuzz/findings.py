"""One run of schemathesis over the served OpenAPI document, and what it found."""

from dataclasses import dataclass, field
from typing import Any, Final

import pytest
import schemathesis
from fastapi import FastAPI
from schemathesis import HookContext
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.engine import Status, events, from_schema
from schemathesis.schemas import BaseSchema
from starlette.routing import compile_path
from structlog.testing import capture_logs

from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.under_test import all_calls
from tests.conftest import SMALL_FUZZ_BUDGET

SUPER_ADMIN: Final = "the-super-admin"


def _shares_its_path(path: str) -> bool:
    """ "grant" may be a username, so GET /users/{username} answers under /users/grant, too, and `Allow` says so
    truthfully. The check knows only the methods that the document has under the path as it is written.
    """
    return any(
        call.path != path and "{" in call.path and compile_path(call.path)[0].match(path) for call in all_calls()
    )


@dataclass
class Findings:
    calls: set[str] = field(default_factory=set)
    """All that the document lists, as `GET /livez`."""
    succeeded: set[str] = field(default_factory=set)
    """Those that were answered with success at least once: fuzzing that is only ever refused shows little."""
    failures: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """By call, check and title: the first of its kind."""

    def add(self, recorded: events.ScenarioFinished) -> None:
        recorder = recorded.recorder
        for case_id, interaction in recorder.interactions.items():
            if interaction.response is not None and interaction.response.status_code < 400:
                self.succeeded.add(recorder.cases[case_id].value.operation.label)
        for checks in recorder.checks.values():
            for check in checks:
                if check.failure_info is not None:
                    failure = check.failure_info.failure
                    kind = (failure.operation or recorder.label, check.name, failure.title)
                    self.failures.setdefault(kind, f"{failure.message}\n{check.failure_info.code_sample}")

    def ensure_none(self) -> None:
        if self.failures:
            pytest.fail(str(self), pytrace=False)  # an assertion would cut the text off

    def __str__(self) -> str:
        return "\n\n".join("\n".join((*kind, text)) for kind, text in self.failures.items())


def load(app: FastAPI, examples: int) -> BaseSchema:
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=_config(examples))
    schema.hook("map_query")(_without_made_up_cursor)
    return schema


def _without_made_up_cursor(_context: HookContext, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """Every list with one is refused, and no other parameter would be looked at. Links bring true ones afterwards."""
    if query is None or not isinstance(query.get("cursor"), str):
        return query
    return {name: value for name, value in query.items() if name != "cursor"}


def fuzz(schema: BaseSchema) -> Findings:
    """Examples, boundaries, random values and chains of calls along the links, all checks after each."""
    findings = Findings({found.ok().label for found in schema.get_all_operations() if isinstance(found, Ok)})
    with capture_logs() as logs:
        for event in from_schema(schema).execute():
            match event:
                case events.ScenarioFinished():
                    findings.add(event)
                case events.NonFatalError():
                    findings.failures[event.label, "error", event.info.title] = event.info.format()
                case events.FatalError():
                    raise event.exception
                case events.PhaseFinished(status=Status.ERROR | Status.INTERRUPTED):
                    findings.failures[event.phase.name, "phase", event.status] = "It did not end as it should."
    for log in logs:
        if log["log_level"] == "error":
            findings.failures["log", log["event"], str(log.get("exc_info"))] = str(log)
    if findings.failures:
        findings.failures["the run", "seed", str(schema.config.seed)] = "Give it as `seed` to repeat the run."
    return findings


def _config(examples: int) -> SchemathesisConfig:
    # Small runs are the same every time; long ones look elsewhere every time.
    is_small = examples <= SMALL_FUZZ_BUDGET
    return SchemathesisConfig.from_dict(
        {
            **({"seed": 2} if is_small else {}),
            "continue-on-failure": True,
            "generation": {"max-examples": examples, "deterministic": is_small, "database": "none"},
            "phases": {"stateful": {"generation": {"max-examples": 3 * examples}}},
            # A generated password is nearly always refused as too short; some are to get further.
            # Likewise, a generated name is nearly always nobody's.
            "dictionaries": {
                "passwords": {"values": [PASSWORD]},
                "usernames": {"values": ["alice", "nobody", SUPER_ADMIN]},
            },
            "parameters": {
                "body.password": {"dictionary": "passwords", "probability": 0.5},
                **{f"{place}.username": {"dictionary": "usernames", "probability": 0.5} for place in ("body", "path")},
            },
            "output": {"sanitization": {"enabled": False}},
            "operations": [*_exceptions()],
        }
    )


def _exceptions() -> list[dict[str, Any]]:
    return [
        {
            "include-path": [call.path for call in all_calls() if call.asks_more_than_documented],
            "checks": {
                "positive_data_acceptance": {
                    "expected-statuses": ["2xx", "3xx", "401", "403", "404", "409", "422", "429"]
                }
            },
        },
        {
            "include-path": [call.path for call in all_calls() if _shares_its_path(call.path)],
            "checks": {"allow_header_conformance": {"enabled": False}},
        },
    ]
