"""No submitted or stored value may reach a log through an error."""

import traceback
from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import scalar_row
from sqlalchemy import insert, text
from sqlalchemy.exc import StatementError
from structlog.testing import capture_logs
from uuid6 import uuid7

from gatehouse.accounts.domain.errors import UsernameTakenError
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.accounts.infrastructure.tables import users
from gatehouse.accounts.infrastructure.users import SqlUsers
from gatehouse.common.application.write_position import WritePosition
from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.infrastructure.database_errors import DatabaseError, ErrorTranslation
from gatehouse.common.infrastructure.migrations import open_owner
from gatehouse.common.infrastructure.transaction import SqlTransaction
from gatehouse.testing.fakes import FakeClock

# The values are made at run time, since a traceback shows lines of the source.


async def test_an_unforeseen_error_in_a_command_tells_no_value(small_pool: Database) -> None:
    secret, role = uuid4().hex, uuid4().hex
    row = {**new_user_row(), "role": role, "password_hash": secret}

    with capture_logs() as logs, pytest.raises(DatabaseError) as caught:
        async with (transaction := SqlTransaction(small_pool, WritePosition)):
            await transaction.connection.execute(insert(users).values(row))

    assert str(caught.value) == "CheckViolation, SQLSTATE 23514, constraint ck_users_role_is_known"
    output = "".join(traceback.format_exception(caught.value)) + repr(logs)
    assert secret not in output
    assert role not in output
    assert str(row["id"]) not in output


@pytest.mark.promise("T2")
async def test_a_statement_that_cannot_even_be_sent_tells_no_value(small_pool: Database) -> None:
    secret = uuid4().hex

    with pytest.raises(StatementError) as caught:
        async with (transaction := SqlTransaction(small_pool, WritePosition)):
            await transaction.connection.execute(text("SELECT :value, :missing"), {"value": secret})

    assert secret not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "call",
    [
        lambda pool, *statement: pool.execute(*statement),
        lambda pool, *statement: pool.fetch_all(*statement, scalar_row),
    ],
    ids=["execute", "fetch_all"],
)
async def test_an_unforeseen_error_in_a_query_tells_no_value(
    small_pool: Database, call: Callable[..., Awaitable[object]]
) -> None:
    secret = f"secret {uuid4().hex}"

    with capture_logs() as logs, pytest.raises(DatabaseError) as caught:
        await call(small_pool, "SELECT CAST(%(value)s AS integer)", {"value": secret})

    output = "".join(traceback.format_exception(caught.value)) + repr(logs)
    assert secret not in output
    assert "SQLSTATE 22P02" in str(caught.value)


async def test_a_refusal_tells_no_value_either(small_pool: Database) -> None:
    alice = User.create(Username(f"a{uuid4().hex[:12]}"), Role.USER, "a hash", FakeClock().now())
    transaction = SqlTransaction(small_pool, WritePosition)
    async with transaction:
        await SqlUsers(transaction).add(alice)

    with capture_logs() as logs, pytest.raises(UsernameTakenError) as caught:
        async with transaction:
            await SqlUsers(transaction).add(replace(alice, id=uuid7()))

    output = "".join(traceback.format_exception(caught.value)) + repr(logs)
    assert alice.username.value not in output


async def test_the_address_of_an_unreachable_server_is_not_told() -> None:
    secret = uuid4().hex

    with capture_logs() as logs, pytest.raises(UnavailableError) as caught, ErrorTranslation({}).translate():
        await psycopg.AsyncConnection.connect(f"postgresql://nobody:{secret}@127.0.0.1:1/nothing")

    output = "".join(traceback.format_exception(caught.value)) + repr(logs)
    assert secret not in output
    assert "127.0.0.1" not in output


def new_user_row() -> dict[str, object]:
    now = FakeClock().now()
    return {
        "id": uuid7(),
        "username": "alice",
        "is_active": True,
        "must_change_password": False,
        "created_at": now,
        "updated_at": now,
    }


def test_an_error_of_a_migration_quotes_no_row(owner_url: str) -> None:
    with open_owner(owner_url).connect() as connection, pytest.raises(StatementError) as caught:
        connection.execute(text("SELECT :left, :right"), {"left": "hunter2"})

    assert "hunter2" not in str(caught.value)
