"""In-memory stand-ins for the ports of an import."""

from collections.abc import Sequence
from copy import deepcopy

from gatehouse.accounts.application.ports import Obstacle
from gatehouse.accounts.domain.user import User
from gatehouse.common.domain.errors import InvalidError
from gatehouse.testing.accounts.fakes import ErasedAccounts
from gatehouse.testing.fakes import FakeTransaction


class FakeUserBatches:
    def __init__(self, transaction: FakeTransaction) -> None:
        self._transaction = transaction

    async def add(self, users: Sequence[User]) -> dict[int, Obstacle]:
        obstacles = await self.check(users)
        for place, user in enumerate(users):
            if place not in obstacles:
                self._transaction.store.users[user.id] = deepcopy(user)
        return obstacles

    async def check(self, users: Sequence[User]) -> dict[int, Obstacle]:
        ids = {user.username: user.id for user in self._transaction.store.users.values()}
        obstacles = {}
        for place, user in enumerate(users):
            if user.username in ids:
                is_same = ids[user.username] == user.id
                obstacles[place] = Obstacle.PRESENT if is_same else Obstacle.NAME_TAKEN
            elif user.id in self._transaction.store.users:
                obstacles[place] = Obstacle.ID_TAKEN
            elif user.id in self._transaction.store[ErasedAccounts].ids:
                obstacles[place] = Obstacle.ID_ERASED
        return obstacles


class FakeImportedHashes:
    """Knows hashes that begin with `hash of`."""

    def to_stored(self, password_hash: str, *, is_peppered: bool) -> str:
        if not password_hash.startswith("hash of "):
            raise InvalidError("password_hash", "Is of no known kind.")
        return f"peppered {password_hash}" if is_peppered else password_hash


class FakeSeenKeys:
    def __init__(self) -> None:
        self._lines: dict[str | bytes, int] = {}

    def find_earlier(self, keys: Sequence[tuple[str | bytes, int]]) -> dict[int, int]:
        firsts = {line: self._lines.setdefault(key, line) for key, line in keys}
        return {line: first for line, first in firsts.items() if first != line}
