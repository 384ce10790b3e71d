"""Signed cursors for keyset pagination."""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Final

from app.domain.errors import InvalidError

_SIGNATURE_BYTES: Final = 16


class HmacCursors:
    """base64url(signature ‖ position as JSON). The scope is signed along, so it need not travel."""

    def __init__(self, secret: str) -> None:
        # A key of its own: what signs cursors must never sign a session.
        self._key = hmac.digest(secret.encode(), b"gatehouse cursors", hashlib.sha256)

    def encode(self, scope: str, position: tuple[str, ...]) -> str:
        payload = json.dumps(position, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._sign(scope, payload) + payload).decode().rstrip("=")

    def decode(self, scope: str, cursor: str) -> tuple[str, ...]:
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise _foreign() from None
        signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._sign(scope, payload)):
            raise _foreign()
        return tuple(json.loads(payload))

    def _sign(self, scope: str, payload: bytes) -> bytes:
        return hmac.digest(self._key, f"{len(scope)}:{scope}".encode() + payload, hashlib.sha256)[:_SIGNATURE_BYTES]


def _foreign() -> InvalidError:
    return InvalidError("cursor", "Must be the next_cursor of the page before, with the same sorting and filters.")
