"""The line to blame is found by the name of the package, wherever its files are."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gatehouse.common.settings import ConfigError
from gatehouse.setup.load_settings import load_settings
from gatehouse.setup.modules import with_modules
from tests.outside import importable, write_package

CALLS = "import shelf.books\n\nshelf.books.take()\n"
FAILS = "def take():\n    raise KeyError('none')\n"


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigError) as caught:
        call()
    return str(caught.value)


def test_a_library_beside_it_is_not_blamed_whatever_the_checkout_is_called(tmp_path: Path) -> None:
    checkout = tmp_path / "acme"
    write_package(checkout, module=CALLS)
    write_package(checkout, "shelf", books=FAILS)

    with importable(checkout), importable(checkout, "shelf"):
        line = refusal(lambda: with_modules(["acme.loans"]))

    assert f": {checkout}/acme/loans/module.py, line 3: KeyError: " in line


def test_a_package_whose_files_are_in_another_folder_is_blamed(tmp_path: Path) -> None:
    write_package(tmp_path / "code", "loans", module=CALLS)
    write_package(tmp_path, "shelf", books=FAILS)
    write_package(tmp_path, "acme")
    (tmp_path / "acme/__init__.py").write_text(f"__path__ = [{str(tmp_path / 'code')!r}]\n")

    with importable(tmp_path), importable(tmp_path, "shelf"):
        line = refusal(lambda: with_modules(["acme.loans"]))

    assert f": {tmp_path}/code/loans/module.py, line 3: KeyError: " in line


def test_a_package_whose_name_begins_alike_is_not_blamed(tmp_path: Path) -> None:
    write_package(tmp_path, module=CALLS.replace("shelf", "acme_shelf"))
    write_package(tmp_path, "acme_shelf", books=FAILS)

    with importable(tmp_path), importable(tmp_path, "acme_shelf"):
        line = refusal(lambda: with_modules(["acme.loans"]))

    assert f": {tmp_path}/acme/loans/module.py, line 3: KeyError: " in line


def test_a_check_of_settings_is_blamed_and_not_what_it_calls(tmp_path: Path) -> None:
    module = """
    import shelf.books
    from gatehouse.common.modules import Module

    MODULE = Module(name="loans", ensure_safe=lambda settings: shelf.books.take())
    """
    write_package(tmp_path, module=module)
    write_package(tmp_path, "shelf", books=FAILS)
    (tmp_path / "config.toml").write_text('[app]\nmodules = ["acme.loans"]\n')

    with importable(tmp_path), importable(tmp_path, "shelf"):
        line = refusal(lambda: load_settings(tmp_path / "config.toml", {}))

    assert line.endswith(f": {tmp_path}/acme/loans/module.py, line 5: KeyError.")
