"""What the fake promises to unit tests, SQLite keeps."""

import errno
import sqlite3
from collections.abc import Callable, Iterator

import pytest

from gatehouse.accounts.application.ports import SeenKeys
from gatehouse.accounts.infrastructure.seen_keys import SqliteSeenKeys
from gatehouse.testing.accounts.import_fakes import FakeSeenKeys


@pytest.fixture(params=[FakeSeenKeys, SqliteSeenKeys])
def seen(request: pytest.FixtureRequest) -> Iterator[SeenKeys]:
    make: Callable[[], SeenKeys] = request.param
    seen = make()
    yield seen
    if isinstance(seen, SqliteSeenKeys):
        seen.close()


def test_a_key_that_comes_again_is_told_with_its_first_line(seen: SeenKeys) -> None:
    assert seen.find_earlier([]) == {}
    assert seen.find_earlier([("alice", 1), ("betty", 2)]) == {}
    assert seen.find_earlier([("carla", 3), ("alice", 4), ("carla", 5), (b"alice", 6)]) == {4: 1, 5: 3}
    assert seen.find_earlier([("alice", 7)]) == {7: 1}


def test_a_full_disk_is_one_line() -> None:
    seen = SqliteSeenKeys()
    seen._connection.close()
    seen._connection = sqlite3.connect("file:?mode=ro", uri=True)

    with pytest.raises(OSError, match="temporary files") as caught:
        seen.find_earlier([("alice", 1)])

    assert caught.value.errno == errno.ENOSPC
    seen.close()
