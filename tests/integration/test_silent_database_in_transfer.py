"""A database that says nothing in the middle of an export or an import: each ends soon, and says why."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from uuid import UUID

import psycopg
import pytest

from gatehouse.accounts.application.commands.import_users import ImportUsers
from gatehouse.accounts.application.queries.export_users import ExportBlock, ExportUsers
from gatehouse.accounts.application.user_file import FileFormat, ImportRules
from gatehouse.accounts.application.user_import import FileRow, ImportRun, ImportTally
from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure import database_connection
from gatehouse.common.settings import PostgresSettings, Settings
from gatehouse.testing.harness import Harness
from gatehouse.testing.run_app import open_harness
from tests.integration.proxied_postgres import Proxy, run_proxy

pytestmark = [pytest.mark.promise("R1"), pytest.mark.slow]

BATCHES = 3


@pytest.fixture
async def proxy(own_settings: Settings, own_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    assert own_url
    monkeypatch.setattr(database_connection, "ANSWER_WITHIN_SECONDS", 0.5)
    async with run_proxy(own_settings[PostgresSettings].url) as proxy:
        yield proxy


@pytest.fixture
async def behind(own_settings: Settings, proxy: Proxy) -> AsyncIterator[Harness]:
    postgres = replace(own_settings[PostgresSettings], url=proxy.url)
    async with open_harness(own_settings.replace(postgres)) as harness:
        yield harness


async def test_an_import_ends_and_what_went_in_stays(
    behind: Harness, proxy: Proxy, own_owner: psycopg.Connection
) -> None:
    async def rows() -> AsyncIterator[Sequence[FileRow]]:
        for batch in range(BATCHES):
            yield [FileRow(batch * 1000 + row, {"username": f"user.{batch}.{row}"}) for row in range(1000)]

    def progressed(_: ImportTally) -> None:
        proxy.fall_silent()

    run = ImportRun(id=UUID(int=7), rules=ImportRules(), refuse=lambda *_: None, progressed=progressed)
    with pytest.raises(UnavailableError):
        await behind.call(ImportUsers, None, run, rows())

    assert own_owner.execute("SELECT count(*) FROM users").fetchone() == (1000,)


async def test_an_export_ends(
    behind: Harness, proxy: Proxy, own_owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gatehouse.accounts.infrastructure.queries.export_users._PAGES", 1)
    own_owner.execute(
        """
        INSERT INTO users (id, username, role, is_active, must_change_password, created_at, updated_at, password_hash)
        SELECT gen_random_uuid(), 'user.' || n, 'user', true, false, now(), now(), '!' FROM generate_series(1, 1000) n
        """
    )
    blocks = []

    def take(block: ExportBlock) -> None:
        blocks.append(block)
        proxy.fall_silent()

    async with behind.container() as scope:
        export = await scope.get(ExportUsers)
        with pytest.raises(UnavailableError):
            await export(FileFormat.NDJSON, take, with_hashes=False)

    assert len(blocks) == 1
