"""Every route of accounts: who may call it, and how."""

from typing import Any, Final

from gatehouse.testing.declaration import MISSING_ID, Call, Case, username_body
from gatehouse.testing.fakes import PASSWORD

ACCOUNT: Final = "/api/v1/account"
USERS: Final = "/api/v1/users"
SESSIONS: Final = frozenset({"sessions"})
_USERS: Final = frozenset({"users"})
_BOTH: Final = frozenset({"users", "sessions"})


def _sign_up(_: Case) -> dict[str, Any]:
    return {"username": "newcomer", "password": PASSWORD}


def _log_in(_: Case) -> dict[str, Any]:
    return {"username": "t-user", "password": PASSWORD}


def _create(case: Case) -> dict[str, Any]:
    """With the target's role; on oneself it is the attempt to take one's own name."""
    if case.target.role == "self":
        return {"username": case.username, "password": PASSWORD, "role": "user"}
    name = f"new-{case.target.role}".replace("_", "-")
    return {"username": name, "password": PASSWORD, "role": case.target.role}


def _change_password(case: Case) -> dict[str, Any]:
    current = {"current_password": PASSWORD} if case.target.role == "self" else {}
    return {"username": case.username, "password": "a whole new sentence", **current}


CALLS: Final = (
    Call(
        method="POST",
        path=f"{ACCOUNT}/signup",
        status=201,
        open_to="strangers",
        body=_sign_up,
        touches=_USERS,
        is_throttled=True,
        asks_more_than_documented=True,
    ),
    Call(
        method="POST",
        path=f"{ACCOUNT}/login",
        status=204,
        open_to="strangers",
        body=_log_in,
        touches=_BOTH,
        is_throttled=True,
    ),
    Call(
        method="DELETE",
        path=f"{ACCOUNT}/logout",
        status=204,
        open_to="authenticated",
        touches=SESSIONS,
        ends_own_session=True,
        is_open_before_password_change=True,
    ),
    Call(method="GET", path=f"{ACCOUNT}/me", status=200, open_to="authenticated"),
    Call(method="GET", path=f"{ACCOUNT}/sessions", status=200, open_to="authenticated"),
    Call(method="DELETE", path=f"{ACCOUNT}/sessions", status=204, open_to="authenticated", touches=SESSIONS),
    Call(
        method="DELETE",
        path=f"{ACCOUNT}/sessions/{{session_id}}",
        status=404,  # of a session that never was
        open_to="authenticated",
        placeholders={"session_id": MISSING_ID},
    ),
    Call(
        method="POST",
        path=f"{USERS}/",
        status=201,
        open_to="admin",
        acts_on="a new account",
        body=_create,
        touches=_USERS,
        asks_more_than_documented=True,
    ),
    Call(method="GET", path=f"{USERS}/", status=200, open_to="admin", asks_more_than_documented=True),
    Call(method="GET", path=f"{USERS}/{{username}}", status=200, open_to="admin", acts_on="anyone"),
    Call(
        method="DELETE",
        path=f"{USERS}/{{username}}",
        status=204,
        open_to="super_admin",
        acts_on="subordinates",
        touches=_BOTH | {"attempts", "erased_names", "erasures"},
    ),
    *(
        Call(
            method="PATCH",
            path=f"{USERS}/{act}",
            status=204,
            open_to="super_admin" if act in ("grant", "revoke") else "admin",
            acts_on="subordinates",
            body=username_body,
            touches=_BOTH,
        )
        for act in ("inactivate", "reactivate", "grant", "revoke")
    ),
    Call(
        method="PATCH",
        path=f"{USERS}/change_password",
        status=204,
        open_to="admin",
        acts_on="self or subordinates",
        body=_change_password,
        touches=_BOTH,
        is_throttled=True,
        asks_more_than_documented=True,
    ),
    Call(method="GET", path=f"{USERS}/{{username}}/sessions", status=200, open_to="admin", acts_on="subordinates"),
    Call(
        method="DELETE",
        path=f"{USERS}/{{username}}/sessions",
        status=204,
        open_to="admin",
        acts_on="subordinates",
        touches=SESSIONS,
    ),
)
