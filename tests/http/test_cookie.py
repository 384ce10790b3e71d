"""The session cookie: its attributes, its token, and what it gives access to."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256

import httpx
import jwt
import pytest
from psycopg.rows import scalar_row

from gatehouse.accounts.application.ports import SessionTokens
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.settings import JwtSettings
from gatehouse.common.settings import CookieSettings, Settings
from gatehouse.testing.answers import assert_problem
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import COOKIE, LOGIN, RunningApp, cookie, token_of

LOGOUT = "/api/v1/account/logout"
ME = "/api/v1/account/me"
COMMON = {"path": "/", "httponly": "", "samesite": "lax"}
FORMS = [(True, "__Host-session", {**COMMON, "secure": ""}), (False, "session", COMMON)]


def parse_cookie(answer: httpx.Response) -> tuple[str, str, dict[str, str]]:
    """Returns the one cookie that an answer sets: name, value, and attributes in lower case."""
    [header] = answer.headers.get_list("set-cookie")
    pair, *attributes = header.split("; ")
    name, _, value = pair.partition("=")
    split = [attribute.partition("=") for attribute in attributes]
    return name, value, {key.lower(): text if key.lower() == "expires" else text.lower() for key, _, text in split}


@pytest.fixture
async def any_app(app: RunningApp, settings: Settings, request: pytest.FixtureRequest) -> AsyncIterator[RunningApp]:
    secure: bool = request.param
    if secure:
        yield app
    else:
        async with run_app(settings.replace(CookieSettings(secure=False))) as development:
            yield development


@pytest.mark.promise("S11")
@pytest.mark.parametrize(("any_app", "name", "attributes"), FORMS, indirect=["any_app"])
async def test_login_sets_the_cookie_for_as_long_as_the_session_may_last(
    any_app: RunningApp, name: str, attributes: dict[str, str]
) -> None:
    await any_app.add_user("alice")
    client = await any_app.client()

    answer = await client.post(LOGIN, json={"username": "alice", "password": PASSWORD})

    set_name, value, set_attributes = parse_cookie(answer)
    expires = parsedate_to_datetime(set_attributes.pop("expires"))
    end = any_app.clock.now() + timedelta(hours=12)
    assert (set_name, set_attributes) == (name, attributes)
    assert expires == end.replace(microsecond=0)
    assert jwt.decode(value, options={"verify_signature": False})["exp"] == int(end.timestamp())


@pytest.mark.promise("S11")
@pytest.mark.parametrize(("any_app", "name", "attributes"), FORMS, indirect=["any_app"])
@pytest.mark.parametrize("is_logged_in", [True, False])
async def test_deleting_the_cookie_repeats_its_attributes(
    any_app: RunningApp, name: str, attributes: dict[str, str], *, is_logged_in: bool
) -> None:
    client = await (any_app.logged_in("alice") if is_logged_in else any_app.client())

    answer = await client.delete(LOGOUT)

    set_name, value, set_attributes = parse_cookie(answer)
    assert answer.status_code == (204 if is_logged_in else 401)
    assert (set_name, value) == (name, '""')
    assert set_attributes.pop("max-age") == "0"
    assert parsedate_to_datetime(set_attributes.pop("expires")) <= datetime.now(UTC)
    assert set_attributes == attributes


@pytest.mark.parametrize(
    ("any_app", "name", "other"), [(True, COOKIE, "session"), (False, "session", COOKIE)], indirect=["any_app"]
)
async def test_a_cookie_of_the_other_name_is_no_session(any_app: RunningApp, name: str, other: str) -> None:
    token = (await any_app.logged_in("alice")).cookies[name]
    client = await any_app.client()

    assert (await client.get(ME, headers={"cookie": f"{name}={token}"})).status_code == 200
    assert_problem(await client.get(ME, headers={"cookie": f"{other}={token}"}), "unauthenticated")


@pytest.mark.promise("S12")
@pytest.mark.parametrize(
    "header",
    [
        "{name}={token}; {name}={token}",
        "{name}={token}; {name}=other",
        "{name}=other; {name}={token}",
        "{name}={token}; theme=dark; {name}=",
        "{name}={token};{name}={token}",
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ME),
        ("GET", "/api/v1/users/"),
        ("DELETE", LOGOUT),
        ("PATCH", "/api/v1/users/grant"),
        ("POST", LOGIN),
        ("POST", "/api/v1/account/signup"),
    ],
)
async def test_two_session_cookies_are_none(app: RunningApp, header: str, method: str, path: str) -> None:
    token = token_of(await app.logged_in("chief", Role.SUPER_ADMIN))
    headers = {"cookie": header.format(name=COOKIE, token=token)}

    answer = await (await app.client()).request(method, path, headers=headers)

    assert_problem(answer, "unauthenticated")


@pytest.mark.promise("S12")
async def test_two_session_cookies_in_two_headers_are_none(app: RunningApp) -> None:
    token = token_of(await app.logged_in("alice"))

    answer = await (await app.client()).get(ME, headers=[*cookie(token).items(), *cookie(token).items()])

    assert_problem(answer, "unauthenticated")


async def test_other_cookies_do_not_matter(app: RunningApp) -> None:
    token = token_of(await app.logged_in("alice"))
    header = f"theme=dark; my{COOKIE}=1; {COOKIE}={token}; {COOKIE}2=x; {COOKIE.lower()}=y"

    answer = await (await app.client()).get(ME, headers={"cookie": header})

    assert answer.status_code == 200


@pytest.mark.promise("S1", "S14")
@pytest.mark.parametrize("role", Role)
async def test_the_token_says_nothing_about_its_user(app: RunningApp, role: Role) -> None:
    user = await app.add_user("alice", role)

    token = token_of(await app.log_in("alice"))

    header, claims = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
    assert set(header) == {"alg", "typ", "kid"}
    assert set(claims) == {"sid", "iat", "exp", "iss", "aud"}
    content = str({**header, **claims}).lower()
    assert not [secret for secret in ("alice", "admin", str(user.id), user.id.hex, "role", "user") if secret in content]
    assert len(base64.urlsafe_b64decode(claims["sid"] + "=")) == 32


@pytest.mark.promise("S2")
async def test_what_the_database_holds_opens_nothing(app: RunningApp) -> None:
    alice = await app.add_user("alice")
    sid = jwt.decode(token_of(await app.log_in("alice")), options={"verify_signature": False})["sid"]
    secret_hash = await app.database.fetch_one("SELECT secret_hash FROM sessions", {}, scalar_row)
    public_id = await app.database.fetch_one("SELECT id FROM sessions", {}, scalar_row)
    assert secret_hash == sha256(sid.encode()).digest()
    tokens, client, now = await app.container.get(SessionTokens), await app.client(), datetime.now(UTC)

    def sign(secret: str) -> dict[str, str]:
        return cookie(tokens.encode(secret, issued_at=now, expires_at=now + timedelta(hours=1)))

    for guess in (
        secret_hash.hex(),
        f"\\x{secret_hash.hex()}",
        base64.b64encode(secret_hash).decode(),
        base64.urlsafe_b64encode(secret_hash).decode().rstrip("="),
        secret_hash.decode("latin-1"),
        str(public_id),
        str(alice.id),
        "alice",
        "",
    ):
        assert_problem(await client.get(ME, headers=sign(guess)), "unauthenticated")
    assert (await client.get(ME, headers=sign(sid))).status_code == 200


@pytest.mark.promise("S13")
@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"alg": "none"}, {}),
        ({"typ": "JWT"}, {}),
        ({"kid": "another"}, {}),
        ({"kid": None}, {}),
        ({"crit": ["exp"]}, {}),
        ({}, {"exp": None}),
        ({}, {"iat": None}),
        ({}, {"sid": None}),
        ({}, {"aud": None}),
        ({}, {"iss": None}),
        ({}, {"aud": "another"}),
        ({}, {"iss": "another"}),
        ({}, {"exp": 1}),
        ({}, {"sid": 1}),
        ({}, {"sid": ["a"]}),
        ({}, {"sid": "\ud800"}),
        ({}, {"exp": 10**400}),
    ],
)
async def test_a_token_that_is_not_exactly_ours_opens_nothing(
    app: RunningApp, settings: Settings, header: dict[str, object], claims: dict[str, object]
) -> None:
    token = token_of(await app.logged_in("alice"))
    altered_claims = {**jwt.decode(token, options={"verify_signature": False}), **claims}
    altered_header = {**jwt.get_unverified_header(token), **header}
    key = settings[JwtSettings].secret
    algorithm = str(altered_header.pop("alg"))

    altered_token = jwt.encode(
        {name: claim for name, claim in altered_claims.items() if claim is not None},
        None if algorithm == "none" else key,
        algorithm,
        {name: value for name, value in altered_header.items() if value is not None},
    )

    assert_problem(await (await app.client()).get(ME, headers=cookie(altered_token)), "unauthenticated")


@pytest.mark.parametrize("text", ["", "x", "..", "a.b.c", "e30.e30.", "x" * 5000, "%00", '"quoted"'])
async def test_what_is_no_token_at_all_opens_nothing(app: RunningApp, text: str) -> None:
    assert_problem(await (await app.client()).get(ME, headers=cookie(text)), "unauthenticated")
