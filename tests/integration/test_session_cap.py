import asyncio

import pytest

from gatehouse.accounts.application.commands.inactivate_user import InactivateUser
from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.accounts.application.new_session import NewSession
from gatehouse.accounts.domain.errors import InvalidCredentialsError
from gatehouse.accounts.domain.role import Role
from gatehouse.testing.fakes import LIFETIME, PASSWORD
from tests.integration.conftest import DatabaseMonitor
from tests.integration.harness import Harness

pytestmark = pytest.mark.slow

CAP = LIFETIME.max_per_user


@pytest.mark.promise("S16")
async def test_the_oldest_session_ends_when_there_is_one_too_many(harness: Harness, monitor: DatabaseMonitor) -> None:
    alice = await harness.add_user("alice")
    first, second = await harness.add_session(alice), await harness.add_session(alice)
    for _ in range(CAP - 2):
        await harness.call(LogIn, None, "alice", PASSWORD)
    assert await monitor.has_session(first.id)

    await harness.call(LogIn, None, "alice", PASSWORD)

    assert not await monitor.has_session(first.id)
    assert await monitor.has_session(second.id)
    assert await monitor.sessions_of(alice.id) == CAP == 20


@pytest.mark.promise("S16")
async def test_thirty_logins_at_once_leave_no_more_than_the_cap(harness: Harness, monitor: DatabaseMonitor) -> None:
    alice, bobby = await harness.add_user("alice"), await harness.add_user("bobby")
    await harness.add_session(bobby)

    calls = (harness.call(LogIn, None, "alice", PASSWORD) for _ in range(30))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert {type(outcome) for outcome in outcomes} == {NewSession}
    assert await monitor.sessions_of(alice.id) == CAP
    assert await monitor.sessions_of(bobby.id) == 1


@pytest.mark.promise("S8")
async def test_inactivation_among_many_logins_leaves_no_session(harness: Harness, monitor: DatabaseMonitor) -> None:
    alice, admin = await harness.add_user("alice"), await harness.add_user("admin", Role.ADMIN)

    *logins, _ = await asyncio.gather(
        *(harness.call(LogIn, None, "alice", PASSWORD) for _ in range(20)),
        harness.call(InactivateUser, admin, "alice"),
        return_exceptions=True,
    )

    assert {type(login) for login in logins if isinstance(login, Exception)} <= {InvalidCredentialsError}
    assert await monitor.sessions_of(alice.id) == 0
