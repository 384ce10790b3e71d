"""What the tests of every module need to know of the shared kernel."""

from collections.abc import Mapping
from typing import Final

from gatehouse.common.application.metrics import Metrics
from gatehouse.common.application.ports import Readiness
from gatehouse.common.module import COMMON
from gatehouse.testing.declaration import ModuleTests
from gatehouse.testing.fakes import FakeMetrics, Memory


class FakeReadiness:
    async def ensure_ready(self) -> None: ...


def _fakes(_: Memory) -> Mapping[object, object]:
    return {Readiness: FakeReadiness(), Metrics: FakeMetrics()}


COMMON_TESTS: Final = ModuleTests(
    module=COMMON,
    package="gatehouse.common",
    problems={
        "bad-request": (400, "This is no request that HTTP allows."),
        "invalid-host": (400, "This service does not answer to that host name."),
        "unauthenticated": (401, "Log in first."),
        "forbidden": (403, "Your role does not allow this."),
        "password-change-required": (403, "Change your password first: an admin has chosen it."),
        "cross-site-request": (403, "This request comes from another site."),
        "not-found": (404, "There is nothing here."),
        "method-not-allowed": (405, "This method is not allowed here."),
        "request-timeout": (408, "The request did not come in complete in time."),
        "already-authenticated": (409, "You are logged in already; log out first."),
        "content-too-large": (413, "The body is larger than 16 KiB."),
        "unsupported-media-type": (415, "Send the body as application/json, without a content coding."),
        "invalid-input": (422, "The request holds an invalid value."),
        "too-many-attempts": (429, "Too many attempts; wait before the next one."),
        "head-too-large": (431, "The request's head is larger than 32 KiB or 100 fields."),
        "internal-error": (500, "Something went wrong on our side; it has been logged."),
        "unavailable": (503, "The service cannot answer right now; try again shortly."),
        "outcome-unknown": (
            503,
            "The database did not confirm the change, which may have been made all the same; it is safe to try again.",
        ),
    },
    fakes=_fakes,
)
