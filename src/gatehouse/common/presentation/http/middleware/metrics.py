"""How many requests there are, how they are answered, and how long that takes."""

from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import Final

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatehouse.common.application.metrics import Counter, Histogram, Labels, Metric, Metrics

REQUESTS: Final = Counter(
    name="gatehouse_http_requests_total",
    help="Requests, by the class of their answer's status.",
    labels=("route", "method", "status"),
    series=None,
)
DURATIONS: Final = Histogram(
    name="gatehouse_http_request_duration_seconds",
    help="From the head of a request to the end of its answer.",
    labels=("route", "method"),
    series=None,
)
NO_ROUTE: Final = "none"
"""There is none for the path and method, or the request was refused before one was looked for."""
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_OTHER_METHOD: Final = "other"
_NO_ANSWER: Final = "none"
_CLASSES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx")


def series_of_requests(routes: Iterable[BaseRoute]) -> dict[Metric, Sequence[Labels]]:
    known = _known(routes)
    return {
        REQUESTS: [(*labels, status) for labels in known for status in (*_CLASSES[1:], _NO_ANSWER)],
        DURATIONS: known,
    }


def _known(routes: Iterable[BaseRoute]) -> list[Labels]:
    found = [(route.path, method) for route in routes if isinstance(route, Route) for method in route.methods or ()]
    return [*sorted(found), *((NO_ROUTE, method) for method in (*_METHODS, _OTHER_METHOD))]


class MetricsMiddleware:
    """Counts under the template of the route, never under the path: strangers choose that."""

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._metrics = metrics
        self._known = {labels: labels for labels in _known(routes)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = perf_counter(), _NO_ANSWER

        async def send_and_note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = _CLASSES[message["status"] // 100 - 1]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note_status)
        finally:
            labels = self._labels_of(scope)
            self._metrics.observe(DURATIONS, perf_counter() - began, *labels)
            self._metrics.count(REQUESTS, *labels, status)

    def _labels_of(self, scope: Scope) -> Labels:
        method = scope["method"]
        route = scope.get("route")
        known = self._known.get((route.path, method)) if route else None
        return known or self._known.get((NO_ROUTE, method), (NO_ROUTE, _OTHER_METHOD))
