"""Who may open which page, and do what to whom: every page, every form, every caller, every target."""

import re
from urllib.parse import urlencode

import httpx
import psycopg
import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.common.presentation.http.route import UseCaseRoute
from gatehouse.testing.database import changed_tables, rows_of
from gatehouse.testing.declaration import Caller, Case, Target
from gatehouse.testing.matrix import (
    ACCOUNTS,
    MISSING,
    NEEDED,
    RANK,
    SELF,
    expected_status,
    is_refused_by_role,
    populate,
    targets_of,
)
from gatehouse.testing.running_app import RunningApp
from tests.http.console.calls import ACTS, CALLS, NEW, ConsoleCall
from tests.http.console.pages import (
    CONSOLE,
    LOG_IN,
    OWN_PASSWORD,
    USERS,
    Page,
    assert_error_page,
    assert_led_to,
    open_page,
    send,
)

pytestmark = pytest.mark.slow  # each page by each caller on each target

ON_ANYBODY = next(call for call in CALLS if MISSING in targets_of(call))
ALWAYS = {"attempts", "audit_events"}
"""A refused or failed call may be counted and recorded."""


async def request(client: httpx.AsyncClient, call: ConsoleCall, case: Case) -> httpx.Response:
    data = (call.body(case) or {}) if call.method == "POST" else None
    return await client.request(call.method, call.url(case.username), data=data)


def expected_answer(call: ConsoleCall, case: Case) -> tuple[int, str | None]:
    """Status and destination: whoever has to log in is led to that page and back, whoever has done so is led on."""
    status = expected_status(call, case.caller, case.target)
    if status == 401:
        path = call.url(case.username)
        is_page = path != CONSOLE and call.path != f"{CONSOLE}log-out"
        nothing_done = {} if call.method == "GET" else {"done": "nothing"}
        return 303, f"{LOG_IN}?{urlencode({'next': path, **nothing_done})}" if is_page else LOG_IN
    if status == 409 and call.open_to == "strangers":
        return 303, CONSOLE
    if (
        status == 422
    ):  # the API does not even know of a new super admin; a form has fields of text, and the role decides
        return 403, None
    return status, call.destination(case) if status == 303 else None


def is_open(call: ConsoleCall, caller: Caller) -> bool:
    return RANK.get(caller, 0) >= NEEDED[call.open_to]


async def check_answers(
    client: httpx.AsyncClient, owner: psycopg.Connection, call: ConsoleCall, caller: Caller
) -> None:
    before = rows_of(owner)
    for target in targets_of(call):
        answer = await request(client, call, case := Case(caller, target))
        after = rows_of(owner)

        told = f"{call}, called by {caller} on {target}: {answer.text}"
        assert (answer.status_code, answer.headers.get("location")) == expected_answer(call, case), told
        is_done = expected_status(call, caller, target) == call.status
        assert changed_tables(before, after) <= ALWAYS | (call.touches if is_done else frozenset()), told
        if is_done and call.acts_on in ("nobody", "a new account") and "users" in call.touches:
            assert "users" in changed_tables(before, after), told
        before = after


@pytest.mark.promise("Z1", "Z2", "Z3")
@pytest.mark.parametrize(
    ("call", "caller"), [(call, caller) for call in CALLS for caller in Caller if is_open(call, caller)], ids=str
)
async def test_every_answer_follows_from_the_roles(
    app: RunningApp, owner: psycopg.Connection, call: ConsoleCall, caller: Caller
) -> None:
    await check_answers(await populate(app, call, caller), owner, call, caller)


@pytest.mark.promise("Z1", "Z2", "Z3")
@pytest.mark.parametrize("caller", Caller)
async def test_what_is_not_open_to_a_role_is_refused_and_nothing_changed(
    app: RunningApp, owner: psycopg.Connection, caller: Caller
) -> None:
    client = await populate(app, ON_ANYBODY, caller)

    for call in CALLS:
        if not is_open(call, caller):
            await check_answers(client, owner, call, caller)


@pytest.mark.promise("Z8")
@pytest.mark.parametrize("caller", [Caller.USER, Caller.ADMIN])
async def test_who_has_not_the_role_cannot_tell_who_exists(app: RunningApp, caller: Caller) -> None:
    refused = [call for call in CALLS if is_refused_by_role(call, caller) and MISSING in targets_of(call)]
    client = await populate(app, ON_ANYBODY, caller)

    for call in refused:
        pages = [assert_error_page(await request(client, call, Case(caller, to)), 403) for to in targets_of(call)]
        assert len({page.text.replace(page.request_id, "") for page in pages}) == 1, call


@pytest.mark.promise("C3")
@pytest.mark.parametrize("caller", [Caller.ANONYMOUS, Caller.USER, Caller.SUPER_ADMIN])
async def test_to_open_a_page_changes_no_row_but_the_record_of_a_refusal(
    app: RunningApp, owner: psycopg.Connection, caller: Caller
) -> None:
    client = await populate(app, ON_ANYBODY, caller)
    before = rows_of(owner)

    for call in CALLS:
        if call.method == "GET":
            for target in targets_of(call):
                answer = await request(client, call, Case(caller, target))
                after = rows_of(owner)
                assert changed_tables(before, after) <= ({"audit_events"} if answer.status_code == 403 else set()), call
                before = after


@pytest.mark.promise("Z1")
def test_no_route_is_missing_from_the_matrix(app: RunningApp) -> None:
    served = {
        f"{method} {route.path}"
        for route in app.fastapi_app.routes
        if isinstance(route, UseCaseRoute) and route.path.startswith(CONSOLE)
        for method in route.methods or ()
    }
    acts = "|".join(ACTS)

    assert served == {re.sub(rf"/(?:{acts})$", "/{act_name}", str(call)) for call in CALLS}


def test_no_page_stands_where_a_users_page_would(app: RunningApp) -> None:
    """The second part of its path is too short to be a username."""
    paths = [route.path for route in app.fastapi_app.routes if isinstance(route, UseCaseRoute)]
    beside_users = {
        part for path in paths if re.fullmatch(r"/console/users/[^/{]+", path) for part in path.split("/")[3:]
    }

    assert beside_users == {"new", "many"}


@pytest.mark.promise("P11")
async def test_before_the_password_is_changed_nothing_else_opens(app: RunningApp, owner: psycopg.Connection) -> None:
    closed = [
        call
        for call in CALLS
        if call.open_to not in ("everyone", "strangers") and not call.is_open_before_password_change
    ]
    assert len(closed) == len(CALLS) - 9
    client = await populate(app, ON_ANYBODY, Caller.SUPER_ADMIN)
    await app.database.execute("UPDATE users SET must_change_password = true", {})
    before = rows_of(owner)

    for call in closed:
        assert_led_to(await request(client, call, Case(Caller.SUPER_ADMIN, targets_of(call)[0])), OWN_PASSWORD)

    assert changed_tables(before, rows_of(owner)) == set()
    await open_page(client, OWN_PASSWORD)
    assert_led_to(await client.post(f"{CONSOLE}log-out"), LOG_IN)


ACT_LINK = re.compile(r"/console/users/[^/]+/([a-z-]+)")
EVERY_ACT = {*ACTS, "password"}
SHOWN_TO: dict[tuple[Role, str], set[str]] = {
    (Role.ADMIN, "user"): {"inactivate", "end-sessions", "password"},
    (Role.ADMIN, "off-user"): {"reactivate", "end-sessions", "password"},
    (Role.SUPER_ADMIN, "user"): {"inactivate", "end-sessions", "password", "grant", "erase"},
    (Role.SUPER_ADMIN, "off-user"): {"reactivate", "end-sessions", "password", "grant", "erase"},
    (Role.SUPER_ADMIN, "admin"): {"inactivate", "end-sessions", "password", "revoke", "erase"},
    (Role.SUPER_ADMIN, "off-admin"): {"reactivate", "end-sessions", "password", "revoke", "erase"},
}
"""On the page of whom, to whom. To others, and on others' pages, none."""


async def viewer_and_account(app: RunningApp, role: Role, target: Target) -> tuple[httpx.AsyncClient, str]:
    client = await app.logged_in("viewer", role)
    if target is SELF:
        return client, "viewer"
    await app.add_users([("target", Role(target.role), target.is_active)])
    return client, "target"


@pytest.mark.promise("Z1", "Z2")
@pytest.mark.parametrize("target", [*ACCOUNTS, SELF], ids=str)
@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPER_ADMIN])
async def test_a_users_page_shows_the_acts_that_the_viewer_may_do_and_no_others(
    app: RunningApp, role: Role, target: Target
) -> None:
    client, username = await viewer_and_account(app, role, target)

    page = await open_page(client, f"{USERS}/{username}")

    asked_first = {link[1] for path in page.links if (link := ACT_LINK.fullmatch(path))}
    done_at_once = {link[1] for form in page.forms() if (link := ACT_LINK.fullmatch(form.action))}
    assert asked_first | done_at_once == SHOWN_TO.get((role, str(target)), set())
    assert done_at_once <= {"reactivate"}  # which takes nothing away


@pytest.mark.promise("Z1")
@pytest.mark.parametrize(
    ("role", "target", "act"),
    [(role, target, act) for (role, target), acts in SHOWN_TO.items() for act in sorted(acts)],
)
async def test_an_act_that_is_shown_asks_and_then_succeeds(
    app: RunningApp, owner: psycopg.Connection, role: Role, target: str, act: str
) -> None:
    [account] = [account for account in ACCOUNTS if str(account) == target]
    client, username = await viewer_and_account(app, role, account)
    if account.is_active:
        await app.log_in(username)
    before = rows_of(owner)

    asked = await open_page(client, f"{USERS}/{username}/{act}")
    assert changed_tables(before, rows_of(owner)) == set()
    answer = await send(
        client, asked.form(f"{USERS}/{username}/{act}"), **({"password": NEW} if act == "password" else {})
    )

    page = await open_page(client, answer.headers["location"])
    assert any("notice" in element["class"] for element in page.elements)
    if act != "end-sessions" or account.is_active:  # else there was nothing to end
        assert "audit_events" in changed_tables(before, rows_of(owner))


@pytest.mark.promise("Z1", "Z2")
@pytest.mark.parametrize("target", [*ACCOUNTS, SELF], ids=str)
@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPER_ADMIN])
async def test_an_act_that_is_not_shown_changes_nothing(
    app: RunningApp, owner: psycopg.Connection, role: Role, target: Target
) -> None:
    """It is refused, or is done already."""
    client, username = await viewer_and_account(app, role, target)
    before = rows_of(owner)

    for act in sorted(EVERY_ACT - SHOWN_TO.get((role, str(target)), set())):
        answer = await client.post(f"{USERS}/{username}/{act}", data={"password": NEW})

        is_done_already = (act, target.is_active) in (("inactivate", False), ("reactivate", True)) or (
            act,
            target.role,
        ) in (
            ("grant", "admin"),
            ("revoke", "user"),
        )
        manages = (role, str(target)) in SHOWN_TO
        may = manages and (role is Role.SUPER_ADMIN or act not in ("grant", "revoke", "erase"))
        assert answer.status_code == (303 if may and is_done_already else 403), act
    assert changed_tables(before, rows_of(owner)) <= {"audit_events"}


@pytest.mark.parametrize("act", sorted(act for act, (role, _) in ACTS.items() if role == "super_admin"))
async def test_the_page_that_asks_is_for_those_who_may_act(app: RunningApp, act: str) -> None:
    client, username = await viewer_and_account(app, Role.ADMIN, Target("user"))

    assert_error_page(await client.get(f"{USERS}/{username}/{act}"), 403)


def has_role_choice(page: Page) -> bool:
    return any(element["name"] == "role" for element in page.of("input"))


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPER_ADMIN])
async def test_super_admins_alone_choose_the_role_of_a_new_user(app: RunningApp, role: Role) -> None:
    client = await app.logged_in("viewer", role)

    page = await open_page(client, f"{USERS}/new")

    assert has_role_choice(page) is (role is Role.SUPER_ADMIN)


@pytest.mark.parametrize(
    ("role", "places"),
    [
        (Role.USER, {"/console/account"}),
        (Role.ADMIN, {"/console/account", "/console/users"}),
        (Role.SUPER_ADMIN, {"/console/account", "/console/users", "/console/audit"}),
    ],
)
async def test_the_menu_leads_where_the_role_may_go(app: RunningApp, role: Role, places: set[str]) -> None:
    client = await app.logged_in("viewer", role)

    page = await open_page(client, "/console/account")

    assert {link["href"] for link in page.of("a") if link.is_in("nav")} == places
    for place in places:
        await open_page(client, place)
