"""An import, batch by batch: what a row says, what the file alone is enough to refuse, and what came of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from gatehouse.accounts.application.ports import ImportedHashes, Obstacle, SeenKeys
from gatehouse.accounts.application.user_file import ImportRules, read_user
from gatehouse.accounts.domain.user import User
from gatehouse.common.application.ports import Clock
from gatehouse.common.domain.errors import InvalidError

_REASONS: Final = {
    Obstacle.NAME_TAKEN: "username: Belongs to another account.",
    Obstacle.NAME_KEPT: "username: Was that of an erased account, and nobody may take it.",
    Obstacle.ID_TAKEN: "id: Belongs to another account.",
    Obstacle.ID_ERASED: "id: Is that of an erased account.",
}
_ROWS_AT_A_TIME: Final = 100

type Refuse = Callable[[int, str], None]
"""Is told the line and the reason, which repeats nothing of what stands there."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """A line of the file: the fields that it has, or why it cannot be read."""

    line: int
    fields: Mapping[str, object] | str


@dataclass(frozen=True, slots=True)
class ImportTally:
    added: int = 0
    present: int = 0
    """Were there already: an account has that name and that id."""
    refused: int = 0

    @property
    def rows(self) -> int:
        return self.added + self.present + self.refused

    def __add__(self, other: "ImportTally") -> "ImportTally":
        return ImportTally(self.added + other.added, self.present + other.present, self.refused + other.refused)

    def __str__(self) -> str:
        return f"{self.added} added, {self.present} there already, {self.refused} refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRun:
    """`progressed` is told the tally after each batch, once that is committed."""

    id: UUID
    rules: ImportRules
    refuse: Refuse
    progressed: Callable[[ImportTally], None] = lambda _: None
    is_dry: bool = False
    """Everything is judged, nothing is changed."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is to be added, and what the file alone is enough to refuse, each by its line."""

    users: dict[int, User] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)

    def all_refused(self, obstacles: Mapping[int, Obstacle]) -> dict[int, str]:
        """In the order of the lines, with what the database has something against."""
        lines = list(self.users)
        refused = {lines[place]: _REASONS[why] for place, why in obstacles.items() if why in _REASONS}
        return dict(sorted({**self.refused, **refused}.items()))

    def count(self, obstacles: Mapping[int, Obstacle]) -> ImportTally:
        present = list(obstacles.values()).count(Obstacle.PRESENT)
        refused = len(self.refused) + len(obstacles) - present
        return ImportTally(len(self.users) - len(obstacles), present, refused)


@dataclass(frozen=True, slots=True)
class UserReader:
    """Reads accounts from the rows of a file."""

    hashes: ImportedHashes
    seen: SeenKeys
    clock: Clock

    async def read(self, rows: AsyncIterator[Sequence[FileRow]], rules: ImportRules) -> AsyncIterator[Batch]:
        """Meanwhile the database stores the batch before, so it lets that go on every few milliseconds."""
        async for file_batch in rows:
            batch, now = Batch(), self.clock.now()
            for start in range(0, len(file_batch), _ROWS_AT_A_TIME):
                await asyncio.sleep(0)
                self._read_into(batch, file_batch[start : start + _ROWS_AT_A_TIME], rules, now)
            yield batch

    def _read_into(self, batch: Batch, rows: Sequence[FileRow], rules: ImportRules, now: datetime) -> None:
        names: list[tuple[str | bytes, int]] = []
        ids: list[tuple[str | bytes, int]] = []
        for row in rows:
            try:
                user = batch.users[row.line] = self._read_row(row, rules, now)
            except InvalidError as error:
                batch.refused[row.line] = f"{error.field}: {error.message}"
            else:
                names.append((user.username.value, row.line))
                if "id" in row.fields:
                    ids.append((user.id.bytes, row.line))
        for name, keys in (("username", names), ("id", ids)):
            for line, earlier in self.seen.find_earlier(keys).items():
                if batch.users.pop(line, None):
                    batch.refused[line] = f"{name}: Is that of line {earlier}, too."

    def _read_row(self, row: FileRow, rules: ImportRules, now: datetime) -> User:
        if isinstance(row.fields, str):
            raise InvalidError("line", row.fields)
        return read_user(row.fields, rules, self.hashes, now)
