"""What docs/operations.md says of one's own machine: its commands and its settings."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gatehouse.common.settings import HttpSettings
from tests.system.compose import API, MIGRATE, write_address
from tests.system.debian_postgres import OWNER, DebianPostgres, as_unprivileged
from tests.system.deployment import OnThisMachine
from tests.system.page import BUILD, INSTALL, INSTALL_EMBEDDED, PAGE, RUN, fill_in, snippet
from tests.system.processes import free_port, is_taken, run_beside

BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
SETTINGS = [block for block in BLOCKS if block.startswith("GATEHOUSE_")]
UPGRADE = "gatehouse migrate\n"


def variables(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines())


def test_each_block_of_commands_is_tried() -> None:
    assert len(SETTINGS) == 2
    in_the_tests_of_the_wheel = {BUILD, INSTALL, INSTALL_EMBEDDED, RUN}
    assert {block for block in BLOCKS if not block.startswith(UPGRADE)} == {*SETTINGS, *in_the_tests_of_the_wheel}


def test_its_settings_are_accepted_in_production(on_this_machine: OnThisMachine) -> None:
    on_this_machine.variables = {name: value for block in SETTINGS for name, value in variables(block).items()}

    result = on_this_machine.run(API, "gatehouse", "config", "check")

    assert result.returncode == 0, result.stderr
    assert "https://accounts.example.com" in result.stdout


def test_an_upgrade_migrates_under_a_server_that_serves(migrated: OnThisMachine) -> None:
    commands = fill_in(snippet("sh", UPGRADE), {"127.0.0.1:8000": f"127.0.0.1:{migrated.port}"})
    with migrated.serve(API):
        result = migrated.run(MIGRATE, "sh", "-ec", commands)

    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith('{"status":"ok"}')


def test_it_serves_behind_pgbouncer(migrated: OnThisMachine, secrets: Path, postgres: DebianPostgres) -> None:
    migrated.variables = variables(snippet("sh", "GATEHOUSE_POSTGRES__POOLER"))
    with pgbouncer(postgres, (secrets / "server_password").read_text()) as port:
        write_address(secrets / "postgres_url", port, instead_of=f"127.0.0.1:{postgres.port}")
        with migrated.serve(API):
            assert migrated.status("/readyz") == 200
            assert migrated.log_in().status_code == 204


@contextmanager
def pgbouncer(postgres: DebianPostgres, password: str) -> Iterator[int]:
    """As the page shows it; gives back its port."""
    port, users, config = free_port(), postgres.folder / "users", postgres.folder / "pgbouncer.ini"
    text = fill_in(
        snippet("ini", "[databases]"),
        {"port=5432": f"port={postgres.port}", "port = 6432": f"port = {port}", "/etc/pgbouncer/users": users},
    )
    users.write_text(f'"gatehouse_server" "{password}"\n')
    config.write_text(f"{text}unix_socket_dir =\n")
    for path in (users, config):
        path.chmod(0o644)
    command = as_unprivileged(["pgbouncer", config], OWNER)
    with run_beside(command, lambda: is_taken(port), postgres.folder / "pgbouncer.log"):
        yield port


def test_nginx_closes_an_idle_connection_before_gatehouse_does() -> None:
    [seconds] = re.findall(r"keepalive_timeout (\d+)s;", snippet("nginx", "upstream gatehouse"))
    assert int(seconds) < HttpSettings().keep_alive_seconds
