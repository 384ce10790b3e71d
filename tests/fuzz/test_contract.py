"""The service keeps to its OpenAPI document, whatever it is sent."""

from http import HTTPStatus
from http.cookies import SimpleCookie
from typing import Any

import pytest
from fastapi import FastAPI
from schemathesis import AuthContext, Case
from schemathesis.schemas import BaseSchema

from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import COOKIE, LOGIN
from gatehouse.testing.under_test import all_calls
from tests.fuzz.findings import SUPER_ADMIN, fuzz, load

pytestmark = pytest.mark.slow

FOR_STRANGERS = {str(call) for call in all_calls() if call.open_to == "strangers"}
OPEN = FOR_STRANGERS | {str(call) for call in all_calls() if call.open_to == "everyone"}


def log_in(schema: BaseSchema) -> str:
    body: dict[str, Any] = {"username": SUPER_ADMIN, "password": PASSWORD}
    answer = schema[LOGIN]["POST"].Case(body=body, media_type="application/json").call()
    assert answer.status_code == HTTPStatus.NO_CONTENT, answer.text
    return SimpleCookie(answer.headers["set-cookie"][0])[COOKIE].value


def stay_logged_in(schema: BaseSchema) -> None:
    """Fuzzing logs out and ends sessions; after a 401 schemathesis asks for a new one and repeats the call.

    The password stays what it is, because nobody changes it without knowing it.
    """

    @schema.auth(retry_on=[HTTPStatus.UNAUTHORIZED])
    class Session:
        def get(self, _case: Case[Any], _context: AuthContext) -> str:
            return log_in(schema)

        def set(self, case: Case[Any], token: str, _context: AuthContext) -> None:
            case.cookies = {**(case.cookies or {}), COOKIE: token}


@pytest.mark.promise("I1")
def test_strangers_are_answered_as_documented_and_only_where_they_may(fuzzed_app: FastAPI, fuzz_examples: int) -> None:
    schema = load(fuzzed_app, max(1, fuzz_examples // 4))  # most are refused at the door
    log_in(schema)  # opens the pool

    findings = fuzz(schema)

    findings.ensure_none()
    assert findings.succeeded == OPEN


@pytest.mark.promise("I1")
def test_a_super_admin_is_answered_as_documented_everywhere(fuzzed_app: FastAPI, fuzz_examples: int) -> None:
    schema = load(fuzzed_app, fuzz_examples)
    log_in(schema)
    stay_logged_in(schema)

    findings = fuzz(schema)

    findings.ensure_none()
    assert findings.succeeded >= findings.calls - FOR_STRANGERS
    assert log_in(schema)
