"""An account that came with a hash of another system: the first login verifies it, and replaces it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from gatehouse.accounts.application.commands.import_users import ImportUsers
from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.accounts.application.user_file import ImportRules
from gatehouse.accounts.application.user_import import FileRow, ImportRun, ImportTally
from gatehouse.accounts.domain.errors import InvalidCredentialsError
from gatehouse.common.settings import Settings
from gatehouse.testing.fakes import PASSWORD
from tests.integration.conftest import DatabaseMonitor
from tests.integration.harness import Harness
from tests.integration.test_rehash import NEW, run_harness
from tests.unit.test_stored_hashes import FOREIGN, PEER, PEER_PEPPER

pytestmark = pytest.mark.slow


async def import_hash(harness: Harness, password_hash: str | None, *, is_peppered: bool = False) -> None:
    async def rows() -> AsyncIterator[Sequence[FileRow]]:
        yield [FileRow(1, {"username": "alice", "password_hash": password_hash})]

    rules = ImportRules(has_peppered_bcrypt=is_peppered)
    run = ImportRun(id=UUID(int=7), rules=rules, refuse=lambda *_: pytest.fail("refused"))
    assert await harness.call(ImportUsers, None, run, rows()) == ImportTally(added=1)


@pytest.mark.promise("P9", "P15")
@pytest.mark.parametrize("password_hash", [*FOREIGN.values(), PEER], ids=[*FOREIGN, "with a pepper"])
async def test_the_first_login_verifies_the_hash_and_replaces_it(
    own_settings: Settings, monitor: DatabaseMonitor, password_hash: str
) -> None:
    async with run_harness(own_settings, replace(NEW, imported_pepper=PEER_PEPPER)) as harness:
        await import_hash(harness, password_hash, is_peppered=password_hash == PEER)
        imported = (await monitor.user("alice"))["password_hash"]

        with pytest.raises(InvalidCredentialsError):
            await harness.call(LogIn, None, "alice", "another password")
        assert (await monitor.user("alice"))["password_hash"] == imported

        await harness.call(LogIn, None, "alice", PASSWORD)
        replaced = str((await monitor.user("alice"))["password_hash"])
        assert replaced.startswith("v1$")

    async with run_harness(own_settings, NEW) as later:
        await later.call(LogIn, None, "alice", PASSWORD)
        assert (await monitor.user("alice"))["password_hash"] == replaced


@pytest.mark.promise("L1")
@pytest.mark.parametrize("password", [PASSWORD, "!", ""])
async def test_without_a_hash_nobody_logs_in(own_settings: Settings, monitor: DatabaseMonitor, password: str) -> None:
    async with run_harness(own_settings, NEW) as harness:
        await import_hash(harness, None)

        with pytest.raises(InvalidCredentialsError):
            await harness.call(LogIn, None, "alice", password)
    assert (await monitor.user("alice"))["password_hash"] == "!"
