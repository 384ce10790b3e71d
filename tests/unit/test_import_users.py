import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from gatehouse.accounts.application.commands.erase_user import EraseUser
from gatehouse.accounts.application.commands.import_users import ImportUsers
from gatehouse.accounts.application.ports import ErasedNames, Obstacle, SeenKeys, UserBatches
from gatehouse.accounts.application.user_file import ImportRules
from gatehouse.accounts.application.user_import import FileRow, ImportRun, ImportTally
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.domain.audit import Subject
from gatehouse.common.domain.errors import TransactionConflictError, UnavailableError
from gatehouse.testing.accounts.fakes import FakeErasedNames
from gatehouse.testing.accounts.import_fakes import FakeSeenKeys, FakeUserBatches
from gatehouse.testing.fakes import FakeEvent
from gatehouse.testing.in_memory_app import InMemoryApp

RUN_ID = UUID(int=7)
type Line = Mapping[str, object] | str


@dataclass
class Import:
    """One run after the other, of the same file."""

    app: InMemoryApp
    batches: Sequence[Sequence[Line]]
    refused: dict[int, str] = field(default_factory=dict)
    told: list[ImportTally] = field(default_factory=list)

    def read(self) -> AsyncIterator[Sequence[FileRow]]:
        return self._read()

    async def _read(self) -> AsyncIterator[Sequence[FileRow]]:
        number = 0
        for batch in self.batches:
            rows = []
            for fields in batch:
                number += 1
                rows.append(FileRow(number, fields))
            yield rows

    async def run(self, *, is_dry: bool = False) -> ImportTally:
        self.refused.clear()
        self.told.clear()
        self.app.get(SeenKeys, FakeSeenKeys).__init__()  # type: ignore[misc]  # each run has its own
        run = ImportRun(
            id=RUN_ID,
            rules=ImportRules(),
            refuse=self.refused.__setitem__,
            progressed=self.told.append,
            is_dry=is_dry,
        )
        return await self.app.use(ImportUsers)(run, self.read())

    @property
    def names(self) -> set[str]:
        return {user.username.value for user in self.app.store.users.values()}


def named(*names: str) -> list[Line]:
    return [{"username": name} for name in names]


def event(label: str) -> FakeEvent:
    return FakeEvent("import_users", None, None, subject=Subject("import", str(RUN_ID), label))


async def test_the_accounts_of_all_batches_go_in_and_the_trail_has_one_event() -> None:
    an_import = Import(InMemoryApp(), [named("alice", "betty"), named("carla"), named("doris", "erica")])

    tally = await an_import.run()

    assert tally == ImportTally(added=5)
    assert an_import.names == {"alice", "betty", "carla", "doris", "erica"}
    assert an_import.told == [ImportTally(added=2), ImportTally(added=3), ImportTally(added=5)]
    assert an_import.app.store.events == [event("5 added, 0 there already, 0 refused")]


async def test_what_cannot_be_taken_is_refused_by_its_line_and_the_rest_goes_in() -> None:
    app = InMemoryApp()
    taken = app.add_user("taken")
    wrong: list[Line] = [
        "Is not UTF-8.",
        {"username": "no"},
        {"username": "taken"},
        {"username": "other", "id": str(taken.id)},
        {"username": "ALICE"},
        {"username": "alice2", "role": "admin"},
    ]
    an_import = Import(app, [named("alice"), [*wrong, {"username": "betty"}]])

    tally = await an_import.run()

    assert tally == ImportTally(added=2, refused=6)
    assert tally.rows == 8
    assert an_import.names == {"taken", "alice", "betty"}
    assert list(an_import.refused) == [2, 3, 4, 5, 6, 7]
    assert an_import.refused[2] == "line: Is not UTF-8."
    assert an_import.refused[3].startswith("username: Must be 5 to 20")
    assert an_import.refused[4] == "username: Belongs to another account."
    assert an_import.refused[5] == "id: Belongs to another account."
    assert an_import.refused[6] == "username: Is that of line 1, too."
    assert an_import.refused[7].startswith("role: Is above user")
    assert app.store.events == [event("2 added, 0 there already, 6 refused")]


@pytest.mark.promise("X1")
async def test_neither_the_kept_name_nor_the_id_of_an_erased_account_is_taken_again() -> None:
    app = InMemoryApp()
    chief, alice, betty = app.add_user("chief", Role.SUPER_ADMIN), app.add_user("alice"), app.add_user("betty")
    await app.use(EraseUser, chief)("alice")
    await app.use(EraseUser, chief)("betty", free_name=True)
    app.store.events.clear()
    ids: list[Line] = [{"username": "doris", "id": str(alice.id)}, {"username": "erica", "id": str(betty.id)}]
    an_import = Import(app, [[*named("first", "ALICE", "betty"), *ids, *named("first", "last1")]])

    dry = await an_import.run(is_dry=True)
    refused_dry = dict(an_import.refused)

    assert await an_import.run() == dry == ImportTally(added=3, refused=4)
    assert (
        refused_dry
        == an_import.refused
        == {
            2: "username: Was that of an erased account, and nobody may take it.",
            4: "id: Is that of an erased account.",
            5: "id: Is that of an erased account.",
            6: "username: Is that of line 1, too.",
        }
    )
    assert an_import.names == {"chief", "first", "betty", "last1"}
    assert app.store.events == [event("3 added, 0 there already, 4 refused")]


@pytest.mark.promise("X1")
async def test_a_name_that_an_erasure_keeps_meanwhile_is_refused_by_another_try() -> None:
    kept: set[Username] = set()
    tries: list[list[str]] = []

    class Waiting(FakeUserBatches):
        async def add(self, users: Sequence[User]) -> dict[int, Obstacle]:
            kept.add(Username("betty"))
            tries.append([user.username.value for user in users])
            return await super().add(users)

    class KeptElsewhere(FakeErasedNames):
        async def find_kept(self, usernames: Sequence[Username]) -> set[Username]:
            return kept.intersection(usernames)

    app = InMemoryApp()
    app._parts[UserBatches] = Waiting(app.transaction)
    app._parts[ErasedNames] = KeptElsewhere(app.transaction)
    an_import = Import(app, [named("alice", "betty", "carla")])

    assert await an_import.run() == ImportTally(added=2, refused=1)

    assert tries == [["alice", "betty", "carla"], ["alice", "carla"]]
    assert an_import.names == {"alice", "carla"}
    assert an_import.refused == {2: "username: Was that of an erased account, and nobody may take it."}


async def test_an_id_that_comes_twice_is_refused_the_second_time() -> None:
    rows: list[Line] = [{"username": name, "id": str(UUID(int=1))} for name in ("alice", "betty", "alice")]

    an_import = Import(InMemoryApp(), [rows])

    assert await an_import.run() == ImportTally(added=1, refused=2)
    assert an_import.refused == {2: "id: Is that of line 1, too.", 3: "username: Is that of line 1, too."}


@pytest.mark.promise("Z10")
async def test_a_second_run_changes_nothing_and_records_nothing() -> None:
    an_import = Import(InMemoryApp(), [named("alice", "alice"), named("betty")])
    await an_import.run()
    before, events = dict(an_import.app.store.users), list(an_import.app.store.events)

    assert await an_import.run() == ImportTally(present=2, refused=1)

    assert an_import.app.store.users == before
    assert an_import.app.store.events == events


@pytest.mark.promise("Z10")
async def test_a_run_that_is_cut_off_keeps_its_batches_says_so_in_the_trail_and_is_gone_on_with() -> None:
    app = InMemoryApp()

    is_reading = asyncio.Event()

    class WithoutEnd(Import):
        async def _read(self) -> AsyncIterator[Sequence[FileRow]]:
            yield [FileRow(1, {"username": "alice"})]
            yield [FileRow(2, {"username": "betty"})]
            is_reading.set()
            await asyncio.Event().wait()

    first = asyncio.create_task(WithoutEnd(app, []).run())
    await asyncio.wait_for(is_reading.wait(), 20)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert app.store.events == [event("1 added, 0 there already, 0 refused")]

    again = Import(app, [named("alice"), named("betty"), named("carla")])
    assert await again.run() == ImportTally(added=2, present=1)
    assert again.names == {"alice", "betty", "carla"}


@pytest.mark.promise("Z10")
async def test_a_batch_that_is_going_in_when_the_run_is_cut_off_is_counted() -> None:
    is_going_in, may_go_on = asyncio.Event(), asyncio.Event()

    class Slow(FakeUserBatches):
        async def add(self, users: Sequence[User]) -> dict[int, Obstacle]:
            is_going_in.set()
            await may_go_on.wait()
            return await super().add(users)

    app = InMemoryApp()
    app._parts[UserBatches] = Slow(app.transaction)
    an_import = Import(app, [named("alice"), named("betty")])

    running = asyncio.create_task(an_import.run())
    await asyncio.wait_for(is_going_in.wait(), 20)
    running.cancel()
    await asyncio.sleep(0)  # until the run knows of it
    may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert an_import.names == {"alice"}
    assert an_import.told == [ImportTally(added=1)]
    assert app.store.events == [event("1 added, 0 there already, 0 refused")]


async def test_where_even_the_event_cannot_be_stored_the_first_failure_is_told() -> None:
    class Lost(FakeUserBatches):
        async def add(self, users: Sequence[User]) -> dict[int, Obstacle]:
            if users[0].username.value == "betty":
                self._transaction.lose_next(writes=9)  # nothing can be stored from now on
                raise UnavailableError("the database is away")
            return await super().add(users)

    app = InMemoryApp()
    app._parts[UserBatches] = Lost(app.transaction)

    with pytest.raises(UnavailableError, match="the database is away"):
        await Import(app, [named("alice"), named("betty")]).run()

    assert [user.username.value for user in app.store.users.values()] == ["alice"]
    assert app.store.events == []


async def test_a_batch_that_loses_against_a_parallel_transaction_is_stored_again() -> None:
    an_import = Import(InMemoryApp(), [named("alice", "no")])
    an_import.app.transaction.lose_next(writes=2)

    assert await an_import.run() == ImportTally(added=1, refused=1)

    assert an_import.names == {"alice"}
    assert len(an_import.app.store.events) == 1


async def test_a_batch_that_always_loses_is_given_up() -> None:
    an_import = Import(InMemoryApp(), [named("alice")])
    an_import.app.transaction.lose_next(writes=9)

    with pytest.raises(TransactionConflictError):
        await an_import.run()

    assert an_import.app.store.events == []


async def test_a_dry_run_judges_everything_and_changes_nothing() -> None:
    app = InMemoryApp()
    app.add_user("taken")
    an_import = Import(app, [named("alice", "taken", "no"), named("Alice", "betty")])

    dry = await an_import.run(is_dry=True)
    refused_dry = dict(an_import.refused)

    assert (an_import.names, app.store.events) == ({"taken"}, [])
    assert await an_import.run() == dry == ImportTally(added=2, refused=3)
    assert an_import.refused == refused_dry


async def test_of_a_file_without_rows_nothing_is_recorded() -> None:
    an_import = Import(InMemoryApp(), [])

    assert await an_import.run() == ImportTally()
    assert an_import.app.store.events == []


async def test_a_file_of_which_all_is_refused_is_not_recorded() -> None:
    an_import = Import(InMemoryApp(), [named("no")])

    assert await an_import.run() == ImportTally(refused=1)
    assert an_import.app.store.events == []
