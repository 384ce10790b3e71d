"""Every route of the console: who may open it, on whom it acts, and where it leads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from gatehouse.console.presentation.assets import asset_url
from gatehouse.testing.declaration import MISSING_ID, Call, Caller, Case
from gatehouse.testing.fakes import PASSWORD
from tests.http.console.pages import ACCOUNT, AUDIT, CONSOLE, LOG_IN, MANY, OWN_PASSWORD, USERS

NEW: Final = "a whole new sentence to remember"
_USERS: Final = frozenset({"users"})
_SESSIONS: Final = frozenset({"sessions"})
_BOTH: Final = _USERS | _SESSIONS
_ERASED: Final = _BOTH | {"attempts", "erased_names", "erasures"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleCall(Call):
    """`body` is what the form sends."""

    leads_to: Callable[[Case], str] | str = ""
    """Where the answer leads when nothing stands in the way: a path with `{username}`."""

    def destination(self, case: Case) -> str:
        return self.leads_to(case) if callable(self.leads_to) else self.leads_to.format(username=case.username)


def _form(**fields: str) -> Callable[[Case], dict[str, Any]]:
    return lambda case: {name: value.format(username=case.username) for name, value in fields.items()}


def _start_of(case: Case) -> str:
    return ACCOUNT if case.caller is Caller.USER else USERS


def _new_name(case: Case) -> str:
    return case.username if case.target.role == "self" else f"new-{case.target.role}".replace("_", "-")


def _create(case: Case) -> dict[str, Any]:
    """With the target's role; on oneself it is the attempt to take one's own name."""
    role = "user" if case.target.role == "self" else case.target.role
    return {"username": _new_name(case), "password": PASSWORD, "role": role}


def get(path: str, **more: Any) -> ConsoleCall:
    return ConsoleCall(method="GET", path=path, **{"status": 200, **more})


def post(path: str, **more: Any) -> ConsoleCall:
    return ConsoleCall(method="POST", path=path, **{"status": 303, **more})


ACTS: Final = {
    "inactivate": ("admin", _BOTH),
    "reactivate": ("admin", _USERS),
    "end-sessions": ("admin", _SESSIONS),
    "grant": ("super_admin", _BOTH),
    "revoke": ("super_admin", _USERS),
    "erase": ("super_admin", _ERASED),
}
"""Each with the least role that may do it, and the tables that it changes."""


def _calls_of_act(act: str) -> tuple[ConsoleCall, ConsoleCall]:
    """The page that asks, and the form on it. Both are one route for all acts; see ROUTES."""
    open_to, touches = ACTS[act]
    path = f"{USERS}/{{username}}/{act}"
    leads_to = f"{USERS}?done=erase" if act == "erase" else f"{USERS}/{{username}}?done={act}"
    shared: dict[str, Any] = {"open_to": open_to, "acts_on": "subordinates"}
    return get(path, **shared), post(path, body=_form(confirmed="yes"), leads_to=leads_to, touches=touches, **shared)


CALLS: Final = (
    get(f"{CONSOLE}assets/{{name}}", open_to="everyone", placeholders={"name": asset_url("icon.svg").split("/")[-1]}),
    post(f"{CONSOLE}theme", open_to="everyone", body=_form(theme="dark", next=LOG_IN), leads_to=LOG_IN),
    get(CONSOLE, status=303, open_to="authenticated", leads_to=_start_of),
    get(LOG_IN, open_to="strangers"),
    post(
        LOG_IN,
        open_to="strangers",
        body=_form(username="t-user", password=PASSWORD),
        leads_to=CONSOLE,
        touches=_BOTH,
    ),
    get(f"{CONSOLE}sign-up", open_to="strangers"),
    post(
        f"{CONSOLE}sign-up",
        open_to="strangers",
        body=_form(username="newcomer", password=PASSWORD),
        leads_to=f"{LOG_IN}?done=sign-up",
        touches=_USERS,
    ),
    post(
        f"{CONSOLE}log-out",
        open_to="authenticated",
        leads_to=LOG_IN,
        touches=_SESSIONS,
        ends_own_session=True,
        is_open_before_password_change=True,
    ),
    get(ACCOUNT, open_to="authenticated"),
    get(
        f"{ACCOUNT}/sessions/{{session_id}}/end",
        status=404,  # of a session that never was
        open_to="authenticated",
        placeholders={"session_id": MISSING_ID},
    ),
    post(
        f"{ACCOUNT}/sessions/{{session_id}}/end",
        status=404,
        open_to="authenticated",
        placeholders={"session_id": MISSING_ID},
    ),
    get(f"{ACCOUNT}/end-other-sessions", open_to="authenticated"),
    post(
        f"{ACCOUNT}/end-other-sessions",
        open_to="authenticated",
        leads_to=f"{ACCOUNT}?done=end-other-sessions",
        touches=_SESSIONS,
    ),
    get(OWN_PASSWORD, open_to="authenticated", is_open_before_password_change=True),
    post(
        OWN_PASSWORD,
        open_to="authenticated",
        body=_form(current_password=PASSWORD, password=NEW),
        leads_to=f"{ACCOUNT}?done=password",
        touches=_BOTH,
        is_open_before_password_change=True,
    ),
    get(USERS, open_to="admin"),
    get(MANY, status=303, open_to="authenticated", leads_to=USERS),
    post(
        MANY,
        status=200,  # on oneself: each has an outcome of its own, see test_many_users.py
        open_to="admin",
        body=_form(act="inactivate", confirmed="yes", username="{username}"),
    ),
    get(f"{USERS}/new", open_to="admin"),
    post(
        f"{USERS}/new",
        open_to="admin",
        acts_on="a new account",
        body=_create,
        leads_to=lambda case: f"{USERS}/{_new_name(case)}?done=create",
        touches=_USERS,
    ),
    get(f"{USERS}/{{username}}", open_to="admin", acts_on="anyone"),
    get(f"{USERS}/{{username}}/password", open_to="admin", acts_on="subordinates"),
    post(
        f"{USERS}/{{username}}/password",
        open_to="admin",
        acts_on="subordinates",
        body=_form(password=NEW),
        leads_to=f"{USERS}/{{username}}?done=password",
        touches=_BOTH,
    ),
    *(call for act in ACTS for call in _calls_of_act(act)),
    get(AUDIT, open_to="super_admin"),
)
POSTED: Final = tuple(call for call in CALLS if call.method == "POST")
