"""What holds of every page, in every state: policy, markup, links, forms, labels."""

import functools
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import httpx
import pytest
from psycopg.conninfo import make_conninfo

from gatehouse.accounts.domain.role import Role
from gatehouse.common.settings import AppSettings, Environment, Settings
from gatehouse.console.presentation.assets import asset_url
from gatehouse.testing.answers import SECURITY_HEADERS
from gatehouse.testing.database import SERVER_ROLE, CreateDatabase
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import LOGIN, RunningApp, on_database
from tests.http.console.calls import CALLS, POSTED
from tests.http.console.pages import ACCOUNT, AUDIT, CONSOLE, LOG_IN, MANY, OWN_PASSWORD, USERS, Page, open_page

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ASSETS: Final = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "htmx-4.0.1.min.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
type Visits = dict[str, tuple[str, str, dict[str, str | list[str]]]]
STRANGERS: Final[Visits] = {
    "log in": ("GET", LOG_IN, {}),
    "log in after a sign-up": ("GET", f"{LOG_IN}?done=sign-up&next=%2Fconsole%2Faudit", {}),
    "wrong password": ("POST", LOG_IN, {"username": "alice", "password": "wrong"}),
    "sign up": ("GET", f"{CONSOLE}sign-up", {}),
    "taken name": ("POST", f"{CONSOLE}sign-up", {"username": "alice", "password": PASSWORD}),
    "weak password": ("POST", f"{CONSOLE}sign-up", {"username": "bobby", "password": "short"}),
    "not found for a stranger": ("GET", f"{CONSOLE}nothing", {}),
    "throttled": ("POST", LOG_IN, {"username": "alice", "password": "wrong"}),
}
OF_CHIEF: Final[Visits] = {
    "own account": ("GET", ACCOUNT, {}),
    "own account after a change": ("GET", f"{ACCOUNT}?done=password", {}),
    "end other sessions": ("GET", f"{ACCOUNT}/end-other-sessions", {}),
    "own password": ("GET", OWN_PASSWORD, {}),
    "wrong own password": ("POST", OWN_PASSWORD, {"current_password": "wrong", "password": "short"}),
    "weak own password": ("POST", OWN_PASSWORD, {"current_password": PASSWORD, "password": "short"}),
    "users": ("GET", USERS, {}),
    "users, a page": ("GET", f"{USERS}?limit=20&sorting_field=created_at&sorting_order=desc", {}),
    "no users": ("GET", f"{USERS}?search=zzz", {}),
    "users after an erasure": ("GET", f"{USERS}?done=erase", {}),
    "forged cursor": ("GET", f"{USERS}?cursor=forged", {}),
    "impossible search": ("GET", f"{USERS}?search=!", {}),
    "impossible filter": ("GET", f"{USERS}?role=root", {}),
    "a user": ("GET", f"{USERS}/alice", {}),
    "a user after an act": ("GET", f"{USERS}/alice?done=end-sessions", {}),
    "an inactive user": ("GET", f"{USERS}/sleeper", {}),
    "oneself as a user": ("GET", f"{USERS}/chief", {}),
    "a missing user": ("GET", f"{USERS}/nobody", {}),
    "an impossible user": ("GET", f"{USERS}/!", {}),
    "inactivate": ("GET", f"{USERS}/alice/inactivate", {}),
    "erase": ("GET", f"{USERS}/alice/erase", {}),
    "set a password": ("GET", f"{USERS}/alice/password", {}),
    "set a weak password": ("POST", f"{USERS}/alice/password", {"password": "short"}),
    "new user": ("GET", f"{USERS}/new", {}),
    "taken name of a new user": ("POST", f"{USERS}/new", {"username": "alice", "password": PASSWORD}),
    "ask for many": ("POST", MANY, {"act": "end-sessions", "username": ["alice", "sleeper"]}),
    "outcomes": ("POST", MANY, {"act": "end-sessions", "username": ["sleeper", "nobody", "chief"], "confirmed": "yes"}),
    "nobody selected": ("POST", MANY, {"act": "end-sessions"}),
    "audit": ("GET", AUDIT, {}),
    "audit, filtered": ("GET", f"{AUDIT}?action=log_in&outcome=failed&since=2026-01-01T00:00&limit=1", {}),
    "no events": ("GET", f"{AUDIT}?actor=nobody", {}),
    "impossible actor": ("GET", f"{AUDIT}?actor=!", {}),
    "method not allowed": ("POST", AUDIT, {}),
}
OF_ALICE: Final[Visits] = {"forbidden": ("GET", USERS, {}), "account of a user": ("GET", ACCOUNT, {})}
NAMES: Final = [*STRANGERS, *OF_CHIEF, *OF_ALICE, "end a session", "forced change", "dark"]


@dataclass
class Site:
    chief: httpx.AsyncClient
    stranger: httpx.AsyncClient
    answers: dict[str, httpx.Response]

    @functools.cached_property
    def pages(self) -> dict[str, Page]:
        return {name: Page(answer) for name, answer in self.answers.items()}


@pytest.fixture(scope="module")
async def site(settings: Settings, create_database: CreateDatabase) -> AsyncIterator[Site]:
    """Every page once, of one application that is only read after."""
    url = make_conninfo(create_database("console_pages"), user=SERVER_ROLE)
    async with run_app(on_database(settings, url)) as app:
        people = [("chief", Role.SUPER_ADMIN, True), ("alice", Role.USER, True), ("sleeper", Role.ADMIN, False)]
        await app.add_users(
            [*people, *((f"a.the-longest-name{number}", Role.ADMIN, False) for number in range(10, 40))]
        )
        await app.database.execute("UPDATE users SET last_login_at = now()", {})
        yield await visit(app)


async def visit(app: RunningApp) -> Site:
    chief, alice, stranger = await app.log_in("chief"), await app.log_in("alice"), await app.client()
    await app.log_in("chief")
    answers = {}
    for client, visits in ((chief, OF_CHIEF), (alice, OF_ALICE), (stranger, STRANGERS)):
        for name, (method, path, form) in visits.items():
            if name == "throttled":
                for _ in range(5):
                    await client.post(path, data=form)
            answers[name] = await client.request(method, path, data=form or None)
    [ending] = [
        link for link in Page(answers["own account"]).links if re.fullmatch(rf"{ACCOUNT}/sessions/.*/end", link)
    ]
    answers["end a session"] = await chief.get(ending)
    await stranger.post(f"{CONSOLE}theme", data={"theme": "dark", "next": CONSOLE})
    answers["dark"] = await stranger.get(LOG_IN)
    await app.database.execute("UPDATE users SET must_change_password = true WHERE username = 'alice'", {})
    answers["forced change"] = await alice.get(OWN_PASSWORD)
    return Site(chief, stranger, answers)


def test_each_is_the_page_that_was_meant(site: Site) -> None:
    statuses = Counter(answer.status_code for answer in site.answers.values())

    assert set(site.answers) == set(NAMES)
    assert set(statuses) == {200, 401, 403, 404, 405, 409, 422, 429}
    assert len({Page(answer).text for answer in site.answers.values()}) > 30


@pytest.mark.promise("C5")
@pytest.mark.parametrize("name", NAMES)
def test_its_policy_lets_nothing_in_and_no_copy_be_kept(site: Site, name: str) -> None:
    headers = site.answers[name].headers

    assert headers.get_list("content-security-policy") == [POLICY]
    assert headers.get_list("referrer-policy") == ["same-origin"]
    assert headers.get_list("cache-control") == ["no-store"]
    assert headers.get_list("x-content-type-options") == ["nosniff"]
    assert "unsafe" not in str(headers)


@pytest.mark.promise("C5")
@pytest.mark.parametrize("name", NAMES)
def test_no_script_and_no_style_stand_in_it(site: Site, name: str) -> None:
    page = site.pages[name]

    assert page.declaration == "doctype html"
    assert not [*page.of("style", "iframe", "object", "embed", "base", "svg")]
    for element in page.elements:
        assert not [attribute for attribute in element.attributes if attribute.startswith("on") or attribute == "style"]
        assert not [value for value in element.attributes.values() if value.strip().lower().startswith("javascript:")]
        assert not [name for name in element.attributes if name.startswith(("hx-on", "hx-vals", "hx-headers"))]
    for script in page.of("script"):
        assert (script["src"].startswith(f"{CONSOLE}assets/"), script.text) == (True, "")


@pytest.mark.parametrize("name", NAMES)
def test_its_forms_lead_into_the_console_alone_and_what_they_change_is_posted(site: Site, name: str) -> None:
    page = site.pages[name]
    posted = {re.compile(re.sub(r"\{\w+\}", "[^/]+", call.path)) for call in POSTED}

    for form in page.of("form"):
        if form["method"] == "dialog":
            assert "action" not in form.attributes
            continue
        assert form["action"].startswith(CONSOLE)
        assert form["enctype"] == ""
        is_posted = any(path.fullmatch(form["action"]) for path in posted)
        assert form["method"] == ("post" if is_posted else "")
        assert form["hx-post"] in ("", form["action"])
    for control in page.of("button", "input"):
        assert not {"formaction", "formmethod"} & set(control.attributes)


@pytest.mark.parametrize("name", NAMES)
def test_its_links_stay_here_and_change_nothing(site: Site, name: str) -> None:
    """A link is opened with GET."""
    for element in site.pages[name].elements:
        for attribute in ("href", "src", "hx-get", "hx-post", "action"):
            target = element[attribute]
            assert not target or target.startswith((CONSOLE, "#")) or "download" in element.attributes
        assert not {"hx-put", "hx-delete", "hx-patch"} & set(element.attributes)


async def test_every_link_and_every_asset_answers(site: Site) -> None:
    pages = [Page(answer) for name, answer in site.answers.items() if name in OF_CHIEF or name == "end a session"]
    targets = {
        target.partition("#")[0]
        for page in pages
        for element in page.elements
        for attribute in ("href", "src", "hx-get")
        if (target := element[attribute]) and not target.startswith("#")
    }
    assert len(targets) > 50

    for target in sorted(targets):
        answer = await site.chief.get(target)
        is_start = target == CONSOLE
        # What somebody has typed is a link, too: nobody with that name needs to exist.
        is_typed = target.startswith(USERS) and target.rpartition("/")[2] in ("nobody", "bobby")
        assert answer.status_code == (303 if is_start else 404 if is_typed else 200), target


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_read_aloud(site: Site, name: str) -> None:
    page = site.pages[name]
    ids = [element["id"] for element in page.elements if element["id"]]
    labelled = {label["for"] for label in page.of("label")}

    assert [name for name, times in Counter(ids).items() if times > 1] == []
    assert next(page.of("html"))["lang"] == "en"
    assert len([*page.of("h1")]) == len([*page.of("main")]) == len([*page.of("title")]) == 1
    assert labelled <= set(ids)
    for control in page.of("input", "select", "textarea"):
        if control["type"] == "hidden" or "hidden" in control.attributes:
            continue
        assert control["id"] in labelled or control["aria-label"], control.attributes
    for button in page.of("button", "a", "th", "summary"):
        assert button.text or button["aria-label"], button.attributes
    for element in page.elements:
        for attribute in ("aria-describedby", "aria-labelledby"):
            references = set(element[attribute].split()) - {"confirm-title", "keys-title"}
            assert references <= set(ids), element.attributes
    assert all(link["href"].removeprefix("#") in ids for link in page.of("a") if link["href"].startswith("#"))


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_stands_in_an_address_and_passwords_are_for_password_managers(site: Site, name: str) -> None:
    page = site.pages[name]

    for form in page.of("form"):
        if form["method"] != "post":
            assert not [
                control for control in page.of("input") if control["type"] == "password" and control.parent is form
            ]
    for field in page.of("input"):
        if field["type"] == "password":
            assert field["autocomplete"] in ("current-password", "new-password")
    assert PASSWORD not in site.answers[name].text


def test_a_page_is_dark_by_choice(site: Site) -> None:
    assert next(site.pages["dark"].of("html"))["data-theme"] == "dark"
    assert next(site.pages["log in"].of("html"))["data-theme"] == ""
    pressed = [button["value"] for button in site.pages["dark"].of("button") if button["aria-pressed"] == "true"]
    assert pressed == ["dark"]


@pytest.mark.parametrize("theme", ["", "auto", "<img src=x>", "darkdark", "light; Domain=evil.test"])
async def test_a_theme_that_is_none_is_forgotten(app: RunningApp, theme: str) -> None:
    client = await app.client()
    await client.post(f"{CONSOLE}theme", data={"theme": "dark"})
    client.cookies.set("other", "kept")

    answer = await client.post(f"{CONSOLE}theme", data={"theme": theme})

    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert next((await open_page(client, LOG_IN)).of("html"))["data-theme"] == ""


async def test_a_theme_that_nobody_chose_here_is_none(app: RunningApp) -> None:
    client = await app.client(cookie='console-theme="><img src=x onerror=alert(1)>')

    answer = await client.get(LOG_IN)

    assert "<img" not in answer.text
    assert next(Page(answer).of("html"))["data-theme"] == ""


@pytest.mark.promise("C5")
@pytest.mark.parametrize(("file", "media_type"), ASSETS.items())
@pytest.mark.parametrize("accepted", ["gzip, deflate, br", "identity", "gzip;q=0"])
async def test_an_asset_is_named_by_its_content_and_kept_for_a_year(
    site: Site, file: str, media_type: str, accepted: str
) -> None:
    url = asset_url(file)

    answer = await site.stranger.get(url, headers={"accept-encoding": accepted})

    assert re.fullmatch(rf"{CONSOLE}assets/{re.escape(file.rpartition('.')[0])}\.[0-9a-f]{{12}}\.\w+", url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert set(answer.headers["cache-control"].split(", ")) == {"public", "max-age=31536000", "immutable"}
    assert "Accept-Encoding" in answer.headers["vary"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == SECURITY_HEADERS["content-security-policy"]
    assert answer.headers.get("content-encoding") == ("gzip" if accepted.startswith("gzip, ") else None)
    assert "set-cookie" not in answer.headers


@pytest.mark.promise("C5")
async def test_production_insists_on_tls_on_pages_and_assets(app: RunningApp, settings: Settings) -> None:
    await app.add_user("alice")
    production = AppSettings(environment=Environment.PRODUCTION, origin="https://gatehouse.test")
    async with run_app(settings.replace(production)) as strict:
        client = await strict.client()
        for path in (LOG_IN, asset_url("console.js"), f"{CONSOLE}nothing"):
            assert "max-age=63072000" in (await client.get(path)).headers["strict-transport-security"]


FIRST_VISIT, LATER_PAGE = 60_000, 15_000


def weight_of(answer: httpx.Response) -> int:
    """As it goes over the wire: the head, and the packed body."""
    head = sum(len(name) + len(value) + 4 for name, value in answer.headers.raw)
    return head + int(answer.headers["content-length"])


async def test_a_first_visit_weighs_at_most_60_kb(site: Site) -> None:
    page_answer = await site.stranger.get(LOG_IN)
    page = Page(page_answer)
    assets = {link["href"] for link in page.of("link")} | {script["src"] for script in page.of("script")}
    assert assets == {asset_url(file) for file in ASSETS}

    answers = [page_answer, *[await site.stranger.get(asset) for asset in assets]]

    assert sum(map(weight_of, answers)) <= FIRST_VISIT


async def test_a_later_page_of_20_users_weighs_at_most_15_kb(site: Site) -> None:
    first = await site.chief.get(USERS)
    [link] = [link["href"] for link in Page(first).of("a") if link["id"] == "next-page"]

    for answer in (first, await site.chief.get(link)):
        assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "Accept-Encoding")
        assert weight_of(answer) <= LATER_PAGE
    assert len(Page(first).rows()) == 20


async def test_a_page_is_not_packed_for_who_does_not_take_it(site: Site) -> None:
    packed = await site.stranger.get(f"{CONSOLE}nothing")
    answer = await site.stranger.get(f"{CONSOLE}nothing", headers={"accept-encoding": "identity"})

    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "Accept-Encoding"
    assert Page(answer).heading == Page(packed).heading


def test_every_page_that_there_is_was_looked_at(site: Site) -> None:
    seen = {answer.request.url.path for answer in site.answers.values() if answer.request.method == "GET"}
    shapes = {
        re.sub(r"\{\w+\}", "[^/]+", call.path): call for call in CALLS if call.method == "GET" and call.status == 200
    }

    for shape, call in shapes.items():
        is_asset_or_another_act = "/assets/" in shape or re.search(r"/(reactivate|grant|revoke|end-sessions)$", shape)
        assert is_asset_or_another_act or any(re.fullmatch(shape, path) for path in seen), call


def test_the_login_of_the_api_is_another(site: Site) -> None:
    assert not any(LOGIN in answer.text for answer in site.answers.values())
