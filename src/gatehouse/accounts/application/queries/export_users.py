from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

from gatehouse.accounts.application.user_file import FileFormat
from gatehouse.common.application.use_case import query


@dataclass(frozen=True, slots=True)
class ExportBlock:
    """Some thousand accounts, as they stand in the file. `share` is how much of the whole has come by now: up to 1."""

    text: str
    rows: int
    share: float


class UserExport(Protocol):
    def __call__(self, form: FileFormat, *, with_hashes: bool) -> AsyncIterator[ExportBlock]:
        """All accounts as they are at one moment, in no particular order."""


@query
class ExportUsers:
    """The operator reads all accounts, as they are at one moment, on the command line only.

    Password hashes are secrets, and come along only if they are asked for.
    """

    export: UserExport

    async def __call__(self, form: FileFormat, take: Callable[[ExportBlock], None], *, with_hashes: bool) -> None:
        async for block in self.export(form, with_hashes=with_hashes):
            take(block)
