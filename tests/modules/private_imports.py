"""Which names of Gatehouse a package uses that are Gatehouse's own."""

import ast
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_OPEN: Final = ("gatehouse.common", "gatehouse.testing", "gatehouse.migrations.concurrently")
"""With all that is below. Of any other module, only what its `__init__.py` names in `__all__`."""


def private_imports(package: str) -> list[str]:
    """A line for each, with file and line; an empty list is what a module's test asks for."""
    spec = find_spec(package)
    folders = (spec.submodule_search_locations or []) if spec else []
    files = sorted(file for folder in folders for file in Path(folder).rglob("*.py"))
    if not files:
        raise LookupError(f"There is no package {package}.")
    return [f"{file}:{line}: {mistake}" for file in files for line, mistake in _mistakes(ast.parse(file.read_text()))]


def _mistakes(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if mistake := _judge(alias.name):
                    yield node.lineno, mistake
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                if mistake := _judge(f"{node.module}.{alias.name}"):
                    yield node.lineno, mistake


def _judge(name: str) -> str | None:
    """`gatehouse.accounts.Role`, as if it had been imported by its full name."""
    top, module, *rest = [*name.split("."), ""]
    is_open = any(name == other or name.startswith(f"{other}.") for other in _OPEN)
    if top != "gatehouse" or is_open or not module:
        return None
    public = getattr(import_module(f"gatehouse.{module}"), "__all__", ())
    rest = [part for part in rest if part]
    if public and (not rest or (len(rest) == 1 and rest[0] in public)):
        return None
    if not public:
        return f"{name} is Gatehouse's own, as is all of gatehouse.{module}: do without it."
    return f"{name} is Gatehouse's own: use what gatehouse.{module} names in its __init__.py, or do without it."
