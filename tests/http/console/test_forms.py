"""What may be sent to the console: forms of its own pages, small and well-formed."""

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.answers import assert_problem
from gatehouse.testing.declaration import Caller, Case, Target
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import LOGIN, ORIGIN, RunningApp
from tests.http.console.calls import NEW, POSTED, ConsoleCall
from tests.http.console.pages import (
    ACCOUNT,
    AUDIT,
    CONSOLE,
    LOG_IN,
    MANY,
    OWN_PASSWORD,
    USERS,
    Page,
    assert_error_page,
)
from tests.http.test_csrf import ORIGINS, SITES, headers_of, is_refused

pytestmark = pytest.mark.slow  # each form with each fault

FORM: Final = {"content-type": "application/x-www-form-urlencoded"}
LIMIT: Final = 16 * 1024
CANARY: Final = "kanarienvogel"
PATHS: Final = sorted({call.url("alice") for call in POSTED} | {f"{CONSOLE}nothing"})
READ: Final = (f"{CONSOLE}theme", OWN_PASSWORD, MANY, f"{USERS}/new", f"{USERS}/alice/password", f"{USERS}/alice/erase")
"""Where the fields of the form count, of those who are logged in."""
STRANGERS: Final = (LOG_IN, f"{CONSOLE}sign-up")


async def chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 1000):
        yield content[start : start + 1000]


@pytest.mark.promise("C2")
@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/x-www-form-urlencoded, application/json",
        "",
        None,
    ],
)
@pytest.mark.parametrize("chunked", [True, False])
async def test_anything_but_a_form_is_an_unsupported_type(
    app: RunningApp, media_type: str | None, *, chunked: bool
) -> None:
    client = await app.client()
    headers = {} if media_type is None else {"content-type": media_type}

    for path in PATHS:
        content = b"username=alice"
        answer = await client.post(path, content=chunks(content) if chunked else content, headers=headers)
        assert_error_page(answer, 415)


@pytest.mark.promise("C2", "E8")
async def test_a_form_is_not_unpacked(app: RunningApp) -> None:
    answer = await (await app.client()).post(LOG_IN, content=b"a=1", headers={**FORM, "content-encoding": "gzip"})

    assert_error_page(answer, 415)


@pytest.mark.promise("C2")
@pytest.mark.parametrize(
    "path", [LOGIN, "/api/v1/account/signup", "/api/v1/users/", "/", "/console", "/consoles/log-in"]
)
async def test_elsewhere_a_form_is_an_unsupported_type(app: RunningApp, path: str) -> None:
    answer = await (await app.client()).post(path, data={"username": "alice", "password": PASSWORD})

    assert_problem(answer, "unsupported-media-type")


@pytest.mark.parametrize(
    "media_type", ["application/x-www-form-urlencoded; charset=UTF-8", "Application/X-WWW-Form-UrlEncoded"]
)
async def test_a_form_is_one_however_its_type_is_written(app: RunningApp, media_type: str) -> None:
    answer = await (await app.client()).post(LOG_IN, content=b"username=alice", headers={"content-type": media_type})

    assert answer.status_code == 401


@pytest.mark.promise("D4")
@pytest.mark.parametrize("chunked", [True, False])
async def test_a_form_over_16_kib_is_too_large(app: RunningApp, *, chunked: bool) -> None:
    client = await app.client()
    content = b"password=".ljust(LIMIT + 1, b"x")

    for path in PATHS:
        answer = await client.post(path, content=chunks(content) if chunked else content, headers=FORM)
        assert_error_page(answer, 413)
    at_limit = await client.post(LOG_IN, content=content[:LIMIT], headers=FORM)

    assert at_limit.status_code == 401


@pytest.mark.promise("C1")
@pytest.mark.parametrize("site", SITES)
async def test_a_form_of_another_site_is_refused(app: RunningApp, site: str | None) -> None:
    client = await app.client()

    for origin in ORIGINS:
        # The rule is that of the API, and before any route: all paths are tried where most of the rest is.
        paths = PATHS if (site, origin) in ((None, "https://evil.test"), ("cross-site", None)) else PATHS[:2]
        refused = set()
        for path in paths:
            answer = await client.post(path, headers=headers_of(site, origin))
            if "another site" in answer.text:
                assert_error_page(answer, 403, "This request comes from another site.")
                refused.add(path)
        assert refused == (set(paths) if is_refused(site, origin) else set()), origin


@pytest.mark.promise("C1")
@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.test"}])
@pytest.mark.parametrize("call", [call for call in POSTED if call.touches], ids=str)
async def test_another_site_changes_nothing_and_takes_no_cookie_away(
    app: RunningApp, call: ConsoleCall, headers: dict[str, str]
) -> None:
    await app.add_user("t-user")
    client = await (app.client() if call.open_to == "strangers" else app.logged_in("chief", Role.SUPER_ADMIN))
    case = Case(Caller.SUPER_ADMIN, Target("user"))

    answer = await client.post(call.url("t-user"), data=call.body(case) or {}, headers=headers)

    assert_error_page(answer, 403)
    assert "set-cookie" not in answer.headers
    own = await client.get(f"{USERS}/t-user")
    assert own.status_code == (303 if call.open_to == "strangers" else 200)


@pytest.mark.promise("C1")
async def test_a_link_of_another_site_opens_a_page(app: RunningApp) -> None:
    client = await app.logged_in("alice")

    assert (await client.get(ACCOUNT, headers={"sec-fetch-site": "cross-site"})).status_code == 200
    assert (await client.get(ACCOUNT, headers={"origin": "https://evil.test"})).status_code == 200


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "same-origin"}, {"origin": ORIGIN}])
async def test_a_form_of_its_own_page_is_taken(app: RunningApp, headers: dict[str, str]) -> None:
    await app.add_user("alice")

    answer = await (await app.client()).post(LOG_IN, data={"username": "alice", "password": PASSWORD}, headers=headers)

    assert answer.status_code == 303


NO_FORM: Final = [
    b"username=%FF" + CANARY.encode(),
    b"username=%ED%A0%80" + CANARY.encode(),
    b"username=%F0%9F%98" + CANARY.encode(),
    b"%C0%AF=" + CANARY.encode(),
    b"username=\xff" + CANARY.encode(),
    f"username=ä{CANARY}".encode(),
    b"a=1&" * 4000,
    b"&" * 10_000,
    b"a&" * 8000,
]


@pytest.mark.promise("I2", "I3")
async def test_what_is_no_form_is_refused_and_not_repeated(app: RunningApp) -> None:
    stranger, chief = await app.client(), await app.logged_in("chief", Role.SUPER_ADMIN)
    await app.add_user("alice")

    for path in (*STRANGERS, *READ):
        for content in NO_FORM:
            answer = await (stranger if path in STRANGERS else chief).post(path, content=content, headers=FORM)
            page = assert_error_page(answer, 422)
            assert "Is not a valid form." in page.text
            assert CANARY not in answer.text


STRANGE: Final = [
    "%00",
    "alice%00",
    "%ZZ%",
    "%",
    "+",
    "%0D%0Aset-cookie:%20a=b",
    "%E2%80%AE%F0%9F%98%80",
    "%EF%BF%BF%EF%BF%BE%7F%1B",
    "x" * 10_000,
    "%27%3BDROP%20TABLE%20users",
]


@pytest.mark.promise("I2")
async def test_strange_text_in_any_field_is_refused_with_a_page(app: RunningApp) -> None:
    stranger, chief = await app.client(), await app.logged_in("chief", Role.SUPER_ADMIN)
    await app.add_user("alice")

    for text in STRANGE:
        fields = "&".join(f"{name}={text}" for name in ("username", "current_password", "role", "act", "free_name"))
        content = f"{fields}&password=short".encode()
        for path in (*STRANGERS, *READ[1:-1]):
            answer = await (stranger if path in STRANGERS else chief).post(path, content=content, headers=FORM)
            assert 400 <= answer.status_code < 500, (path, text)
            assert Page(answer).heading


@pytest.mark.promise("I2")
async def test_a_field_sent_twice_is_refused(app: RunningApp) -> None:
    stranger, chief = await app.client(), await app.logged_in("chief", Role.SUPER_ADMIN)
    await app.add_user("alice")
    twice: list[tuple[str, dict[str, Any]]] = [
        (LOG_IN, {"username": ["alice", "bobby"], "password": PASSWORD}),
        (LOG_IN, {"username": "alice", "password": [PASSWORD, "wrong"]}),
        (f"{CONSOLE}sign-up", {"username": ["alicia", "bobby"], "password": PASSWORD}),
        (OWN_PASSWORD, {"current_password": PASSWORD, "password": [NEW, NEW]}),
        (MANY, {"act": ["inactivate", "erase"], "username": "alice", "confirmed": "yes"}),
        (f"{USERS}/new", {"username": "bobby", "password": PASSWORD, "role": ["user", "admin"]}),
        (f"{USERS}/alice/password", {"password": [NEW, NEW + "!"]}),
        (f"{USERS}/alice/erase", {"free_name": ["yes", "no"]}),
    ]

    for path, form in twice:
        answer = await (stranger if path in STRANGERS else chief).post(path, data=form)
        assert answer.status_code == 422, path
        assert "Must be sent once." in Page(answer).text


@pytest.mark.promise("P12", "I3")
async def test_no_page_repeats_a_password(app: RunningApp) -> None:
    stranger, chief = await app.client(), await app.logged_in("chief", Role.SUPER_ADMIN)
    await app.add_user("alice")
    secret = {"password": CANARY[:14], "current_password": CANARY}
    forms = [
        (stranger, LOG_IN, {"username": "alice"}),
        (stranger, f"{CONSOLE}sign-up", {"username": "alicia"}),
        (stranger, f"{CONSOLE}sign-up", {"username": "alice"}),
        (chief, OWN_PASSWORD, {}),
        (chief, f"{USERS}/new", {"username": "bobby"}),
        (chief, f"{USERS}/alice/password", {}),
    ]

    for client, path, fields in forms:
        answer = await client.post(path, data={**fields, **secret})
        assert 400 <= answer.status_code < 500
        assert CANARY[:14] not in answer.text
        assert all(not element["value"] for element in Page(answer).of("input") if element["type"] == "password")


async def test_what_was_typed_stands_there_again_beside_the_reason(app: RunningApp) -> None:
    await app.add_user("alice")
    client = await app.client()

    answer = await client.post(f"{CONSOLE}sign-up", data={"username": "alice", "password": PASSWORD})

    page = Page(answer)
    assert (page.status, page.form(f"{CONSOLE}sign-up").fields_with()["username"]) == (409, ["alice"])
    username = page.with_id("username")
    assert username
    assert username["aria-invalid"] == "true"
    error = page.with_id(username["aria-describedby"].split()[-1])
    assert error
    assert error.text == "Error: This username is taken."


QUERIES: Final = [
    f"{CANARY}=1",
    "limit=0",
    f"limit={CANARY}",
    "limit=20&limit=50",
    "cursor=" + "x" * 501,
    f"cursor={CANARY}",
    "role=root&outcome=none",
    "search=%00&subject=%00",
    "search=%ED%A0%80&action=%ED%A0%80",
    "search=%FF&target=%FF",
    "search=" + "x" * 10_000 + "&subject=" + "x" * 10_000,
    "since=yesterday&last_login_since=yesterday",
]


@pytest.mark.promise("I2", "I3")
@pytest.mark.parametrize("path", [USERS, AUDIT])
async def test_an_address_that_asks_for_nothing_possible_is_refused_with_a_page(app: RunningApp, path: str) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)

    for query in QUERIES:
        answer = await chief.get(f"{path}?{query}")
        page = Page(answer)
        assert (answer.status_code, bool(page.heading)) == (422, True), query
        assert not [text for text in (page.text, *page.links) if CANARY in text]
