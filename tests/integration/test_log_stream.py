"""What becomes of a line that cannot be written: whoever logs goes on, and the next line says how many were lost."""

import fcntl
import io
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from pathlib import Path
from typing import TextIO

import pytest
import structlog

from gatehouse.common.settings import LogFormat, LogSettings
from gatehouse.setup.log_stream import LogStream
from gatehouse.setup.logs import configure_logs

pytestmark = pytest.mark.promise("R10")

PIPE_BYTES = 4096
LINE = "x" * 99
SHORT_SECONDS = 0.05


@contextmanager
def pipe() -> Iterator[tuple[int, TextIO]]:
    """What a reader has of it, and what a logger has."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    os.set_blocking(reader, False)
    with os.fdopen(writer, "w", buffering=1) as stream:
        yield reader, stream
        os.close(reader)


def read(reader: int) -> list[str]:
    return os.read(reader, 2 * PIPE_BYTES).decode().splitlines()


@pytest.mark.slow
def test_behind_a_reader_that_has_stopped_lines_are_lost_until_it_reads_again() -> None:
    with pipe() as (reader, stream):
        log = LogStream(stream, patience_seconds=0.5)
        began = time.monotonic()
        for _ in range(100):
            log.write_line(LINE)

        assert time.monotonic() - began < 15  # all but the first one are lost at once
        written = read(reader)
        assert 0 < len(written) < 100
        assert log.lost == 100 - len(written)

        log.write_line(LINE)
        assert read(reader) == [LINE]
        assert log.lost == 0


@pytest.mark.parametrize("character", ["x", "\N{SMILING FACE WITH SUNGLASSES}"])
def test_a_text_that_is_longer_than_the_pipe_holds_nobody_up(character: str) -> None:
    with pipe() as (_, stream):
        log = LogStream(stream, patience_seconds=SHORT_SECONDS)

        log.write_line(character * 2 * PIPE_BYTES)

        assert log.lost == 1


def without_a_reader() -> TextIO:
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w", buffering=1)


def without_space() -> TextIO:
    return Path("/dev/full").open("w", buffering=1)


@pytest.mark.parametrize("unwritable", [without_a_reader, without_space])
def test_a_line_for_which_there_is_no_reader_or_no_space_is_lost(unwritable: Callable[[], TextIO]) -> None:
    stream = unwritable()
    log = LogStream(stream)

    log.write_line(LINE)

    assert log.lost == 1
    with suppress(OSError):  # it would try again to write
        stream.close()


@pytest.mark.usefixtures("logs_as_before")
def test_the_next_line_says_how_many_were_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    with redirect_stderr(stderr):
        configure_logs(LogSettings(format=LogFormat.JSON))

    def fail(_: str) -> int:
        raise BrokenPipeError

    with monkeypatch.context() as patch:
        patch.setattr(stderr, "write", fail)
        structlog.get_logger().info("lost")
        logging.getLogger("some.library").warning("lost, too")
    structlog.get_logger().info("first")
    structlog.get_logger().info("second")

    first, second = map(json.loads, stderr.getvalue().splitlines())
    assert (first["event"], first["lost_lines"]) == ("first", 2)
    assert (second["event"], second.get("lost_lines")) == ("second", None)
