"""The interactive documentation and the document behind it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from gatehouse.common.domain.audit import Outcome
from gatehouse.common.presentation.http.settings import FeatureSettings
from gatehouse.common.settings import AppSettings, Environment, Settings
from gatehouse.testing.answers import assert_problem
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import ORIGIN, RunningApp
from gatehouse.testing.under_test import all_calls, all_problems

CALLS = all_calls()
OPEN = {call.path for call in CALLS if call.open_to in ("everyone", "strangers")}
ELSEWHERE = re.compile(r"""(?:https?:)?//[\w.-]+""")
NAMED = re.compile(r"""(?:src|href)\s*=\s*["']([^"']+)|["'](/[\w./-]+)["']""")


def operations(app: RunningApp) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in app.fastapi_app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def slugs_of(operation: dict[str, Any]) -> set[str]:
    """The problems that an operation documents."""
    return {
        slug
        for status, response in operation["responses"].items()
        if int(status) >= 400
        for slug in response["content"]["application/problem+json"]["examples"]
    }


def responses(app: RunningApp) -> Iterator[tuple[str, int, dict[str, Any]]]:
    for method, path, operation in operations(app):
        for status, response in operation["responses"].items():
            yield f"{method} {path}", int(status), response


async def test_the_document_is_served(app: RunningApp) -> None:
    answer = await (await app.client()).get("/openapi.json")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == app.fastapi_app.openapi()


def test_every_operation_says_what_it_does_and_has_a_name_of_its_own(app: RunningApp) -> None:
    found = list(operations(app))

    assert [path for _, path, operation in found if path != "/api/v1/" and not operation.get("description")] == []
    assert [path for _, path, operation in found if not operation["summary"] or not operation["tags"]] == []
    assert len({operation["operationId"] for *_, operation in found}) == len(found)


def test_every_operation_may_fail_on_our_side_and_says_so(app: RunningApp) -> None:
    assert [path for _, path, operation in operations(app) if "500" not in operation["responses"]] == []


def test_every_operation_with_a_caller_asks_for_the_cookie_and_may_refuse(app: RunningApp) -> None:
    schemes = app.fastapi_app.openapi()["components"]["securitySchemes"]
    [(scheme, described)] = schemes.items()
    assert described == {"type": "apiKey", "in": "cookie", "name": "__Host-session"}

    # They look whether the caller is logged in already, and refuse two session cookies in one request.
    looking = {"/api/v1/account/login", "/api/v1/account/signup"}
    for _, path, operation in operations(app):
        assert operation.get("security") == (None if path in OPEN else [{scheme: []}]), path
        assert ("401" in operation["responses"]) is (path not in OPEN - looking), path


def test_every_state_change_may_be_refused_as_cross_site_and_every_body_as_unfit(app: RunningApp) -> None:
    for method, path, operation in operations(app):
        slugs = slugs_of(operation)
        assert ("cross-site-request" in slugs) is (method != "get"), path
        has_body = "requestBody" in operation
        assert has_body is (method in ("post", "patch")), path
        assert ({"invalid-input", "content-too-large", "unsupported-media-type"} <= slugs) is has_body, path
        assert has_body or not slugs & {"content-too-large", "unsupported-media-type"}, path


def test_what_takes_a_password_may_ask_to_wait_and_nothing_else_does(app: RunningApp) -> None:
    throttled = {
        f"{method.upper()} {path}"
        for method, path, operation in operations(app)
        if "too-many-attempts" in slugs_of(operation)
    }

    assert throttled == {str(call) for call in CALLS if call.is_throttled}


def test_every_call_of_ones_own_but_leaving_may_ask_for_a_new_password_first(app: RunningApp) -> None:
    always_open = OPEN | {call.path for call in CALLS if call.is_open_before_password_change}
    for _, path, operation in operations(app):
        assert ("password-change-required" in slugs_of(operation)) is (path not in always_open), path


def test_every_named_thing_may_be_missing(app: RunningApp) -> None:
    for method, path, operation in operations(app):
        if "{username}" in path:
            assert {"user-not-found", "forbidden"} <= slugs_of(operation), (method, path)
        assert ("session-not-found" in slugs_of(operation)) is ("{session_id}" in path), (method, path)


def test_every_error_is_a_problem_document_with_an_example(app: RunningApp) -> None:
    schemas = app.fastapi_app.openapi()["components"]["schemas"]
    for call, status, response in responses(app):
        if status < 400:
            assert "application/problem+json" not in response.get("content", {}), call
            continue
        assert list(response["content"]) == ["application/problem+json"], (call, status)
        content = response["content"]["application/problem+json"]
        name = content["schema"]["$ref"].removeprefix("#/components/schemas/")
        assert content["examples"], (call, status)
        for slug, example in content["examples"].items():
            value = example["value"]
            assert set(value) == set(schemas[name]["required"]), (call, slug)
            assert (value["type"], value["status"]) == (f"/problems/{slug}", status), call
            assert all_problems()[slug] == (status, value["title"]), call


def test_every_response_has_the_header_that_names_it(app: RunningApp) -> None:
    for call, status, response in responses(app):
        assert "X-Request-ID" in response["headers"], (call, status)
        assert ("Retry-After" in response["headers"]) is (status in (429, 503)), (call, status)
        assert ("Location" in response["headers"]) is (status == 307), (call, status)


def test_every_field_of_a_body_that_must_be_given_has_an_example(app: RunningApp) -> None:
    schemas = app.fastapi_app.openapi()["components"]["schemas"]
    bodies = {name: schema for name, schema in schemas.items() if name.endswith("Body")}
    assert bodies

    for name, schema in bodies.items():
        assert schema["additionalProperties"] is False, name
        for field in schema["required"]:
            assert schema["properties"][field]["examples"], (name, field)


@pytest.mark.promise("G4")
def test_an_audit_event_says_what_each_outcome_means(app: RunningApp) -> None:
    fields = app.fastapi_app.openapi()["components"]["schemas"]["AuditEvent"]["properties"]

    assert [outcome for outcome in Outcome if f"`{outcome}`" not in fields["outcome"]["description"]] == []
    assert "`attempts`" in fields["subject"]["description"]


def test_every_reference_leads_somewhere(app: RunningApp) -> None:
    document = app.fastapi_app.openapi()
    references = set(re.findall(r"'#/components/schemas/(\w+)'", str(document)))

    assert references
    assert references == set(document["components"]["schemas"]), "an unused or a missing schema"


async def test_the_page_and_all_it_loads_come_from_here(app: RunningApp) -> None:
    client = await app.client()
    page = await client.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")

    waiting, loaded = ["/docs"], {"/docs"}
    while waiting:
        path = waiting.pop()
        answer = await client.get(path)
        assert answer.status_code == 200, path
        if "assets" in path or path == "/openapi.json":
            continue  # a library, whose licences name other hosts, and the document, which names the API
        assert ELSEWHERE.findall(answer.text) == [], path
        named = {one or other for one, other in NAMED.findall(answer.text)} - loaded
        local = {name for name in named if not name.startswith("data:")}
        assert all(name.startswith("/") for name in local), named
        loaded |= local
        waiting += local

    assert "/openapi.json" in loaded
    assert {path.rpartition(".")[2] for path in loaded} >= {"css", "js", "json"}


async def test_the_style_sheet_loads_nothing_more(app: RunningApp) -> None:
    page = (await (await app.client()).get("/docs")).text
    [style] = re.findall(r'href="(/[^"]+\.css)"', page)

    text = (await (await app.client()).get(style)).text

    assert [url for url in re.findall(r"url\(['\"]?([^)]{1,40})", text) if not url.startswith("data:")] == []
    assert "@import" not in text


@pytest.mark.promise("C6")
async def test_the_front_door_leads_to_the_docs_and_is_not_built_from_the_host(app: RunningApp) -> None:
    answer = await (await app.client()).get("/", headers={"host": "localhost:8443"})

    assert answer.status_code == 307
    assert answer.headers["location"] == "/docs"


@pytest.mark.parametrize(
    ("environment", "docs", "is_served"),
    [
        (Environment.PRODUCTION, None, False),
        (Environment.PRODUCTION, False, False),
        (Environment.PRODUCTION, True, True),
        (Environment.DEVELOPMENT, None, True),
        (Environment.DEVELOPMENT, False, False),
    ],
)
async def test_production_serves_docs_only_when_told_to(
    settings: Settings, environment: Environment, *, docs: bool | None, is_served: bool
) -> None:
    app_settings = AppSettings(environment=environment, origin=ORIGIN)
    async with run_app(settings.replace(app_settings, FeatureSettings(docs=docs))) as app:
        client = await app.client()
        assert (await client.get("/")).headers["location"] == ("/docs" if is_served else "/console/")
        for path in ("/docs", "/openapi.json", "/docs/start.js", "/docs/assets/swagger-ui.css"):
            answer = await client.get(path)
            if is_served:
                assert answer.status_code == 200
            else:
                assert_problem(answer, "not-found")


@pytest.mark.parametrize("path", ["/redoc", "/docs/oauth2-redirect", "/docs/assets/../../app.py", "/docs/assets/"])
async def test_nothing_else_is_served_beside_them(app: RunningApp, path: str) -> None:
    assert_problem(await (await app.client()).get(path), "not-found")
