"""A login replaces an outdated hash, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from dishka import Provider, Scope

from gatehouse.accounts.application.commands.change_password import ChangePassword
from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.accounts.application.commands.sign_up import SignUp
from gatehouse.accounts.domain.errors import InvalidCredentialsError
from gatehouse.accounts.settings import PasswordSettings
from gatehouse.common.domain.request_context import RequestContext
from gatehouse.common.settings import Settings
from gatehouse.setup.container import create_container
from gatehouse.setup.modules import MODULES
from gatehouse.testing.fakes import PASSWORD
from tests.integration.conftest import DatabaseMonitor
from tests.integration.harness import Harness

NEW_PASSWORD = "another horse battery staple"
OLD = PasswordSettings(pepper="the old pepper, which is long enough", work_factor=4)
NEW = PasswordSettings(pepper="the new pepper, which is long enough", previous_peppers=[OLD.pepper], work_factor=4)


def _no_address() -> RequestContext:
    return RequestContext()


@asynccontextmanager
async def run_harness(settings: Settings, password: PasswordSettings) -> AsyncIterator[Harness]:
    """With the real hasher."""
    parts = Provider(scope=Scope.APP)
    parts.provide(_no_address)
    container = create_container(settings.replace(password), MODULES, parts)
    try:
        yield Harness.bare(container)
    finally:
        await container.close()


@pytest.mark.promise("P7", "P9")
@pytest.mark.parametrize("password", [NEW, replace(OLD, work_factor=5)], ids=["pepper", "work-factor"])
async def test_a_login_replaces_a_hash_of_an_earlier_pepper_or_work_factor(
    own_settings: Settings, monitor: DatabaseMonitor, password: PasswordSettings
) -> None:
    async with run_harness(own_settings, OLD) as old_harness:
        await old_harness.call(SignUp, None, "alice", PASSWORD)
    old_hash = (await monitor.user("alice"))["password_hash"]

    hashes = []
    async with run_harness(own_settings, password) as new_harness:
        for _ in range(2):
            await new_harness.call(LogIn, None, "alice", PASSWORD)
            hashes.append((await monitor.user("alice"))["password_hash"])
    assert hashes[0] == hashes[1] != old_hash

    async with run_harness(own_settings, replace(password, previous_peppers=[])) as later:
        await later.call(LogIn, None, "alice", PASSWORD)


@pytest.mark.promise("P9")
async def test_a_wrong_password_replaces_nothing(own_settings: Settings, monitor: DatabaseMonitor) -> None:
    async with run_harness(own_settings, OLD) as old_harness:
        await old_harness.call(SignUp, None, "alice", PASSWORD)
    user = await monitor.user("alice")

    async with run_harness(own_settings, NEW) as new_harness:
        with pytest.raises(InvalidCredentialsError):
            await new_harness.call(LogIn, None, "alice", NEW_PASSWORD)

    assert await monitor.user("alice") == user


@pytest.mark.promise("P9")
@pytest.mark.parametrize("earlier_hashes", [0, 1], ids=["verifying", "rehashing"])
async def test_a_password_change_during_a_login_with_an_outdated_hash_is_not_undone(
    harness: Harness, monitor: DatabaseMonitor, earlier_hashes: int
) -> None:
    alice = await harness.add_user("alice")
    own_session = await harness.add_session(alice)
    await monitor.execute("UPDATE users SET password_hash = 'old ' || password_hash")
    harness.hashing.stop_next(after=earlier_hashes)

    login = harness.start(LogIn, None, "alice", PASSWORD)
    await harness.hashing.until_reached()
    await harness.call(ChangePassword, alice, "alice", NEW_PASSWORD, PASSWORD)
    harness.hashing.open()

    with pytest.raises(InvalidCredentialsError):
        await login
    assert (await monitor.user("alice"))["password_hash"] == f"hash of {NEW_PASSWORD}"
    assert await monitor.sessions_of(alice.id) == 1
    assert await monitor.has_session(own_session.id)


@pytest.mark.promise("P9")
async def test_a_login_that_rehashes_takes_the_writers_lock_at_once(harness: Harness, monitor: DatabaseMonitor) -> None:
    """Two that took the lock of a login first, and then wrote, would deadlock."""
    alice = await harness.add_user("alice")
    await monitor.execute("UPDATE users SET password_hash = 'old ' || password_hash")

    async with monitor.transaction("SELECT 1 FROM users WHERE id = %s FOR SHARE", alice.id):
        login = harness.start(LogIn, None, "alice", PASSWORD)
        await monitor.until_waiting_for_a_lock()
        locks = await monitor.table_locks("users")

    assert locks == {"RowShareLock"}, "it waits for the row with an UPDATE, behind a lock of its own"
    await login


@pytest.mark.promise("P9")
async def test_a_login_that_rehashes_changes_the_hash_and_its_own_time_alone(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    await harness.add_user("alice")
    before = await monitor.user("alice")
    await monitor.execute("UPDATE users SET password_hash = 'old ' || password_hash")

    await harness.call(LogIn, None, "alice", PASSWORD)

    after = await monitor.user("alice")
    assert after == {**before, "last_login_at": after["last_login_at"]}
