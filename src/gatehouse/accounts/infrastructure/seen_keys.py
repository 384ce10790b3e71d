"""What an import has come across so far, on disk beyond a few megabytes."""

import errno
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

_CACHE_KIB: Final = 16 * 1024


class SqliteSeenKeys:
    """A temporary database without a name: SQLite deletes it when it is closed, and the system when the process dies.

    PostgreSQL would need a session of its own for a temporary table that outlives a batch.
    """

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)
        for statement in (
            f"PRAGMA cache_size = -{_CACHE_KIB}",
            "PRAGMA journal_mode = OFF",  # nothing is ever rolled back
            "PRAGMA synchronous = OFF",
            "CREATE TABLE seen (key PRIMARY KEY, line INTEGER) WITHOUT ROWID",
            "BEGIN",
        ):
            self._connection.execute(statement)

    def find_earlier(self, keys: Sequence[tuple[str | bytes, int]]) -> dict[int, int]:
        try:
            new = self._connection.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", keys).rowcount
            return {} if new == len(keys) else dict(self._find(keys))
        except sqlite3.OperationalError as error:
            raise OSError(errno.ENOSPC, f"The folder for temporary files cannot be used: {error}") from None

    def _find(self, keys: Sequence[tuple[str | bytes, int]]) -> Iterator[tuple[int, int]]:
        for key, line in keys:
            (first,) = self._connection.execute("SELECT line FROM seen WHERE key = ?", [key]).fetchone()
            if first != line:
                yield line, first

    def close(self) -> None:
        self._connection.close()
