"""The HTTP application, from its parts."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Final

from dishka import AsyncContainer
from dishka.integrations.fastapi import setup_dishka
from fastapi import APIRouter, FastAPI

from app.presentation.http import account, docs, general, problems, users
from app.presentation.http.cookie import SessionCookie
from app.presentation.http.middleware import CrossSiteMiddleware, JsonBodyMiddleware, RequestIdMiddleware

_DESCRIPTION: Final = "Accounts: cookie sessions, a role hierarchy and its administration."

type Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_http_app(container: AsyncContainer, cookie: SessionCookie, *, origin: str, serves_docs: bool) -> FastAPI:
    app = FastAPI(
        title="Gatehouse",
        version=version("gatehouse"),
        description=_DESCRIPTION,
        lifespan=_closing(container),
        openapi_url=None,  # served by docs.install, where it is served at all
        redirect_slashes=False,  # such a redirect would be built from the Host header
    )
    api = APIRouter(prefix="/api/v1")
    api.include_router(account.router)
    api.include_router(users.router)
    app.include_router(general.router)
    app.include_router(api)
    problems.install(app)
    app.openapi = partial(docs.complete_openapi, app, cookie)  # type: ignore[method-assign]  # FastAPI's documented way
    if serves_docs:
        docs.install(app)
    # The last one added sees a request first.
    setup_dishka(container, app)
    app.add_middleware(JsonBodyMiddleware)
    app.add_middleware(CrossSiteMiddleware, origin=origin)
    app.add_middleware(RequestIdMiddleware)
    return app


def _closing(container: AsyncContainer) -> Lifespan:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await container.close()

    return lifespan
