"""Session tokens as signed JWTs (RFC 7519)."""

import hashlib
import hmac
import time
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

import jwt
from jwt.types import Options

_ALGORITHM: Final = "HS256"
_TYPE: Final = "gatehouse-session+jwt"
_ISSUER: Final = "gatehouse"
# Another host's clock may be ahead; an honest `iat` a little in the future harms nobody.
_OPTIONS: Final[Options] = {"require": ["exp", "iat", "sid", "aud", "iss"], "verify_iat": False}
_MAX_LENGTH: Final = 1024
_CACHE_SIZE: Final = 4096
_NEVER: Final = 10**15
"""In seconds since 1970: thirty million years."""


class _VerifiedToken(NamedTuple):
    secret: str
    expires_at: float


class JwtSessionTokens:
    """Carries the opaque `sid` and registered claims: no role, no name. `exp` is the session's absolute expiry.

    The first secret signs; all of them verify, so that a new one logs nobody out. A key's `kid` is derived from it.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = {_key_id(secret): secret.encode() for secret in secrets}
        self._current = _key_id(secrets[0])
        # A browser sends the same token many times: its signature is verified once, its expiry is checked each time.
        self._verify = lru_cache(_CACHE_SIZE)(self._verify_uncached)

    def encode(self, secret: str, *, issued_at: datetime, expires_at: datetime) -> str:
        claims = {"sid": secret, "iat": issued_at, "exp": expires_at, "iss": _ISSUER, "aud": _ISSUER}
        headers = {"kid": self._current, "typ": _TYPE}
        return jwt.encode(claims, self._keys[self._current], _ALGORITHM, headers)

    def decode(self, token: str) -> str | None:
        if len(token) > _MAX_LENGTH:
            return None
        session = self._verify(token)
        return session.secret if session is not None and session.expires_at > time.time() else None

    def _verify_uncached(self, token: str) -> _VerifiedToken | None:
        for key_id, key in self._keys.items():
            try:
                parts = jwt.decode_complete(token, key, [_ALGORITHM], _OPTIONS, audience=_ISSUER, issuer=_ISSUER)
            except jwt.InvalidSignatureError:
                continue  # perhaps signed with another key
            except (jwt.InvalidTokenError, TypeError):
                return None
            header, claims = parts["header"], parts["payload"]
            is_ours = header.get("kid") == key_id and header.get("typ") == _TYPE and "crit" not in header
            secret, expires_at = claims["sid"], claims["exp"]
            # Of our own making a secret is ASCII, and a time is a number that a float can hold.
            is_sound = isinstance(secret, str) and secret.isascii() and abs(int(expires_at)) < _NEVER
            return _VerifiedToken(secret, float(expires_at)) if is_ours and is_sound else None
        return None


def _key_id(secret: str) -> str:
    """Identifies a key without revealing anything about it."""
    return hmac.digest(secret.encode(), b"gatehouse key id", hashlib.sha256).hex()[:16]
