"""The example, as its first reader gets it: copied into an empty folder, on the built wheel, without a checkout."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest

from tests.root import ROOT
from tests.system.example import CHIEF, EXAMPLE, walk_of
from tests.system.wheel import Environment, empty_folder

NAMES_CONSOLE = re.compile(r"from gatehouse\.(?:console|testing\.declarations\.console)\b")


def copy_example(to: Path) -> None:
    """What a checkout has of it, and nothing that was made since."""
    files = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", EXAMPLE], cwd=ROOT, text=True
    )
    for file in files.splitlines():
        target = to / Path(file).relative_to(EXAMPLE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, target)


@pytest.fixture(scope="session")
def lending(wheel: Path) -> Iterator[Environment]:
    """With its environment, in which Gatehouse comes from the wheel."""
    with empty_folder() as environment:
        copy_example(environment.folder)
        environment.install(f"make .venv/.installed GATEHOUSE='{wheel}'")
        yield environment


@pytest.fixture(scope="session")
def walk(lending: Environment) -> str:
    """What the walk of its page prints."""
    with lending.serve("make run") as url:
        result = lending.run(walk_of(url=url))
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_gatehouse_is_that_of_the_wheel(lending: Environment) -> None:
    where = lending.run(".venv/bin/python -c 'import gatehouse; print(gatehouse.__file__)'").stdout

    assert where.startswith(str(lending.folder / ".venv"))


def test_its_own_wheel_has_its_migrations_and_needs_no_embedded_postgresql(lending: Environment) -> None:
    lending.install(".venv/bin/pip wheel --quiet --no-deps --wheel-dir dist .")

    [wheel] = lending.folder.glob("dist/*.whl")
    with ZipFile(wheel) as packed:
        assert "lending/loans/migrations/0001_create_items_and_loans.py" in packed.namelist()
        [metadata] = [name for name in packed.namelist() if name.endswith("/METADATA")]
        needed = re.findall(r"^Requires-Dist: (.+)$", packed.read(metadata).decode(), re.MULTILINE)
    assert [need for need in needed if "extra ==" not in need] == ["gatehouse>=0.2.dev0,<0.3"]


@pytest.mark.parametrize("target", ["test", "check"])
def test_its_tests_and_checks_pass(lending: Environment, target: str) -> None:
    result = lending.run(f"make {target}")

    assert result.returncode == 0, result.stdout + result.stderr


def test_its_tests_pass_on_a_wheel_without_the_console(lending: Environment, wheel: Path, tmp_path: Path) -> None:
    with ZipFile(wheel) as packed:
        packed.extractall(tmp_path)
    package = tmp_path / "gatehouse"
    shutil.rmtree(package / "console")
    for file in (package / "setup/modules.py", package / "testing/under_test.py"):
        lines = [line for line in file.read_text().splitlines() if not NAMES_CONSOLE.match(line)]
        file.write_text("\n".join(lines).replace(", CONSOLE]", "]").replace(", CONSOLE_TESTS)", ")"))

    result = lending.run(f"PYTHONPATH={tmp_path} make test")
    assert result.returncode == 0, result.stdout + result.stderr
    missing = lending.run(f"PYTHONPATH={tmp_path} .venv/bin/python -c 'import gatehouse.console'")
    assert "ModuleNotFoundError" in missing.stderr


def test_the_walk_of_its_page_lends_an_item_and_takes_it_back(walk: str) -> None:
    assert re.findall(r"HTTP/1.1 (\d+)", walk) == ["204", "201", "201", "201", "200", "204", "200"]
    assert '"item":"drill","username":"alice"' in walk
    assert re.findall(r'"action":"(\w+)"', walk)[:3] == ["give_back_item", "lend_item", "add_item"]


def test_its_command_is_one_of_the_command_line(lending: Environment, walk: str) -> None:
    assert walk
    result = lending.run(".venv/bin/gatehouse overdue-loans")

    assert (result.returncode, result.stdout, result.stderr) == (0, "Nothing is overdue.\n", "")


def test_a_new_migration_is_written_beside_the_others_and_is_empty(lending: Environment) -> None:
    result = lending.run('.venv/bin/gatehouse new-migration loans "add nothing"')

    assert result.returncode == 0, result.stderr
    written = lending.folder / "src/lending/loans/migrations/0002_add_nothing.py"
    text = written.read_text()
    written.unlink()
    assert 'down_revision = "0001"' in text.replace("'", '"')
    assert "op." not in text.partition("def upgrade")[2]


def test_without_its_module_the_service_goes_on_and_still_tells_what_happened(lending: Environment, walk: str) -> None:
    assert walk
    config = lending.folder / "config.toml"
    with_module = config.read_text()
    config.write_text("")
    try:
        with lending.serve("make run") as url, httpx.Client(base_url=f"{url}/api/v1", timeout=60) as chief:
            assert chief.post("/account/login", json=CHIEF).status_code == 204
            assert chief.get("/loans/").status_code == 404
            actions = [event["action"] for event in chief.get("/audit/").json()["events"]]
    finally:
        config.write_text(with_module)

    assert {"add_item", "lend_item", "give_back_item"} < set(actions)
