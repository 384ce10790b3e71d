"""What no command line in one process shows: streams, and lines without an end."""

import asyncio
import os
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gatehouse.accounts.application.user_file import FileFormat
from gatehouse.accounts.application.user_import import FileRow
from gatehouse.accounts.presentation.cli import user_files
from gatehouse.accounts.presentation.cli.user_files import UserFile


@contextmanager
def piped(*pieces: bytes, times: int = 1) -> Iterator[int]:
    """The end to read from, while a thread writes."""
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            for piece in pieces:
                for _ in range(times):
                    pipe.write(piece)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield reading
    finally:
        writer.join()
        os.close(reading)


async def read(descriptor: int, form: FileFormat = FileFormat.NDJSON) -> list[FileRow]:
    return [row async for batch in UserFile(descriptor, form).batches() for row in batch]


async def test_a_line_without_an_end_takes_no_memory() -> None:
    tracemalloc.start()
    with piped(b"x" * 1024 * 1024, times=64) as descriptor:
        rows = await read(descriptor)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert rows == [FileRow(1, "Is longer than 16384 bytes.")]
    assert peak < 8 * 1024 * 1024


async def test_lines_are_put_together_however_they_come_in() -> None:
    text = b'\xef\xbb\xbf{"username": "alice"}\r\n\n{"username": "b\xc3\xa4tty"}\n{"username": "carla"}'
    for size in (1, 2, 3, 1000):
        with piped(*(text[start : start + size] for start in range(0, len(text), size))) as descriptor:
            rows = await read(descriptor)

        assert rows == [
            FileRow(1, {"username": "alice"}),
            FileRow(3, {"username": "bätty"}),
            FileRow(4, {"username": "carla"}),
        ]


async def test_what_follows_a_line_that_is_too_long_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_files, "MAX_LINE_BYTES", 25)
    monkeypatch.setattr(user_files, "_CHUNK_BYTES", 10)
    with piped(b'{"username": "alice"}\n' + b"x" * 26 + b"\n" + b"y" * 100 + b'\n{"username": "betty"}') as descriptor:
        rows = await read(descriptor)

    assert rows == [
        FileRow(1, {"username": "alice"}),
        FileRow(2, "Is longer than 25 bytes."),
        FileRow(3, "Is longer than 25 bytes."),
        FileRow(4, {"username": "betty"}),
    ]


async def test_batches_are_bounded_and_tell_how_far_the_file_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(user_files, "BATCH_ROWS", 2)
    monkeypatch.setattr(user_files, "_CHUNK_BYTES", 44)
    path = tmp_path / "users.ndjson"
    path.write_text('{"username": "alice"}\n' * 5)
    with path.open("rb") as file:
        source = UserFile(file.fileno(), FileFormat.NDJSON)
        sizes = [(len(batch), source.share) async for batch in source.batches()]

    assert sizes == [(2, 0.4), (2, 0.8), (1, 1.0)]


async def test_waiting_for_a_stream_can_be_interrupted() -> None:
    reading, writing = os.pipe()
    try:
        waiting = asyncio.create_task(read(reading))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(waiting, 20)
        assert UserFile(reading, FileFormat.CSV).share is None
    finally:
        os.close(reading)
        os.close(writing)


async def test_an_object_is_all_that_a_line_holds() -> None:
    lines = (b' \t{"username": "alice"} ', b'{"username": "betty"} x', b'{"username": "carla"}{}', b"{} []", b"[]")
    with piped(b"\r\n".join(lines)) as descriptor:
        rows = await read(descriptor)

    assert rows == [
        FileRow(1, {"username": "alice"}),
        FileRow(2, "Is no JSON."),
        FileRow(3, "Is no JSON."),
        FileRow(4, "Is no JSON."),
        FileRow(5, "Is no JSON object."),
    ]
