"""Which names of Gatehouse a package uses that are Gatehouse's own.

For a service of one's own:

    def test_of_gatehouse_only_public_names_are_used() -> None:
        check_private_imports("acme")
"""

import ast
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

PUBLIC: Final = (
    "gatehouse.accounts",
    "gatehouse.common.application.encoded_json",
    "gatehouse.common.application.metrics",
    "gatehouse.common.application.paging",
    "gatehouse.common.application.ports",
    "gatehouse.common.application.use_case",
    "gatehouse.common.domain.audit",
    "gatehouse.common.domain.errors",
    "gatehouse.common.domain.request_context",
    "gatehouse.common.infrastructure.keyset",
    "gatehouse.common.infrastructure.metadata",
    "gatehouse.common.infrastructure.replica.query_database",
    "gatehouse.common.infrastructure.status",
    "gatehouse.common.infrastructure.transaction",
    "gatehouse.common.modules",
    "gatehouse.common.presentation.cli.run_use_case",
    "gatehouse.common.presentation.http.access",
    "gatehouse.common.presentation.http.bodies",
    "gatehouse.common.presentation.http.query",
    "gatehouse.common.presentation.http.route",
    "gatehouse.common.presentation.http.settings",
    "gatehouse.common.settings",
    "gatehouse.migrations.concurrently",
    *(
        f"gatehouse.testing.{name}"
        for name in (
            "answers",
            "command_line",
            "completeness",
            "contract",
            "database",
            "declaration",
            "fakes",
            "faults",
            "harness",
            "in_memory_app",
            "matrix",
            "migrations",
            "paging",
            "plugin",
            "private_imports",
            "races",
            "run_app",
            "running_app",
            "trail",
        )
    ),
)
"""Whose names modules from outside may use: those of `__all__`, or all where there is none."""


def check_private_imports(package: str) -> None:
    """In the package and all below it. The whole list, in a test that fails."""
    if lines := private_imports(package):
        pytest.fail("\n".join(lines), pytrace=False)


def private_imports(package: str) -> list[str]:
    """A line for each, with file and line."""
    spec = find_spec(package)
    folders = (spec.submodule_search_locations or []) if spec else []
    files = sorted(file for folder in folders for file in Path(folder).rglob("*.py"))
    if not files:
        raise LookupError(f"There is no package {package}.")
    modules = {
        ".".join((package, *file.parent.relative_to(folder).parts)): file.parent
        for folder in folders
        for file in Path(folder).rglob("module.py")
    }
    return [f"{file}:{line}: {mistake}" for file in files for line, mistake in _mistakes(file, modules)]


def _mistakes(file: Path, modules: Mapping[str, Path]) -> Iterator[tuple[int, str]]:
    others = {name: folder for name, folder in modules.items() if not file.is_relative_to(folder)}
    for line, name in _imported(ast.parse(file.read_text())):
        if mistake := _judge(name) or _judge_other_modules(name, others):
            yield line, mistake


def _imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _judge_other_modules(name: str, others: Mapping[str, Path]) -> str | None:
    """A file or a folder of one is private; whatever else its __init__.py has is for all."""
    for module, folder in others.items():
        if name.startswith(f"{module}."):
            part = name.removeprefix(f"{module}.").partition(".")[0]
            if (folder / part).is_dir() or (folder / f"{part}.py").is_file():
                return f"{name} is {module}'s own: use what its __init__.py imports."
    return None


def _judge(name: str) -> str | None:
    """`gatehouse.accounts.Role`, as if it had been imported by its full name."""
    top, *rest = name.split(".")
    if top != "gatehouse" or not rest:
        return None
    module = next((module for module in PUBLIC if f"{name}.".startswith(f"{module}.")), None)
    if module is None:
        return f"{name} is Gatehouse's own: use what docs/public-names.txt lists, or do without it."
    public = getattr(import_module(module), "__all__", None)
    used = name.removeprefix(module).removeprefix(".")
    if public is None or not used or used in public:
        return None
    return f"{name} is Gatehouse's own: use what {module} names in its __init__.py, or do without it."
