"""Each problem that a test meets is one that its route is documented to answer with: the `responses` of a route."""

from collections.abc import Awaitable, Callable, Mapping

import httpx
from fastapi import FastAPI

from gatehouse.common.presentation.http.problems import MEDIA_TYPE
from gatehouse.common.presentation.http.route import UseCaseRoute

type Hooks = Mapping[str, list[Callable[[httpx.Response], Awaitable[None]]]]


class UndocumentedError(AssertionError):
    """Names the route, and the problem that clients are not told of."""


def ensure_documented(app: FastAPI) -> Hooks:
    """For the clients of a test. Of an answer that no route gave, as to an unknown path, nothing is asked."""

    async def check(answer: httpx.Response) -> None:
        await answer.aread()
        if answer.headers.get("content-type") == MEDIA_TYPE and answer.content:  # there is none after HEAD
            _check(app, answer)

    return {"response": [check]}


def _check(app: FastAPI, answer: httpx.Response) -> None:
    method, path = answer.request.method, answer.request.url.path
    slug = answer.json()["type"].rpartition("/")[2]
    for route in app.routes:
        if isinstance(route, UseCaseRoute) and method in (route.methods or ()) and route.path_regex.match(path):
            content = route.responses.get(answer.status_code, {}).get("content", {}).get(MEDIA_TYPE, {})
            if slug not in content.get("examples", {}):
                raise UndocumentedError(f"{method} {route.path} answers {slug}, which is not in its `responses`.")
            return
