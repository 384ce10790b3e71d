from datetime import UTC, datetime

import pytest
from starlette.requests import Request
from starlette.responses import Response

from gatehouse.accounts.presentation.http.cookie import SessionCookie
from gatehouse.common.domain.errors import UnauthenticatedError

EXPIRES_AT = datetime(2030, 1, 1, tzinfo=UTC)
SECURE, INSECURE = SessionCookie(secure=True), SessionCookie(secure=False)


def request(*cookies: str) -> Request:
    return Request({"type": "http", "headers": [(b"cookie", cookie.encode("latin-1")) for cookie in cookies]})


def attributes(response: Response) -> tuple[str, set[str]]:
    """The name and value that are set, and the attributes that come with them."""
    [header] = response.headers.getlist("set-cookie")
    cookie, *parts = header.split("; ")
    return cookie, set(parts)


@pytest.mark.parametrize(
    ("cookie", "name", "always"),
    [
        (SECURE, "__Host-session", {"HttpOnly", "Path=/", "SameSite=lax", "Secure"}),
        (INSECURE, "session", {"HttpOnly", "Path=/", "SameSite=lax"}),
    ],
)
def test_setting_and_deleting_have_the_same_attributes(cookie: SessionCookie, name: str, always: set[str]) -> None:
    set_response, clear_response = Response(), Response()

    cookie.set(set_response, "token", EXPIRES_AT)
    cookie.clear(clear_response)

    value, set_attributes = attributes(set_response)
    assert value == f"{name}=token"
    assert set_attributes == {*always, "expires=Tue, 01 Jan 2030 00:00:00 GMT"}
    value, set_attributes = attributes(clear_response)
    assert value == f'{name}=""'
    assert {attribute for attribute in set_attributes if not attribute.startswith("expires=")} == {*always, "Max-Age=0"}


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ([], None),
        ([""], None),
        (["__Host-session=token"], "token"),
        (["other=1; __Host-session=token; more=2"], "token"),
        (["other=1", "__Host-session=token"], "token"),
        (["__Host-session=to=ken=="], "to=ken=="),
        (["__Host-session="], ""),
        (["session=token"], None),
        (["x__Host-session=token; __host-session=token"], None),
        (["other=__Host-session=token"], None),
    ],
)
def test_the_cookie_of_this_name_and_no_other_is_read(headers: list[str], token: str | None) -> None:
    assert SECURE.read(request(*headers)) == token


@pytest.mark.promise("E7")
@pytest.mark.parametrize("octet", [octet for octet in range(256) if chr(octet) not in " \t;="])
def test_no_octet_but_blank_and_tab_is_space_between_cookies(octet: int) -> None:
    for name in (f"{chr(octet)}__Host-session", f"__Host-session{chr(octet)}"):
        assert SECURE.read(request(f"other=1;{name}=forged")) is None


@pytest.mark.promise("E7")
def test_blank_and_tab_are_space_between_cookies() -> None:
    assert SECURE.read(request("other=1;\t __Host-session=token\t ; more=2")) == "token"


def test_without_tls_the_cookie_has_another_name() -> None:
    assert INSECURE.read(request("__Host-session=secure; session=insecure")) == "insecure"


@pytest.mark.parametrize(
    "headers",
    [
        ["__Host-session=one; __Host-session=two"],
        ["__Host-session=one; other=1; __Host-session=one"],
        ["__Host-session=one", "__Host-session=two"],
        ["__Host-session=;__Host-session=two"],
    ],
)
def test_of_two_cookies_neither_is_believed(headers: list[str]) -> None:
    with pytest.raises(UnauthenticatedError):
        SECURE.read(request(*headers))
