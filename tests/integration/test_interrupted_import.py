"""Processes that are stopped in the middle of an import, and disks that are full."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from gatehouse.accounts.presentation.cli.user_files import BATCH_ROWS
from gatehouse.testing.database import SERVER_ROLE
from tests.integration.conftest import until

pytestmark = pytest.mark.slow

GATEHOUSE: Final = Path(sys.executable).with_name("gatehouse")
ROWS: Final = 3 * BATCH_ROWS + 7
COMPLETE: Final = "".join(f"{json.dumps({'username': f'user.{number}'})}\n" for number in range(ROWS)).encode()

type Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(own_url: str, tmp_path: Path) -> Start:
    environment = {
        **os.environ,
        "GATEHOUSE_APP__ENVIRONMENT": "test",
        "GATEHOUSE_POSTGRES__URL": make_conninfo(own_url, user=SERVER_ROLE),
        "GATEHOUSE_JWT__SECRET": "signs " * 8,
        "GATEHOUSE_PASSWORD__PEPPER": "peppers " * 8,
    }

    def start(
        *arguments: str, max_file_bytes: int = resource.RLIM_INFINITY, ignores_interrupts: bool = False
    ) -> subprocess.Popen[bytes]:
        def limit() -> None:
            # Whatever it is for the tests themselves: behind `&` a shell has it ignored.
            signal.signal(signal.SIGINT, signal.SIG_IGN if ignores_interrupts else signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, max_file_bytes))

        return subprocess.Popen(
            [GATEHOUSE, *arguments],
            cwd=tmp_path,
            env=environment,
            preexec_fn=limit,  # noqa: PLW1509  # this process has no other threads that hold a lock
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return start


@contextmanager
def in_the_middle(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Ends the process whatever happens."""
    try:
        yield
    finally:
        process.kill()
        process.communicate()


def count(owner: psycopg.Connection) -> int:
    [number] = owner.execute("SELECT count(*) FROM users").fetchone() or [0]
    return int(number)


def labels(owner: psycopg.Connection) -> list[str]:
    return [label for (label,) in owner.execute("SELECT subject_label FROM audit_events ORDER BY at, id")]


async def feed(process: subprocess.Popen[bytes], owner: psycopg.Connection) -> None:
    """Three batches but for the end of the file: two of them have gone in when it waits for more."""
    assert process.stdin is not None
    process.stdin.write(COMPLETE[: COMPLETE.rindex(b"\n", 0, -1) + 1])
    process.stdin.flush()

    async def two_are_in() -> bool:
        return count(owner) == 2 * BATCH_ROWS

    await until(two_are_in, 60)


@pytest.mark.promise("Z10")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
async def test_a_run_that_is_stopped_is_gone_on_with_and_no_account_is_there_twice(
    start: Start, own_owner: psycopg.Connection, number: signal.Signals
) -> None:
    first = start("import-users", "-")
    with in_the_middle(first):
        await feed(first, own_owner)
        first.send_signal(number)
        _, told = first.communicate(timeout=60)

    if number is not signal.SIGKILL:
        assert first.returncode == 1
        line = f"gatehouse: interrupted: {2 * BATCH_ROWS} added, 0 there already, 0 refused. Run it again to go on."
        assert [text for text in told.decode().splitlines() if " rows/s" not in text] == [line]
        assert labels(own_owner) == [f"{2 * BATCH_ROWS} added, 0 there already, 0 refused"]
    assert count(own_owner) == 2 * BATCH_ROWS

    second = start("import-users", "-")
    _, told = second.communicate(COMPLETE, timeout=120)

    added = ROWS - 2 * BATCH_ROWS
    assert second.returncode == 0, told
    assert told.decode().splitlines()[-1] == f"gatehouse: {added} added, {2 * BATCH_ROWS} there already, 0 refused."
    assert count(own_owner) == ROWS
    assert labels(own_owner)[-1] == f"{added} added, {2 * BATCH_ROWS} there already, 0 refused"


@pytest.mark.promise("R9")
def test_an_export_onto_a_full_disk_is_one_line_and_leaves_no_file(
    start: Start, own_owner: psycopg.Connection, tmp_path: Path
) -> None:
    filling = start("import-users", "-")
    filling.communicate(COMPLETE, timeout=120)
    assert count(own_owner) == ROWS

    process = start("export-users", "--output", "all.ndjson", max_file_bytes=100_000)
    _, told = process.communicate(timeout=120)

    assert (process.returncode, told) == (1, b"gatehouse: File too large: all.ndjson.\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.promise("R9")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_an_export_that_is_stopped_is_one_line_and_leaves_no_file(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    process = start("export-users", "--output", "all.ndjson")
    with in_the_middle(process):
        while not list(tmp_path.glob(".all.ndjson.*")):  # the draft is opened before the database
            assert process.poll() is None
        process.send_signal(number)
        _, told = process.communicate(timeout=60)

    assert process.returncode == 1
    assert told.decode().splitlines() == ["gatehouse: interrupted; nothing was written."]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.promise("R9")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_what_runs_in_the_background_without_ctrl_c_is_stopped_all_the_same(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    process = start("export-users", "--output", "all.ndjson", ignores_interrupts=True)
    with in_the_middle(process):
        while not list(tmp_path.glob(".all.ndjson.*")):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)

    assert process.returncode == 1
    assert told.decode().splitlines() == ["gatehouse: interrupted; nothing was written."]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.promise("R9")
def test_a_command_that_is_interrupted_before_it_has_begun_shows_no_traceback(start: Start) -> None:
    process = start("export-users")
    with in_the_middle(process):
        while b"pydantic_core" not in Path(f"/proc/{process.pid}/maps").read_bytes():
            assert process.poll() is None  # it imports what it needs
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)

    assert (process.returncode, told) == (-signal.SIGINT, b"")


@pytest.mark.promise("R9")
def test_refusals_onto_a_full_disk_are_one_line_and_what_went_in_stays(
    start: Start, own_owner: psycopg.Connection
) -> None:
    process = start("import-users", "-", max_file_bytes=50_000)
    _, told = process.communicate(b"".join(b'{"username": "u%d"}\n' % number for number in range(9_000)), timeout=120)

    assert process.returncode == 1
    assert told.decode().splitlines()[-1] == "gatehouse: File too large: import.refused."
    assert count(own_owner) == BATCH_ROWS - 1_000  # those of the first batch whose names are long enough
    assert labels(own_owner) == [f"{BATCH_ROWS - 1_000} added, 0 there already, 1000 refused"]
