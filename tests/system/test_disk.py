"""The embedded PostgreSQL on a disk that is full or cannot be written, which root makes as a file system in memory."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from psycopg.conninfo import make_conninfo

from gatehouse.common.infrastructure.embedded_postgres import embedded_postgres
from gatehouse.common.infrastructure.grants import ensure_role
from gatehouse.common.infrastructure.migrations import migrate
from gatehouse.common.settings import Settings
from gatehouse.setup.modules import MODULES
from gatehouse.testing.answers import assert_problem
from gatehouse.testing.database import SERVER_ROLE
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import client_from, on_database
from tests.conftest import copy_cluster
from tests.integration.conftest import until

GATEHOUSE = Path(sys.executable).with_name("gatehouse")
DISK_MEGABYTES = 150
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    size = f"size={DISK_MEGABYTES}m"
    if subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", size, "tmpfs", disk], check=False).returncode:
        pytest.skip("this container may not mount a small disk")
    disk.chmod(0o755)
    yield disk
    subprocess.run(["/bin/umount", disk], check=True)


def fill(disk: Path) -> Path:
    """With one file, until there is no space left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


def refusal(data_dir: Path, *arguments: str) -> str:
    """Of the command line, which has one line and nothing else to say."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GATEHOUSE_")}
    environ |= {
        "GATEHOUSE_APP__ENVIRONMENT": "test",
        "GATEHOUSE_JWT__SECRET": "signs " * 8,
        "GATEHOUSE_PASSWORD__PEPPER": "peppers " * 8,
        "GATEHOUSE_POSTGRES__DATA_DIR": str(data_dir),
    }
    ended = subprocess.run(
        [GATEHOUSE, *arguments], env=environ, cwd="/", capture_output=True, text=True, check=False, timeout=120
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith("gatehouse: ")
    return line


async def sign_up(client: httpx.AsyncClient, number: int) -> httpx.Response:
    return await client.post("/api/v1/account/signup", json={"username": f"user{number}", "password": PASSWORD})


@pytest.mark.promise("R9")
@pytest.mark.parametrize("command", ["migrate", "serve"])
def test_a_disk_that_is_read_only_is_one_line(disk: Path, command: str) -> None:
    copy_cluster(disk / "postgres")
    subprocess.run(["/bin/mount", "-o", "remount,ro", disk], check=True)

    assert "(Read-only file system): see postgres.data_dir" in refusal(disk / "postgres", command)


@pytest.mark.promise("R9")
@pytest.mark.parametrize("command", ["migrate", "serve"])
def test_a_full_disk_on_which_the_server_does_not_start_is_one_line(disk: Path, command: str) -> None:
    copy_cluster(disk / "postgres")
    fill(disk)

    assert "did not start" in refusal(disk / "postgres", command)


@pytest.mark.promise("R9")
def test_a_disk_that_is_too_small_for_a_new_cluster_is_one_line(disk: Path) -> None:
    fill(disk)

    assert "was not made: initdb: error: could not write" in refusal(disk / "postgres", "migrate")


@pytest.mark.promise("R9")
def test_a_migration_that_fills_the_disk_is_one_line(disk: Path) -> None:
    data_dir = copy_cluster(disk / "postgres")
    with embedded_postgres(data_dir):
        fill(disk)

        assert "No space left on device" in refusal(data_dir, "migrate")


@pytest.mark.promise("R9")
async def test_a_disk_that_fills_up_is_unavailable_until_there_is_space_again(disk: Path, settings: Settings) -> None:
    data_dir = copy_cluster(disk / "postgres")
    with embedded_postgres(data_dir) as url:
        ensure_role(url, SERVER_ROLE)
        migrate(url, MODULES.migration_lines, server_role=SERVER_ROLE)
        async with run_app(on_database(settings, make_conninfo(url, user=SERVER_ROLE))) as app:
            numbers = iter(range(10_000, 20_000))
            ballast = fill(disk)

            async def fails() -> bool:
                number = next(numbers)
                answer = await sign_up(await client_from(app, f"2001:db8:{number:x}::1"), number)
                if answer.status_code == 201:
                    return False
                assert_problem(answer, "unavailable")
                return True

            async def succeeds() -> bool:
                return not await fails()

            await until(fails, seconds=120)
            assert (await (await app.client()).get("/livez")).status_code == 200

            ballast.unlink()
            await until(succeeds, seconds=120)
