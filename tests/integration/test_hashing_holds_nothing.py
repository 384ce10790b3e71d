from typing import Any

import pytest
from psycopg_pool import AsyncConnectionPool

from gatehouse.accounts.application.commands.change_password import ChangePassword
from gatehouse.accounts.application.commands.create_super_admin import CreateSuperAdmin
from gatehouse.accounts.application.commands.create_user import CreateUser
from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.accounts.application.commands.sign_up import SignUp
from gatehouse.accounts.domain.role import Role
from gatehouse.common.infrastructure.database import Database
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.harness import UseCase
from tests.integration.conftest import DatabaseMonitor, until
from tests.integration.harness import Harness

NEW_PASSWORD = "another horse battery staple"


@pytest.mark.promise("D2")
@pytest.mark.parametrize(
    ("use_case", "arguments", "pieces"),
    [
        (SignUp, ("bobby", PASSWORD), 1),
        (LogIn, ("outdated", PASSWORD), 2),
        (CreateUser, ("bobby", PASSWORD, Role.USER), 1),
        (ChangePassword, ("admin", NEW_PASSWORD, PASSWORD), 2),
        (ChangePassword, ("outdated", NEW_PASSWORD, None), 1),
        (CreateSuperAdmin, ("bobby", lambda: PASSWORD), 1),
    ],
)
async def test_while_a_password_is_hashed_no_connection_and_no_lock_is_held(
    harness: Harness, monitor: DatabaseMonitor, use_case: type[UseCase], arguments: tuple[object, ...], pieces: int
) -> None:
    admin = await harness.add_user("admin", Role.ADMIN)
    await harness.add_session(admin)
    await harness.add_user("outdated")
    await monitor.execute("UPDATE users SET password_hash = 'old ' || password_hash WHERE username = 'outdated'")
    pool = (await harness.container.get(Database))._pool

    for piece in range(pieces):
        harness.hashing.close()
        harness.hashing.stop_next(after=piece)
        call = harness.start(use_case, admin if use_case in (CreateUser, ChangePassword) else None, *arguments)
        await harness.hashing.until_reached()
        await wait_until_all_are_returned(pool)
        busy = await monitor.busy()
        if piece + 1 < pieces:
            call.cancel()
        harness.hashing.open()
        assert busy == []
    await call


async def wait_until_all_are_returned(pool: AsyncConnectionPool[Any]) -> None:
    """Connections that the pool is still opening count as in use until they are open."""

    async def are_all_returned() -> bool:
        stats = pool.get_stats()
        return stats["pool_size"] == stats["pool_available"]

    await until(are_all_returned)
