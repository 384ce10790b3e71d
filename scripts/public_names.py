"""What modules from outside may rely on: every public name with its signature, as docs/public-names.txt lists it.

`.venv/bin/python -m scripts.public_names` writes the list anew. It is read from the source, so that it is the same on
every version of Python.
"""

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from gatehouse.testing.private_imports import PUBLIC

LIST: Final = Path("docs/public-names.txt")
DEPRECATED: Final = "  # deprecated"


def public_names() -> list[str]:
    """A line for each name, sorted."""
    return sorted({line for module in PUBLIC for line in _names_of(module, module)})


def unannounced_changes(released: list[str], present: list[str], announced: str) -> list[str]:
    """A line for each name of a release that has changed or gone without a word of it in `announced`, a part of
    CHANGELOG.md, and for each that has gone without having been deprecated in that release.
    """
    remaining = {_name_in(line) for line in present}
    return [
        *(f"{_name_in(line)}: has changed; say so in CHANGELOG.md" for line in _not_in(present, released, announced)),
        *(
            f"{_name_in(line)}: was not deprecated before it was removed"
            for line in released
            if _name_in(line) not in remaining and not line.endswith(DEPRECATED)
        ),
    ]


def _not_in(present: list[str], released: list[str], announced: str) -> list[str]:
    return [line for line in released if line not in present and _short_name(line) not in announced]


def _name_in(line: str) -> str:
    """`gatehouse.accounts.Users.lock`, of a line of the list."""
    return re.split(r"[:\[ ]", line, maxsplit=1)[0]


def _short_name(line: str) -> str:
    """As a changelog names it: `Users.lock`, `manages`."""
    *_, owner, name = _name_in(line).split(".")
    return f"`{owner}.{name}`" if owner[0].isupper() else f"`{name}`"


def _names_of(module: str, shown_as: str, only: str | None = None) -> Iterator[str]:
    """`only` is a name that another module makes public as its own."""
    body = ast.parse(_source(module)).body
    if only is None and (names := _all_of(body)):
        yield from _reexported(body, shown_as, names)
        return
    for node in body:
        for name, text in _describe(node):
            if not name.startswith("_") and only in (None, name):
                yield f"{shown_as}.{text}" if only is None else f"{shown_as}{text.removeprefix(name)}"
                if isinstance(node, ast.ClassDef):
                    prefix = f"{shown_as}.{name}" if only is None else shown_as
                    yield from (f"{prefix}.{text}" for member in node.body for text in _describe_member(member))


def _all_of(body: list[ast.stmt]) -> set[str]:
    for node in body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def _reexported(body: list[ast.stmt], shown_as: str, names: set[str]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = alias.asname or alias.name
                if name in names:
                    yield from _names_of(node.module, f"{shown_as}.{name}", alias.name)


def _describe_member(node: ast.stmt) -> Iterator[str]:
    for name, text in _describe(node):
        if not name.startswith("_") or name in ("__init__", "__call__", "__aenter__", "__aexit__"):
            yield text


def _describe(node: ast.stmt) -> Iterator[tuple[str, str]]:
    """A name that the statement defines, and the name with its signature."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            wait = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
            returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
            yield (
                node.name,
                f"{node.name}{_type_parameters(node)}: {wait}({ast.unparse(node.args)}){returns}{_mark(node)}",
            )
        case ast.ClassDef():
            bases = ", ".join(map(ast.unparse, [*node.bases, *node.keywords]))
            yield node.name, f"{node.name}{_type_parameters(node)}: class ({bases}){_mark(node)}"
        case ast.AnnAssign(target=ast.Name(id=name)):
            default = f" = {ast.unparse(node.value)}" if node.value is not None else ""
            yield name, f"{name}: {ast.unparse(node.annotation)}{default}"
        case ast.Assign(targets=[ast.Name(id=name)]):
            yield name, f"{name} = {ast.unparse(node.value)}"
        case ast.TypeAlias():
            name = ast.unparse(node.name)
            yield name, f"{name}{_type_parameters(node)}: type = {ast.unparse(node.value)}"
        case _:
            return


def _type_parameters(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.TypeAlias) -> str:
    return f"[{', '.join(map(ast.unparse, node.type_params))}]" if node.type_params else ""


def _mark(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    """`@deprecated("use ... instead")` of typing_extensions."""
    is_deprecated = any(ast.unparse(decorator).startswith("deprecated(") for decorator in node.decorator_list)
    return DEPRECATED if is_deprecated else ""


def _source(module: str) -> str:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise LookupError(f"There is no module {module}.")
    return Path(spec.origin).read_text()


if __name__ == "__main__":
    LIST.write_text("\n".join([*public_names(), ""]))
    print(f"{LIST} is written.")
