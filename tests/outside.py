"""Packages of modules from outside, written for one test."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Final

import pytest

from gatehouse.common.infrastructure.metadata import metadata

MODULE: Final = """
    from gatehouse.common.modules import Module

    MODULE = Module(name="loans")
"""


def write_package(folder: Path, package: str = "acme.loans", **files: str) -> None:
    """`files` by their names without .py, with `__` for a folder; each folder on the way is a package."""
    for name, text in {"module": MODULE, **files}.items():
        path = folder.joinpath(*package.split("."), *name.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        for parent in path.relative_to(folder).parents:
            if parent != Path():
                (folder / parent / "__init__.py").touch()


@contextmanager
def importable(folder: Path, distribution: str = "acme") -> Iterator[None]:
    """Afterwards, as if it had never been imported: other tests look at all tables."""
    tables = set(metadata.tables)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        try:
            yield
        finally:
            for name in set(metadata.tables) - tables:
                metadata.remove(metadata.tables[name])
            for name in [name for name in sys.modules if name.split(".")[0] == distribution]:
                del sys.modules[name]
