"""Requests leave no reference cycles behind."""

import gc
from collections.abc import Iterator

import pytest
from dishka import AsyncContainer

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.running_app import RunningApp

USERS = "/api/v1/users"
ALICE = {"username": "alice"}


@pytest.fixture
def collector_off() -> Iterator[None]:
    gc.disable()
    gc.collect()
    gc.freeze()  # collections need not look at objects that exist already, here and in later tests
    yield
    gc.enable()


def containers() -> int:
    return sum(type(candidate) is AsyncContainer for candidate in gc.get_objects())


@pytest.mark.usefixtures("collector_off")
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/?limit=20", None, 200),
        ("GET", "/?limit=0", None, 422),
        ("GET", "/alice", None, 200),
        ("GET", "/nobody", None, 404),
        ("PATCH", "/reactivate", ALICE, 204),
        ("PATCH", "/grant", ALICE, 403),
    ],
)
async def test_a_request_leaves_nothing_that_only_the_garbage_collector_would_find(
    app: RunningApp, method: str, path: str, body: dict[str, str] | None, status: int
) -> None:
    """A collection pauses all requests."""
    await app.add_user("alice")
    admin = await app.logged_in("admin", Role.ADMIN)
    before = containers()
    assert (await admin.request(method, USERS + path, json=body)).status_code == status
    assert containers() == before
