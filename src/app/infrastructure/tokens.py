"""Session tokens as signed JWTs (RFC 7519)."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import jwt

_ALGORITHM: Final = "HS256"
_TYPE: Final = "gatehouse-session+jwt"
_ISSUER: Final = "gatehouse"
_REQUIRED: Final = ("exp", "iat", "sid", "aud", "iss")
_MAX_LENGTH: Final = 1024


class JwtSessionTokens:
    """Carries the opaque `sid` and registered claims: no role, no name. `exp` is the session's absolute expiry.

    The first secret signs; all of them verify, so that a new one logs nobody out. A key's `kid` is derived from it.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = {_key_id(secret): secret.encode() for secret in secrets}
        self._current = _key_id(secrets[0])

    def encode(self, secret: str, *, issued_at: datetime, expires_at: datetime) -> str:
        claims = {"sid": secret, "iat": issued_at, "exp": expires_at, "iss": _ISSUER, "aud": _ISSUER}
        headers = {"kid": self._current, "typ": _TYPE}
        return jwt.encode(claims, self._keys[self._current], _ALGORITHM, headers)

    def decode(self, token: str) -> str | None:
        if len(token) > _MAX_LENGTH:
            return None
        try:
            header = jwt.get_unverified_header(token)
            # Nothing of the header is believed but the name of one of our own keys; the algorithm is fixed.
            key = self._keys.get(header["kid"]) if header.get("typ") == _TYPE and "crit" not in header else None
            if key is None:
                return None
            claims = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=_ISSUER,
                issuer=_ISSUER,
                options={"require": list(_REQUIRED)},
            )
        except (jwt.InvalidTokenError, KeyError, TypeError):
            return None
        secret = claims["sid"]
        return secret if isinstance(secret, str) else None


def _key_id(secret: str) -> str:
    """Names a key without telling anything of it."""
    return hmac.digest(secret.encode(), b"gatehouse key id", hashlib.sha256).hex()[:16]
