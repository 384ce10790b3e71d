"""What can be configured of HTTP, and which of its parts are there at all."""

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Interval, doc


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    max_connections: Annotated[
        int,
        Interval(ge=0, le=1_000_000),
        doc("of a worker; 0: what its limit of open files leaves, at most 10 000"),
    ] = 0
    request_seconds: Annotated[int, Interval(ge=1, le=600), doc("for a request to come in complete")] = 10
    keep_alive_seconds: Annotated[
        int, Interval(ge=1, le=3_600), doc("until an idle connection is closed; a proxy must do so before")
    ] = 75
    cors_origins: Annotated[
        list[str], doc('other origins whose pages may call the API with a user\'s cookie: ["https://app.example.org"]')
    ] = field(default_factory=list)
    compression: Annotated[
        int, Interval(ge=0, le=1_000_000), doc("gzip answers of at least so many bytes; 0: none")
    ] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSettings:
    """Whole capabilities. One that is off is not there: 404, and no word in the OpenAPI document."""

    sign_up: Annotated[bool, doc("strangers may make themselves an account")] = True
    docs: Annotated[bool | None, doc("the documentation page; unset: everywhere but in production")] = None
