"""Runs a use case from the command line, with settings, database and container."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from dishka import AsyncContainer, Provider, Scope

from gatehouse.common.application.ports import Readiness
from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.domain.request_context import RequestContext
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.modules import Modules
from gatehouse.common.settings import ConfigError, LogSettings, PostgresSettings, Settings
from gatehouse.setup.container import create_container, ensure_complete
from gatehouse.setup.database_url import database_urls
from gatehouse.setup.load_settings import load_settings
from gatehouse.setup.logs import configure_logs
from gatehouse.setup.modules import modules_of


def run_use_case[UseCase, Result](use_case: type[UseCase], call: Callable[[UseCase], Awaitable[Result]]) -> Result:
    settings = load_settings()
    modules = modules_of(settings)
    ensure_complete(settings, modules)
    configure_logs(settings[LogSettings], on_command_line=True)
    postgres = settings[PostgresSettings]
    with database_urls(postgres) as urls:
        return asyncio.run(_run(settings.replace(replace(postgres, url=urls.server)), modules, use_case, call))


async def _run[UseCase, Result](
    settings: Settings, modules: Modules, use_case: type[UseCase], call: Callable[[UseCase], Awaitable[Result]]
) -> Result:
    command_line = Provider(scope=Scope.APP)
    command_line.provide(_empty_request_context)
    container = create_container(settings, modules, command_line)
    try:
        await _ensure_ready(container)
        async with container() as request_container:
            return await call(await request_container.get(use_case))
    finally:
        await container.close()


async def _ensure_ready(container: AsyncContainer) -> None:
    try:
        await (await container.get(Readiness)).ensure_ready()
    except UnavailableError:
        if reason := (await container.get(Database)).no_connection:
            raise ConfigError(reason) from None
        raise


def _empty_request_context() -> RequestContext:
    return RequestContext()
