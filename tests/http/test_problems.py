"""Errors that any call may answer with. Each follows the contract and repeats nothing that the client sent."""

import json
from collections.abc import AsyncIterator

import pytest
import structlog
from dishka import Provider, Scope
from starlette.types import Message

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.queries.get_me import GetMe
from gatehouse.accounts.domain.role import Role
from gatehouse.common.settings import Settings
from gatehouse.testing.answers import REQUIRED, assert_problem
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import LOGIN, RunningApp, cookie, token_of

ME = "/api/v1/account/me"
SIGN_UP = "/api/v1/account/signup"
USERS = "/api/v1/users/"
GRANT = "/api/v1/users/grant"
CANARY = "kanarienvogel"
JSON = {"content-type": "application/json"}
LIMIT = 16 * 1024
NOT_JSON = ("body", "Is not valid JSON.")
UNKNOWN = ("body", "Holds an unknown field.")
NO_TEXT = "Input should be a valid string."
NO_OBJECT = ("body", "Input should be a valid dictionary or object to extract fields from.")


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/v1", "/api/v1/users", "/api/v2/account/me", "/livez/", f"/{CANARY}"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_path_that_does_not_exist_is_not_found(app: RunningApp, method: str, path: str) -> None:
    answer = await (await app.client()).request(method, path)

    assert_problem(answer, "not-found")
    assert CANARY not in answer.text


@pytest.mark.promise("C3")
@pytest.mark.parametrize(
    ("method", "path", "methods"),
    [
        ("POST", "/livez", {"GET"}),
        ("POST", ME, {"GET"}),
        ("GET", LOGIN, {"POST"}),
        ("GET", SIGN_UP, {"POST"}),
        ("GET", "/api/v1/account/logout", {"DELETE"}),
        ("POST", "/api/v1/account/logout", {"DELETE"}),
        ("PUT", USERS, {"GET", "POST"}),
        ("PATCH", "/api/v1/users/alice", {"GET", "DELETE"}),
        ("POST", GRANT, {"GET", "PATCH", "DELETE"}),
        ("POST", "/docs", {"GET"}),
    ],
)
async def test_another_method_is_told_which_ones_there_are(
    app: RunningApp, method: str, path: str, methods: set[str]
) -> None:
    answer = await (await app.client()).request(method, path)

    assert_problem(answer, "method-not-allowed")
    assert set(answer.headers["allow"].split(", ")) == methods


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1024):
        yield b" " * 1024
    yield b" " * (size % 1024)


@pytest.mark.promise("D4")
@pytest.mark.parametrize("path", [LOGIN, SIGN_UP, USERS, "/nothing"])
@pytest.mark.parametrize("chunked", [True, False])
async def test_a_body_over_16_kib_is_too_large(app: RunningApp, path: str, *, chunked: bool) -> None:
    client = await app.client()
    content = chunks(LIMIT + 1) if chunked else b" " * (LIMIT + 1)

    answer = await client.post(path, content=content, headers=JSON)

    assert ("transfer-encoding" in answer.request.headers) is chunked
    assert_problem(answer, "content-too-large")


@pytest.mark.promise("D4")
async def test_an_endless_body_is_read_up_to_the_limit_only(app: RunningApp) -> None:
    sent_bytes = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent_bytes
        while True:
            sent_bytes += 1024
            assert sent_bytes <= 2 * LIMIT, "still being read"
            yield b" " * 1024

    assert_problem(await (await app.client()).post(LOGIN, content=endless(), headers=JSON), "content-too-large")


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_body_of_16_kib_is_read(app: RunningApp, *, chunked: bool) -> None:
    client = await app.client()
    content = chunks(LIMIT) if chunked else b" " * LIMIT

    assert_problem(await client.post(LOGIN, content=content, headers=JSON), "invalid-input", NOT_JSON)


@pytest.mark.promise("C2")
@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
@pytest.mark.parametrize(("method", "path"), [("POST", LOGIN), ("POST", SIGN_UP), ("POST", USERS), ("PATCH", GRANT)])
@pytest.mark.parametrize("chunked", [True, False])
async def test_anything_but_json_is_an_unsupported_type(
    app: RunningApp, media_type: str | None, method: str, path: str, *, chunked: bool
) -> None:
    client = await app.logged_in("chief", Role.SUPER_ADMIN)
    headers = {"content-type": media_type} if media_type else {}

    async def body() -> AsyncIterator[bytes]:
        yield b'{"username": "alice"}'

    content = body() if chunked else b'{"username": "alice"}'
    assert_problem(await client.request(method, path, content=content, headers=headers), "unsupported-media-type")


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;"])
async def test_json_is_json_however_it_is_written(app: RunningApp, media_type: str) -> None:
    answer = await (await app.client()).post(LOGIN, content=b"{}", headers={"content-type": media_type})

    assert_problem(answer, "invalid-input", ("username", REQUIRED), ("password", REQUIRED))


@pytest.mark.promise("I2", "I3", "Z9")
@pytest.mark.parametrize("path", [LOGIN, SIGN_UP])
@pytest.mark.parametrize(
    ("content", "errors"),
    [
        (b'{"username": "alice", "password": "%s", "%s": 1}', [UNKNOWN]),
        (b'{"username": "alice", "password": "%s", "__proto__": {"a": "%s"}}', [UNKNOWN]),
        (b'{"username": ["%s"], "password": {"%s": 1}}', [("username", NO_TEXT), ("password", NO_TEXT)]),
        (b'{"username": 12345, "password": true}', [("username", NO_TEXT), ("password", NO_TEXT)]),
        (b'{"username": NaN, "password": -Infinity}', [("username", NO_TEXT), ("password", NO_TEXT)]),
        (b'{"username": "%s", "password": null}', [("password", NO_TEXT)]),
        (b'{"username": ' + b"9" * 4000 + b', "password": "%s"}', [("username", NO_TEXT)]),
        (b'{"username": ' + b"9" * 9000 + b', "password": "%s"}', [NOT_JSON]),
        (b'{"username": "%s", "password": ' + b"[" * 9000 + b"]" * 6000 + b"}", [NOT_JSON]),
        (b'{"a":' * 3000 + b'"%s"', [NOT_JSON]),
        (b'{"username": "%s\xff", "password": "%s"}', [NOT_JSON]),
        (b'{"username": "%s", "password": "%s"', [NOT_JSON]),
        (b"%s", [NOT_JSON]),
        (b"username=%s&password=%s", [NOT_JSON]),
        (b'["%s", "%s"]', [NO_OBJECT]),
        (b'"%s"', [NO_OBJECT]),
        (b"null", [NO_OBJECT]),
        (b"", [("body", REQUIRED)]),
    ],
)
async def test_input_that_fits_no_call_is_refused_and_not_repeated(
    app: RunningApp, path: str, content: bytes, errors: list[tuple[str, str]]
) -> None:
    client = await app.client()

    answer = await client.post(path, content=content.replace(b"%s", CANARY.encode()), headers=JSON)

    assert_problem(answer, "invalid-input", *errors)
    assert CANARY not in answer.text


@pytest.mark.promise("I2", "I3")
@pytest.mark.parametrize("path", [LOGIN, SIGN_UP, USERS])
@pytest.mark.parametrize("text", ["\\ud800", "\\udfff", "\\ude00\\ud83d"])
async def test_a_password_that_is_no_text_is_invalid(app: RunningApp, path: str, text: str) -> None:
    client = await (app.client() if path != USERS else app.logged_in("admin", Role.ADMIN))
    content = f'{{"username": "alice", "password": "{CANARY} {text} {CANARY}"}}'

    answer = await client.post(path, content=content, headers=JSON)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["password"]
    assert CANARY not in answer.text


@pytest.mark.promise("I2")
@pytest.mark.parametrize("field", ["password", "current_password"])
async def test_neither_a_new_nor_a_current_password_is_anything_but_text(app: RunningApp, field: str) -> None:
    client = await app.logged_in("alice")
    passwords = {"password": "a whole new sentence", "current_password": PASSWORD, field: "\ud800" * 20}
    content = json.dumps({"username": "alice", **passwords})

    answer = await client.patch("/api/v1/users/change_password", content=content, headers=JSON)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.promise("I2", "I3")
@pytest.mark.parametrize("username", ["\\ud800" * 5, "alice\\u0000", "\\u0000" * 5, f"{CANARY}!"])
@pytest.mark.parametrize(("path", "body"), [(SIGN_UP, f', "password": "{PASSWORD}"'), (GRANT, "")])
async def test_a_username_that_cannot_be_one_is_invalid(app: RunningApp, path: str, body: str, username: str) -> None:
    client = await (app.client() if path == SIGN_UP else app.logged_in("chief", Role.SUPER_ADMIN))
    method = "POST" if path == SIGN_UP else "PATCH"

    answer = await client.request(method, path, content=f'{{"username": "{username}"{body}}}', headers=JSON)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["username"]
    assert CANARY not in answer.text


class BrokenGetMe(GetMe):
    async def __call__(self) -> Account:
        raise RuntimeError(CANARY)


@pytest.mark.promise("I3")
async def test_an_unexpected_error_is_logged_and_its_text_not_sent(app: RunningApp, settings: Settings) -> None:
    token = token_of(await app.logged_in("alice"))
    parts = Provider(scope=Scope.REQUEST)
    parts.provide(BrokenGetMe, provides=GetMe)

    async with run_app(settings, parts) as broken_app:
        client = await broken_app.client(**cookie(token))
        processors = [structlog.contextvars.merge_contextvars]
        with structlog.testing.capture_logs(processors) as logs:
            answer = await client.get(ME)

    assert_problem(answer, "internal-error")
    [line] = logs
    assert (line["event"], line["log_level"]) == ("internal_error", "error")
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["exc_info"]


async def test_a_refusal_is_no_error_in_the_log(app: RunningApp) -> None:
    client = await app.client()

    with structlog.testing.capture_logs() as logs:
        await client.get(ME)
        await client.get("/nothing")
        await client.post(LOGIN, content=b"{", headers=JSON)

    assert {line["log_level"] for line in logs} <= {"info"}


async def test_a_request_that_breaks_off_is_not_carried_out(app: RunningApp) -> None:
    await app.add_user("alice")
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    messages: list[Message] = [
        {"type": "http.request", "body": b'{"username": "alice"}', "more_body": True},
        {"type": "http.disconnect"},
    ]
    responses: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        responses.append(message)

    request = chief.build_request("PATCH", GRANT, json={}, headers={"content-length": "5000"})
    scope = {
        "type": "http",
        "method": request.method,
        "path": request.url.path,
        "query_string": b"",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 1),
    }
    await app.fastapi_app(scope, receive, send)

    assert (messages, responses) == ([], [])
    assert (await chief.get("/api/v1/users/alice")).json()["role"] == "user"


@pytest.mark.promise("I3")
async def test_thousands_of_unknown_fields_are_one_error(app: RunningApp) -> None:
    body = {f"{CANARY}{number}": number for number in range(500)}

    answer = await (await app.client()).post(LOGIN, json=body)

    assert_problem(answer, "invalid-input", UNKNOWN)
    assert CANARY not in answer.text
