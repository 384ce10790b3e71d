"""What the contract says an answer looks like."""

from datetime import datetime

import httpx

from gatehouse.accounts.domain.user import User
from gatehouse.testing.under_test import all_problems

USERNAME_RULE = (
    "Must be 5 to 20 ASCII letters, digits, '.', '_' or '-', beginning and ending with a letter or digit, "
    "no two specials in a row."
)
PASSWORD_RULE = "Must have 15 to 128 characters."
REQUIRED = "Field required."
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def assert_problem(answer: httpx.Response, slug: str, *errors: tuple[str, str]) -> None:
    """The whole problem document, and nothing beside it. `errors` are pairs of field and message."""
    status, title = all_problems()[slug]
    expected: dict[str, object] = {
        "type": f"/problems/{slug}",
        "title": title,
        "status": status,
        "detail": title,
        "request_id": answer.headers["x-request-id"],
    }
    if errors:
        expected["errors"] = [{"field": field, "message": message} for field, message in errors]
    assert (answer.status_code, answer.json()) == (status, expected)
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("retry-after" in answer.headers) is (status in (429, 503))


def assert_done(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.content) == (204, b"")


def account_of(user: User, *, last_login_at: datetime | None = None) -> dict[str, object]:
    return {
        "id": str(user.id),
        "username": user.username.value,
        "role": user.role.value,
        "is_active": user.is_active,
        "created_at": rfc3339(user.created_at),
        "updated_at": rfc3339(user.updated_at),
        "last_login_at": last_login_at and rfc3339(last_login_at),
    }


def rfc3339(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
