"""How a command-line act gets its use case: settings, database and container around it."""

import asyncio
from dataclasses import replace

from dishka import Provider, Scope

from gatehouse.accounts.application.ports import Readiness
from gatehouse.common.domain.request_context import Origin
from gatehouse.common.presentation.cli.run_use_case import Act
from gatehouse.setup.container import create_container
from gatehouse.setup.database_url import database_urls
from gatehouse.setup.load_settings import load_settings
from gatehouse.setup.logs import configure_logs
from gatehouse.setup.settings import LogLevel, Settings


def operate(act: Act) -> str:
    settings = load_settings()
    configure_logs(replace(settings.logs, level=LogLevel.ERROR))  # a person reads this: one line is enough
    with database_urls(settings.postgres) as urls:
        return asyncio.run(_operate(replace(settings, postgres=replace(settings.postgres, url=urls.server)), act))


async def _operate(settings: Settings, act: Act) -> str:
    command_line = Provider(scope=Scope.APP)
    command_line.provide(_no_address)
    container = create_container(settings, command_line)
    try:
        await (await container.get(Readiness)).ensure_ready()
        async with container() as request_container:
            return await act(request_container)
    finally:
        await container.close()


def _no_address() -> Origin:
    return Origin()
