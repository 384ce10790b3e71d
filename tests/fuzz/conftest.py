from dataclasses import replace

import pytest
from dishka import Provider, Scope
from fastapi import FastAPI
from psycopg.conninfo import make_conninfo

from gatehouse.accounts.application.commands.create_super_admin import CreateSuperAdmin
from gatehouse.accounts.settings import ThrottleSettings
from gatehouse.common.domain.request_context import RequestContext
from gatehouse.common.settings import AppSettings, PostgresSettings, Settings
from gatehouse.setup.app import create_app
from gatehouse.setup.container import create_container
from gatehouse.testing.database import SERVER_ROLE, CreateDatabase
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.under_test import modules_under_test
from tests.fuzz.findings import SUPER_ADMIN


@pytest.fixture
def fuzz_examples(request: pytest.FixtureRequest) -> int:
    examples: int = request.config.getoption("--fuzz-examples")
    return examples


@pytest.fixture
def fuzzed_settings(settings: Settings, create_database: CreateDatabase) -> Settings:
    """A database of its own, the host that schemathesis asks for, and a throttle that stays out of the way."""
    many = 1_000_000
    return settings.replace(
        replace(settings[AppSettings], hosts=["testserver"]),
        PostgresSettings(url=make_conninfo(create_database("fuzz"), user=SERVER_ROLE), pool_size=1),
        ThrottleSettings(attempts_per_account=many, attempts_per_address=many, sign_ups_per_address=many),
    )


@pytest.fixture
async def fuzzed_app(fuzzed_settings: Settings) -> FastAPI:
    """With a super admin. schemathesis starts it, on a loop of its own, and ends it with the test."""
    parts = Provider(scope=Scope.APP)
    parts.provide(_nowhere)
    container = create_container(fuzzed_settings, modules_under_test(), parts)
    async with container() as request:
        await (await request.get(CreateSuperAdmin))(SUPER_ADMIN, lambda: PASSWORD)
    await container.close()
    return create_app(fuzzed_settings, modules=modules_under_test())


def _nowhere() -> RequestContext:
    return RequestContext()
