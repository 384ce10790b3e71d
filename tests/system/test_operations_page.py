"""What docs/operations.md, and what it says elsewhere of proxies and of scaling: the commands and the settings."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from gatehouse.common.settings import HttpSettings
from tests.system.compose import API, MIGRATE, write_address
from tests.system.debian_postgres import OWNER, DebianPostgres, as_unprivileged, debian_postgres
from tests.system.deployment import OnThisMachine
from tests.system.page import BUILD, INSTALL, INSTALL_EMBEDDED, PROXIES, RUN, SCALE, blocks, fill_in, snippet
from tests.system.processes import free_port, is_taken, run_beside

SETTINGS = [*blocks("sh", PROXIES), *blocks("sh", SCALE)]
CHECK, UPGRADE = snippet("sh", "gatehouse config check"), snippet("sh", "gatehouse migrate\n")


def variables(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines())


def test_each_block_of_commands_is_tried() -> None:
    assert all(block.startswith("GATEHOUSE_") for block in SETTINGS)
    in_the_tests_of_the_wheel = {BUILD, INSTALL, INSTALL_EMBEDDED, RUN}
    assert set(blocks("sh")) == {CHECK, UPGRADE, *in_the_tests_of_the_wheel}


def test_its_settings_are_accepted_in_production(on_this_machine: OnThisMachine) -> None:
    on_this_machine.variables = {name: value for block in SETTINGS for name, value in variables(block).items()}

    result = on_this_machine.run(API, *CHECK.split())

    assert result.returncode == 0, result.stderr
    assert "https://accounts.example.com" in result.stdout


def test_the_roles_that_it_makes_are_enough(on_this_machine: OnThisMachine, secrets: Path) -> None:
    statements = fill_in(
        snippet("sql", "CREATE ROLE"), {"'the owner of the schema'": "'owner'", "'the servers'": "'server'"}
    )
    with debian_postgres(superuser="admin") as postgres:
        with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
            for statement in statements.splitlines():
                connection.execute(statement.encode())
        for secret, user, password in (("url", "gatehouse_server", "server"), ("owner_url", "gatehouse", "owner")):
            address = f"postgresql://{user}:{password}@127.0.0.1:{postgres.port}/gatehouse"
            (secrets / f"postgres_{secret}").write_text(address)
        on_this_machine.prepare()
        with on_this_machine.serve(API):
            assert on_this_machine.log_in().status_code == 204


def test_hosts_and_workers_of_the_example_fit_into_postgresqls_connections() -> None:
    found = re.search(
        r"pool_size \+ (\d+).*?PostgreSQL's (\d+) and (\d+), three hosts with two workers each have a\s"
        r"+`pool_size` of (\d+)",
        SCALE.read_text(), re.DOTALL,
    )  # fmt: skip
    assert found is not None
    others, most, reserved, pool_size = map(int, found.groups())
    assert 3 * 2 * pool_size + others <= most - reserved < 3 * 2 * (pool_size + 1) + others


def test_an_upgrade_migrates_under_a_server_that_serves(migrated: OnThisMachine) -> None:
    commands = fill_in(UPGRADE, {"127.0.0.1:8000": f"127.0.0.1:{migrated.port}"})
    with migrated.serve(API):
        result = migrated.run(MIGRATE, "sh", "-ec", commands)

    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith('{"status":"ok"}')


def test_it_serves_behind_pgbouncer(migrated: OnThisMachine, secrets: Path, postgres: DebianPostgres) -> None:
    migrated.variables = variables(snippet("sh", "GATEHOUSE_POSTGRES__POOLER", SCALE))
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
        snippet("ini", "[databases]", SCALE),
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
    [seconds] = re.findall(r"keepalive_timeout (\d+)s;", snippet("nginx", "upstream gatehouse", PROXIES))
    assert int(seconds) < HttpSettings().keep_alive_seconds
