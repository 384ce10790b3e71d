"""Export and import of users, against a bare COPY of the same rows into, and out of, the same table.

PYTHONPATH=. .venv/bin/python -m benchmarks.transfer --rows 1000000
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo

from benchmarks.database import JWT_SECRET, PASSWORD_PEPPER, SERVER_ROLE, embedded_server
from benchmarks.progress import tell, told
from gatehouse.accounts.infrastructure.stored_hashes import pepper_id
from gatehouse.common.infrastructure.migrations import migrate
from gatehouse.common.presentation.cli.progress import ProgressReport
from gatehouse.setup.modules import MODULES

IMPORT_TARGET: Final = 1 / 3
EXPORT_TARGET: Final = 1 / 2
_COLUMNS: Final = "id, username, role, is_active, password_hash, must_change_password, created_at, updated_at"
_FIRST_DAY: Final = datetime(2020, 1, 1, tzinfo=UTC)
_BLOCK: Final = 10_000


@dataclass(frozen=True, slots=True)
class Run:
    seconds: float
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Round:
    """`start` is what the command takes where there is nothing to do, which is no part of a rate."""

    bare: float
    start: float
    run: Run

    def ratio(self, start: float) -> float:
        return self.bare / (self.run.seconds - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with embedded_server() as server_url, tempfile.TemporaryDirectory() as folder:
        url = _empty_database(server_url)
        # A small round first, which warms up, and shows that memory does not grow with the rows.
        small = max(arguments.rows // 10, 1)
        for rows, rounds in ((small, 1), (arguments.rows, arguments.rounds)):
            _measure(url, Path(folder), rows, rounds)


def _measure(url: str, folder: Path, rows: int, rounds: int) -> None:
    tell(f"{rows} rows: writing the file")
    _write_file(folder / "users.ndjson", rows)
    _write_file(folder / "one.ndjson", 1)
    imports, exports = [], []
    for _ in told(f"{rows} rows", range(rounds), "rounds"):
        imported, exported = _measure_once(url, folder, rows)
        imports.append(imported)
        exports.append(exported)
    _show("import", rows, imports, IMPORT_TARGET)
    _show("export", rows, exports, EXPORT_TARGET)


def _measure_once(url: str, folder: Path, rows: int) -> tuple[Round, Round]:
    output = ("--with-hashes", "--output", str(folder / "exported.ndjson"))
    _empty(url)
    export_start = _run(url, "export-users", *output).seconds
    copy_in = _timed(url, lambda: _copy_in(url, rows))
    copy_out = _timed(url, lambda: _copy_out(url, folder / "users.copy"))
    exported = _run(url, "export-users", *output)
    _empty(url)
    import_start = _run(url, "import-users", str(folder / "one.ndjson")).seconds
    _empty(url)
    imported = _run(url, "import-users", str(folder / "users.ndjson"))
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (rows,)
    return Round(copy_in, import_start, imported), Round(copy_out, export_start, exported)


def _show(name: str, rows: int, rounds: list[Round], target: float) -> None:
    start = median(one.start for one in rounds)
    ratio = median(one.ratio(start) for one in rounds)
    rate = rows / median(one.run.seconds - start for one in rounds)
    print(
        f"{name} of {rows}: {rate:.0f} rows/s, bare COPY {rows / median(one.bare for one in rounds):.0f} rows/s, "
        f"ratio {ratio:.2f} ({', '.join(f'{one.ratio(start):.2f}' for one in rounds)}; target {target:.2f}, "
        f"{'met' if ratio >= target else 'MISSED'}), start {start:.1f} s, "
        f"peak {max(one.run.peak_mib for one in rounds):.0f} MiB",
        flush=True,
    )


def _empty_database(server_url: str) -> str:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS transfer WITH (FORCE)")
        connection.execute("CREATE DATABASE transfer")
    url = make_conninfo(server_url, dbname="transfer")
    migrate(url, MODULES.migration_lines, server_role=SERVER_ROLE)
    return url


def _empty(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE users CASCADE")
        connection.execute("CHECKPOINT")


def _row(number: int) -> tuple[str, ...]:
    """Names come in no order, ids in that of time, as Gatehouse makes them; hashes have the length of real ones."""
    mixed = number * 2_654_435_761 % 2**32
    at = (_FIRST_DAY + timedelta(seconds=number)).isoformat()
    password_hash = f"v1${pepper_id(PASSWORD_PEPPER)}$$2b$12${mixed:021}.{number:031}"
    return (
        str(UUID(int=number << 80 | 7 << 76 | 2 << 62 | mixed)),
        f"user{mixed:010}",
        "user",
        "true",
        password_hash,
        "false",
        at,
        at,
    )


def _blocks(rows: int, line: Callable[[tuple[str, ...]], str]) -> Iterator[str]:
    with ProgressReport() as report:
        for start in range(0, rows, _BLOCK):
            end = min(start + _BLOCK, rows)
            yield "".join(line(_row(number)) for number in range(start, end))
            report.update(end, end / rows)


def _write_file(file: Path, rows: int) -> None:
    with file.open("w") as target:
        for block in _blocks(rows, _json_line):
            target.write(block)


def _json_line(row: tuple[str, ...]) -> str:
    user_id, username, role, is_active, password_hash, must_change, created_at, updated_at = row
    return (
        f'{{"id":"{user_id}","username":"{username}","role":"{role}","is_active":{is_active},'
        f'"must_change_password":{must_change},"created_at":"{created_at}","updated_at":"{updated_at}",'
        f'"password_hash":"{password_hash}"}}\n'
    )


def _timed(url: str, measure: Callable[[], float]) -> float:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    return measure()


def _copy_in(url: str, rows: int) -> float:
    """The time in which the rows are sent and stored; making them is not counted."""
    _empty(url)
    with tempfile.TemporaryFile("w+b") as made:
        for block in _blocks(rows, lambda row: "\t".join(row) + "\n"):
            made.write(block.encode())
        began, size = time.perf_counter(), made.seek(0, os.SEEK_END)
        made.seek(0)
        with psycopg.connect(url) as connection:
            copying = connection.cursor().copy(f"COPY users ({_COLUMNS}) FROM STDIN")
            with copying as copy, ProgressReport() as report:
                while chunk := made.read(1 << 20):
                    copy.write(chunk)
                    share = made.tell() / size
                    report.update(round(rows * share), share)
            connection.commit()
        return time.perf_counter() - began


def _copy_out(url: str, file: Path) -> float:
    """As psql does it: libpq, row by row, into a file."""
    with psycopg.connect(url) as connection, file.open("wb") as target:
        began = time.perf_counter()
        connection.pgconn.exec_(b"COPY users TO STDOUT")
        while True:
            size, row = connection.pgconn.get_copy_data(0)
            if size <= 0:
                break
            target.write(row)
        target.flush()
        seconds = time.perf_counter() - began
        while connection.pgconn.get_result() is not None:
            pass
    return seconds


def _run(url: str, *arguments: str) -> Run:
    """The whole process, from its start."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    environment = {
        **os.environ,
        "GATEHOUSE_APP__ENVIRONMENT": "test",
        "GATEHOUSE_POSTGRES__URL": make_conninfo(url, user=SERVER_ROLE),
        "GATEHOUSE_JWT__SECRET": JWT_SECRET,
        "GATEHOUSE_PASSWORD__PEPPER": PASSWORD_PEPPER,
    }
    began = time.perf_counter()
    process = subprocess.Popen([str(Path(sys.executable).with_name("gatehouse")), *arguments], env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{arguments[0]} failed"
    return Run(seconds, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
