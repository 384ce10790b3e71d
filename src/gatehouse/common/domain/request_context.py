"""Where a request comes from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Stored with sessions and audit events. All of it is None on the command line."""

    ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
