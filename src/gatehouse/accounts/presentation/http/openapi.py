"""How callers authenticate, for the OpenAPI document."""

from typing import Any

from gatehouse.accounts.presentation.http.cookie import SessionCookie
from gatehouse.common.presentation.http.route import SECURITY_SCHEME


def document_cookie(document: dict[str, Any], cookie: SessionCookie) -> None:
    schemes = document["components"].setdefault("securitySchemes", {})
    schemes[SECURITY_SCHEME] = {"type": "apiKey", "in": "cookie", "name": cookie.name}
