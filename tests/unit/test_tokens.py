import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.accounts.infrastructure import tokens as tokens_module
from gatehouse.accounts.infrastructure.tokens import JwtSessionTokens

KEY = "the key that signs, long enough for it"
OLD_KEY = "a key that once signed, long enough too"
HOUR = timedelta(hours=1)
ABSENT = object()

tokens = JwtSessionTokens([KEY, OLD_KEY])


def issue(issuer: JwtSessionTokens = tokens, *, issued_ago: timedelta = timedelta()) -> str:
    issued_at = datetime.now(UTC) - issued_ago
    return issuer.encode("a secret", issued_at=issued_at, expires_at=issued_at + HOUR)


def encode_part(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def forge(
    header: dict[str, object] | None = None,
    claims: dict[str, object] | None = None,
    *,
    key: str = KEY,
    digest: str = "sha256",
) -> str:
    """A valid token with some of its header and claims changed, and a new signature."""
    token = issue()
    parts: tuple[dict[str, Any], dict[str, Any]] = (
        jwt.get_unverified_header(token) | (header or {}),
        jwt.decode(token, options={"verify_signature": False}) | (claims or {}),
    )
    signing_input = ".".join(
        encode_part(json.dumps({name: value for name, value in part.items() if value is not ABSENT}).encode())
        for part in parts
    )
    return f"{signing_input}.{encode_part(hmac.digest(key.encode(), signing_input.encode(), digest))}"


def test_what_was_encoded_is_decoded() -> None:
    assert tokens.decode(issue()) == "a secret"


def test_a_forged_token_with_nothing_changed_is_good() -> None:
    assert tokens.decode(forge()) == "a secret"


@pytest.mark.promise("S14")
def test_a_token_carries_no_more_than_the_session_and_its_dates() -> None:
    claims = jwt.decode(issue(), options={"verify_signature": False})

    assert set(claims) == {"sid", "iat", "exp", "iss", "aud"}
    assert claims["exp"] - claims["iat"] == HOUR.total_seconds()


@pytest.mark.promise("S15")
def test_a_key_that_signed_before_still_verifies_until_it_is_removed() -> None:
    old_token = issue(JwtSessionTokens([OLD_KEY]))

    assert tokens.decode(old_token) == "a secret"
    assert JwtSessionTokens([KEY]).decode(old_token) is None


@pytest.mark.promise("S15")
def test_the_first_key_signs() -> None:
    assert JwtSessionTokens([KEY]).decode(issue()) == "a secret"
    assert JwtSessionTokens([OLD_KEY]).decode(issue()) is None


def test_the_name_of_a_key_tells_nothing_of_it() -> None:
    kid = jwt.get_unverified_header(issue())["kid"]

    assert kid not in {hashlib.sha256(KEY.encode()).hexdigest()[: len(kid)], KEY[: len(kid)]}


@pytest.mark.promise("S13")
def test_an_unsigned_token_is_refused() -> None:
    header, claims, _ = forge({"alg": "none"}).split(".")

    assert tokens.decode(f"{header}.{claims}.") is None


@pytest.mark.promise("S13")
@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [("HS384", "sha384"), ("HS512", "sha512"), ("none", "sha256"), ("RS256", "sha256"), (None, "sha256")],
)
def test_another_algorithm_is_refused_however_well_it_signs(algorithm: str | None, digest: str) -> None:
    assert tokens.decode(forge({"alg": algorithm}, digest=digest)) is None


@pytest.mark.promise("S13")
@pytest.mark.parametrize(
    "header",
    [
        {"kid": "foreign"},
        {"kid": ABSENT},
        {"kid": None},
        {"kid": 5},
        {"kid": []},
        {"kid": {}},
        {"typ": "JWT"},
        {"typ": ABSENT},
        {"typ": None},
        {"alg": ABSENT},
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
    ],
)
def test_a_wrong_header_is_refused(header: dict[str, object]) -> None:
    assert tokens.decode(forge(header)) is None


def test_the_name_of_one_key_does_not_admit_the_signature_of_another() -> None:
    assert tokens.decode(forge(key=OLD_KEY)) is None
    assert tokens.decode(forge(key="a stranger's key")) is None


@pytest.mark.promise("S13")
@pytest.mark.parametrize("claim", ["exp", "iat", "sid", "aud", "iss"])
@pytest.mark.parametrize("value", [ABSENT, None])
def test_every_claim_is_required(claim: str, value: object) -> None:
    assert tokens.decode(forge(claims={claim: value})) is None


@pytest.mark.promise("S13")
@pytest.mark.parametrize("claim", ["exp", "sid", "aud", "iss"])
@pytest.mark.parametrize("value", [[], {}])
def test_a_claim_of_the_wrong_type_is_refused(claim: str, value: object) -> None:
    assert tokens.decode(forge(claims={claim: value})) is None


def test_a_host_whose_clock_is_ahead_issues_good_tokens() -> None:
    assert tokens.decode(issue(issued_ago=-timedelta(seconds=30))) == "a secret"


@pytest.mark.promise("S13")
@pytest.mark.parametrize(
    "claims",
    [
        {"sid": "\ud800"},
        {"sid": "\u00e9"},
        {"exp": 10**400},
        {"exp": float("inf")},
        {"nbf": float("inf")},
        {"exp": float("nan")},
    ],
)
def test_a_claim_that_fits_its_type_and_nothing_else_is_refused(claims: dict[str, object]) -> None:
    assert tokens.decode(forge(claims=claims)) is None


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"iss": "another"},
        {"sid": 5},
        {"sid": True},
        {"sid": ["a secret"]},
        {"sid": "\ud800"},
        {"exp": "soon"},
        {"exp": 10**400},
    ],
)
def test_a_wrong_claim_is_refused(claims: dict[str, object]) -> None:
    assert tokens.decode(forge(claims=claims)) is None


@pytest.mark.promise("S3", "S13")
def test_an_expired_token_is_refused() -> None:
    assert tokens.decode(issue(issued_ago=2 * HOUR)) is None


@pytest.mark.promise("S3")
def test_a_token_that_was_verified_before_it_expired_is_refused_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    token, now = issue(), time.time()
    assert tokens.decode(token) == "a secret"

    monkeypatch.setattr(time, "time", lambda: now + HOUR.total_seconds())

    assert tokens.decode(token) is None


def test_a_signature_is_verified_once_for_as_many_tokens_as_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    verified, verify = [], jwt.decode_complete

    def count_and_verify(token: str, *arguments: Any, **options: Any) -> Any:
        verified.append(token)
        return verify(token, *arguments, **options)

    monkeypatch.setattr(jwt, "decode_complete", count_and_verify)
    monkeypatch.setattr(tokens_module, "_CACHE_SIZE", 2)
    issuer = JwtSessionTokens([KEY])
    first, second, third = (issue(issuer, issued_ago=timedelta(minutes=minutes)) for minutes in range(3))

    for token in (first, second, first, third, second):
        assert issuer.decode(token) == "a secret"

    assert verified == [first, second, third, second]


def test_an_over_long_token_is_refused() -> None:
    assert tokens.decode(forge(claims={"more": "x" * 100})) == "a secret"
    assert tokens.decode(forge(claims={"more": "x" * 1000})) is None


@pytest.mark.promise("S13")
@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_token_that_was_tampered_with_is_refused(part: int) -> None:
    parts, other_parts = issue().split("."), forge({"more": 1}, {"sid": "another"}, key=OLD_KEY).split(".")
    parts[part] = other_parts[part]

    assert tokens.decode(".".join(parts)) is None


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "é.é.é", "W10.W10.W10", f"{encode_part(b'[' * 700)}.e30.e30"])
def test_what_is_no_token_is_refused(text: str) -> None:
    assert tokens.decode(text) is None


@settings(deadline=None)
@given(
    st.text() | st.binary(max_size=60).map(lambda part: f"{encode_part(part)}.{encode_part(part)}.{encode_part(part)}")
)
def test_nothing_makes_decoding_fail(text: str) -> None:
    assert tokens.decode(text) is None
