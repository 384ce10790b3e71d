"""A proxy between the application and PostgreSQL, which can fall silent or hang up."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

_WRITE_OF_A_COMMAND = re.compile(rb"\0(INSERT|UPDATE|DELETE) ")
"""As SQLAlchemy writes it; the texts of other statements begin with a line end."""
_COMMIT = b"Q\0\0\0\x0bCOMMIT\0"


class Loss(Enum):
    """What becomes of the answer to the COMMIT of a transaction that has written."""

    CONNECTION_CLOSED = auto()
    SILENCE = auto()


@dataclass
class Proxy:
    url: str
    """That of the server, through this proxy."""
    answer_to_commit: Loss | None = None
    commits_lost: int = 0
    lost_write: re.Pattern[bytes] = _WRITE_OF_A_COMMAND
    """Which writes make a transaction one whose COMMIT is not answered."""
    _forwards: asyncio.Event = field(default_factory=asyncio.Event)

    def fall_silent(self) -> None:
        """It keeps connections open and accepts new ones, but nothing gets through."""
        self._forwards.clear()

    def speak(self) -> None:
        self._forwards.set()
        self.answer_to_commit = None

    async def serve(self, socket_path: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_unix_connection(socket_path)
        except OSError:
            writer.close()
            return
        state = _ConnectionState()
        to_server = self._forward(reader, server_writer, partial(self._note_request, state))
        to_client = self._forward(server_reader, writer, partial(self._may_answer, state))
        tasks = {asyncio.create_task(to_server), asyncio.create_task(to_client)}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for end in (writer, server_writer):
                end.close()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, may_pass: Callable[[bytes], bool]
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                await self._forwards.wait()
                if may_pass(data):
                    writer.write(data)
                    await writer.drain()
                elif self.answer_to_commit is Loss.CONNECTION_CLOSED:
                    return

    def _note_request(self, state: "_ConnectionState", data: bytes) -> bool:
        state.has_written = state.has_written or self.lost_write.search(data) is not None
        if _COMMIT in data:
            state.loses_answer = state.has_written and self.answer_to_commit is not None
            self.commits_lost += state.loses_answer
            state.has_written = False
        return True

    def _may_answer(self, state: "_ConnectionState", _: bytes) -> bool:
        return not state.loses_answer


@dataclass
class _ConnectionState:
    has_written: bool = False
    loses_answer: bool = False


@asynccontextmanager
async def run_proxy(url: str) -> AsyncIterator[Proxy]:
    """`url` is that of a server on a Unix socket."""
    parameters = conninfo_to_dict(url)
    socket_path = Path(str(parameters["host"])) / f".s.PGSQL.{parameters.get('port', 5432)}"
    proxy = Proxy("")
    tasks = set[asyncio.Task[None]]()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(proxy.serve(socket_path, reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    proxy.url = make_conninfo(url, host="127.0.0.1", port=port)
    proxy.speak()
    try:
        yield proxy
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
