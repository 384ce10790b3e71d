"""What the fake promises to unit tests, PostgreSQL keeps."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from gatehouse.accounts.application.commands.import_users import ImportUsers
from gatehouse.accounts.application.ports import Obstacle, UserBatches
from gatehouse.accounts.application.user_file import ImportRules
from gatehouse.accounts.application.user_import import FileRow, ImportRun, ImportTally
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.common.application.ports import Transaction
from gatehouse.common.infrastructure.database_errors import DatabaseError
from gatehouse.testing.fakes import make_user
from tests.integration.conftest import DatabaseMonitor, Gateways
from tests.integration.harness import Harness

LONG_AGO = datetime(1999, 12, 31, 23, 59, 59, 123456, tzinfo=UTC)


async def test_accounts_are_stored_as_they_are(gateways: Gateways) -> None:
    batches: UserBatches = await gateways.get(UserBatches)
    users = [
        make_user("alice", Role.ADMIN, LONG_AGO, is_active=False, password_hash="a\\b\tc\nd\re é"),
        make_user("betty"),
    ]
    users[0].must_change_password = True

    async with gateways.transaction:
        assert await batches.add(users) == {}

    assert await gateways.find("alice") == users[0]
    assert await gateways.find("betty") == users[1]


async def test_what_is_there_already_stays_and_says_why_it_stands_in_the_way(gateways: Gateways) -> None:
    batches: UserBatches = await gateways.get(UserBatches)
    alice, betty = await gateways.add_user("alice"), await gateways.add_user("betty")
    users = [
        make_user("newcomer"),
        make_user("alice", password_hash="another"),
        User(betty.id, betty.username, Role.ADMIN, True, "another", False, LONG_AGO, LONG_AGO),  # noqa: FBT003
        make_user("carla"),
    ]
    users[3].id = alice.id
    obstacles = {1: Obstacle.NAME_TAKEN, 2: Obstacle.PRESENT, 3: Obstacle.ID_TAKEN}

    async with gateways.transaction:
        assert await batches.check(users) == obstacles
        assert await gateways.users.find(users[0].username) is None
    async with gateways.transaction:
        assert await batches.add(users) == obstacles
    async with gateways.transaction:
        assert await batches.add(users) == {0: Obstacle.PRESENT, **obstacles}

    assert await gateways.find("newcomer") == users[0]
    assert await gateways.find("alice") == alice
    assert await gateways.find("betty") == betty
    assert await gateways.find("carla") is None


async def test_the_id_of_an_erased_account_is_in_the_way_and_its_name_as_such_is_not(gateways: Gateways) -> None:
    batches: UserBatches = await gateways.get(UserBatches)
    alice, betty = await gateways.add_user("alice"), await gateways.add_user("betty")
    async with gateways.transaction:
        await gateways.users.erase(alice, gateways.clock.now())
        await gateways.users.erase(betty, gateways.clock.now())
    other = make_user("carla")
    other.id = betty.id
    users = [alice, make_user("betty"), other]
    obstacles = {0: Obstacle.ID_ERASED, 2: Obstacle.ID_ERASED}

    async with gateways.transaction:
        assert await batches.check(users) == obstacles
    async with gateways.transaction:
        assert await batches.add(users) == obstacles

    assert await gateways.find("alice") is None
    assert await gateways.find("betty") == users[1]
    assert await gateways.find("carla") is None


async def test_batches_follow_each_other_in_one_transaction_and_may_be_empty(gateways: Gateways) -> None:
    batches: UserBatches = await gateways.get(UserBatches)

    async with gateways.transaction:
        assert await batches.add([]) == {}
        assert await batches.check([]) == {}


TAKE_ALICE: Final = """
    INSERT INTO users (id, username, role, is_active, must_change_password, created_at, updated_at, password_hash)
    VALUES (gen_random_uuid(), 'alice', 'user', true, false, now(), now(), '!')
"""


async def test_a_name_that_is_taken_at_the_same_moment_is_refused_by_another_try(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    refused: dict[int, str] = {}
    run = ImportRun(id=UUID(int=7), rules=ImportRules(), refuse=refused.__setitem__)

    async def rows() -> AsyncIterator[Sequence[FileRow]]:
        yield [FileRow(1, {"username": "betty"}), FileRow(2, {"username": "alice"})]

    async with monitor.transaction(TAKE_ALICE):
        importing = harness.start(ImportUsers, None, run, rows())
        await monitor.until_waiting_for_a_lock()

    assert await importing == ImportTally(added=1, refused=1)
    assert refused == {2: "username: Belongs to another account."}
    assert (await monitor.user("betty"))["role"] == "user"


@pytest.mark.promise("R9")
async def test_a_role_without_the_right_to_temporary_tables_is_told_in_a_line(
    harness: Harness, own_owner: psycopg.Connection, own_database_url: str
) -> None:
    database = sql.Identifier(str(conninfo_to_dict(own_database_url)["dbname"]))
    own_owner.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(database))
    try:
        async with harness.container() as scope:
            batches, transaction = await scope.get(UserBatches), await scope.get(Transaction)

            async def add() -> None:
                async with transaction:
                    await batches.add([make_user("alice")])

            with pytest.raises(DatabaseError, match="GRANT TEMPORARY ON DATABASE"):
                await add()
    finally:
        own_owner.execute(sql.SQL("GRANT TEMPORARY ON DATABASE {} TO PUBLIC").format(database))
