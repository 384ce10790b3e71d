"""Files of accounts, NDJSON or CSV, as rows: read in pieces, so that no file and no line is too large."""

import asyncio
import csv
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Final

from gatehouse.accounts.application.user_file import FIELDS, FileFormat
from gatehouse.accounts.application.user_import import FileRow
from gatehouse.common.domain.errors import InvalidError

STANDARD_STREAM: Final = "-"
BATCH_ROWS: Final = 5_000
MAX_LINE_BYTES: Final = 16 * 1024
_CHUNK_BYTES: Final = 64 * 1024
"""Some 200 rows: between two pieces, what the database has answered is gone on with."""
_JSON_SPACE: Final = " \t\r"
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_FLAGS: Final = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
_FLAG_FIELDS: Final = frozenset({"is_active", "must_change_password"})

type Parse = Callable[[str], Mapping[str, object]]


class _UnreadableError(Exception):
    """Why a line cannot be read. Repeats nothing of it."""


def format_of(name: str) -> FileFormat:
    return FileFormat.CSV if name.lower().endswith(".csv") else FileFormat.NDJSON


class UserFile:
    """Reads from a file descriptor. `username_from` is the field or column that becomes the username."""

    def __init__(self, descriptor: int, form: FileFormat, username_from: str = "username") -> None:
        self._descriptor = descriptor
        self._form = form
        self._names = {**{field: field for field in FIELDS if field != "username"}, username_from: "username"}
        self._decoder = json.JSONDecoder(object_pairs_hook=self._name_fields)
        self._parse: Parse | None = self._parse_json if form is FileFormat.NDJSON else None
        self._size = os.fstat(descriptor).st_size
        self._read = 0

    @property
    def share(self) -> float | None:
        """How much of it has been read; None for a stream, whose length nobody knows."""
        return min(1.0, self._read / self._size) if self._size else None

    async def batches(self) -> AsyncIterator[Sequence[FileRow]]:
        """Raises InvalidError where the file as a whole cannot be read."""
        batch: list[FileRow] = []
        async for number, line in self._lines():
            if (row := self._row(number, line)) is not None:
                batch.append(row)
                if len(batch) == BATCH_ROWS:
                    yield batch
                    batch = []
        if batch:
            yield batch

    async def _lines(self) -> AsyncIterator[tuple[int, bytes | None]]:
        """Numbered from 1, without their endings. None for one that is too long, which is not kept."""
        splitter, number = _LineSplitter(), 0
        async for chunk in self._chunks():
            for line in splitter.split(chunk):
                number += 1
                yield number, line
        for line in splitter.end():
            yield number + 1, line

    async def _chunks(self) -> AsyncIterator[bytes]:
        while chunk := await _read_chunk(self._descriptor):
            self._read += len(chunk)
            yield chunk

    def _row(self, number: int, line: bytes | None) -> FileRow | None:
        """None for what is no row: an empty line, and the header."""
        if line is None:
            return FileRow(number, f"Is longer than {MAX_LINE_BYTES} bytes.")
        if number == 1:
            line = _without_mark(line)
        if not line or line.isspace():
            return None
        try:
            text = line.decode()
        except UnicodeDecodeError:
            return FileRow(number, "Is not UTF-8.")
        if self._parse is None:
            self._parse = self._parse_csv_with(_read_header(text, self._names))
            return None
        try:
            return FileRow(number, self._parse(text))
        except _UnreadableError as error:
            return FileRow(number, str(error))

    def _parse_json(self, text: str) -> Mapping[str, object]:
        text = text.strip(_JSON_SPACE)
        try:
            fields, end = self._decoder.raw_decode(text)  # in two thirds of the time of `decode`
        except (ValueError, RecursionError):
            raise _UnreadableError("Is no JSON.") from None
        except KeyError:
            raise _UnreadableError(f"Has a field that is none of {', '.join(self._names)}.") from None
        if end < len(text):
            raise _UnreadableError("Is no JSON.")
        if not isinstance(fields, dict):
            raise _UnreadableError("Is no JSON object.")
        return fields

    def _name_fields(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        fields = {self._names[name]: value for name, value in pairs}
        if len(fields) < len(pairs):  # one comes twice
            raise ValueError
        return fields

    def _parse_csv_with(self, columns: Sequence[str]) -> Parse:
        def parse(text: str) -> Mapping[str, object]:
            values = _split_csv(text)
            if len(values) != len(columns):
                raise _UnreadableError(f"Has {len(values)} columns, and not the header's {len(columns)}.")
            return {name: _value(name, value) for name, value in zip(columns, values, strict=True)}

        return parse


class _LineSplitter:
    def __init__(self) -> None:
        self._rest = b""
        self._is_too_long = False

    def split(self, chunk: bytes) -> Iterator[bytes | None]:
        *lines, rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            yield None if self._is_too_long or len(line) > MAX_LINE_BYTES else line.removesuffix(b"\r")
            self._is_too_long = False
        if len(rest) > MAX_LINE_BYTES:
            self._is_too_long, rest = True, b""
        self._rest = rest

    def end(self) -> Iterator[bytes | None]:
        if self._is_too_long:
            yield None
        elif self._rest:
            yield self._rest.removesuffix(b"\r")


async def _read_chunk(descriptor: int) -> bytes:
    """Waits on a pipe or a terminal without blocking, so that an interrupt gets through."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    try:
        loop.add_reader(descriptor, _resolve, ready)
    except PermissionError:  # a file, which is always ready
        await asyncio.sleep(0)
    else:
        try:
            await ready
        finally:
            loop.remove_reader(descriptor)
    return os.read(descriptor, _CHUNK_BYTES)


def _resolve(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _without_mark(line: bytes) -> bytes:
    if line.startswith(_UTF16_MARKS):
        raise InvalidError("FILE", "Must be UTF-8, and is UTF-16.")
    return line.removeprefix(_UTF8_MARK)


def _read_header(text: str, names: Mapping[str, str]) -> list[str]:
    """The fields in the order of the columns. A wrong header is not repeated: it may be a row, with its hash."""
    try:
        columns = [column.strip() for column in _split_csv(text)]
        fields = [names[column] for column in columns]
    except (_UnreadableError, KeyError):
        raise InvalidError(
            "FILE", f"Its first line must name the columns, with commas between them, some of {', '.join(names)}."
        ) from None
    if len(set(fields)) < len(fields):
        raise InvalidError("FILE", "Its header names a column twice.")
    if "username" not in fields:
        raise InvalidError("FILE", "Its header lacks the column of the username; --username-from names another one.")
    return fields


def _split_csv(text: str) -> list[str]:
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error:
        raise _UnreadableError("Has quotes that do not match.") from None


def _value(name: str, text: str) -> object:
    if not text:
        return None
    return _FLAGS.get(text.lower(), text) if name in _FLAG_FIELDS else text
