"""The import rules that import-linter has no contract for. They are listed in pyproject.toml, `[tool.importlinter]`."""

import ast
from abc import abstractmethod
from pathlib import Path
from typing import Any, Final, NamedTuple

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

PACKAGE: Final = "gatehouse"
COMMON: Final = "common"
SETUP: Final = "setup"
MIGRATIONS: Final = "migrations"
TESTING: Final = "testing"
CONSOLE: Final = "console"
MECHANICS: Final = ("infrastructure", "providers", "module")
"""What the console may not use of other modules either."""
PUBLIC: Final = "__init__"

LIST: Final = Path(__file__).parents[1] / "src" / PACKAGE / SETUP / "modules.py"


def listed_modules() -> list[str]:
    """The modules, in the order in which setup/modules.py names them.

    The file is read, not imported: code that breaks a rule can often not be imported at all.
    """
    tree = ast.parse(LIST.read_text())
    modules = {
        alias.name: place_of(node.module).module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and place_of(node.module).part == "module"
        for alias in node.names
    }
    names = sorted((node.lineno, node.col_offset, node.id) for node in ast.walk(tree) if isinstance(node, ast.Name))
    return list(dict.fromkeys(modules[name] for *_, name in names if name in modules))


class Place(NamedTuple):
    """Where a file belongs: `gatehouse.accounts.domain.user` to the part `domain` of the module `accounts`."""

    module: str
    part: str


def place_of(name: str) -> Place:
    _, module, part, *_ = [*name.split("."), "", ""]
    return Place(module, part or PUBLIC)


def imports_in(graph: ImportGraph) -> list[tuple[str, str]]:
    """Importer and imported, both within the package."""
    own = {name for name in graph.modules if name.startswith(f"{PACKAGE}.")}
    return sorted((name, other) for name in own for other in graph.find_modules_directly_imported_by(name) & own)


class ImportContract(Contract):
    """A rule that looks at one import at a time."""

    def __init__(self, name: str, session_options: dict[str, object], contract_options: dict[str, object]) -> None:
        super().__init__(name, session_options, contract_options)
        self.modules = listed_modules()

    @abstractmethod
    def find_fault(self, importer: Place, imported: Place) -> str | None:
        """What is wrong with the import, and what to do about it."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001  # import-linter's signature
        del verbose
        faults = []
        for importer, imported in imports_in(graph):
            if fault := self.find_fault(place_of(importer), place_of(imported)):
                lines = sorted(
                    detail["line_number"] for detail in graph.get_import_details(importer=importer, imported=imported)
                )
                faults.append((f"{importer} (l.{', l.'.join(map(str, lines))}) -> {imported}", fault))
        return ContractCheck(kept=not faults, metadata={"faults": faults})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for found, fault in check.metadata["faults"]:
            output.print_error(f"- {found}", bold=False)
            output.print(f"  {fault}")
            output.new_line()


class ModuleLayers(ImportContract):
    """In a module, and from a module into common, imports stay in their layer or go further in."""

    layers: Any = fields.ListField(subfield=fields.StringField())  # an instance has the list itself

    def find_fault(self, importer: Place, imported: Place) -> str | None:
        if importer.module not in self.modules or imported.module not in (importer.module, COMMON):
            return None
        depths: dict[str, int] = {part: depth for depth, layer in enumerate(self.layers) for part in layer.split(" | ")}
        for place in (importer, imported):
            if place.part not in depths:
                return f"{place.module}/{place.part} is no layer: move it into one, or name it in pyproject.toml."
        if importer.part == imported.part or depths[importer.part] < depths[imported.part]:
            return None
        return (
            f"{importer.module}/{importer.part} may not use {imported.module}/{imported.part}: imports point inwards."
            " Move what is needed further in, or declare a port in application and implement it in infrastructure."
        )


class ModuleOrder(ImportContract):
    """A module uses those before it in the list in setup/modules.py; setup uses all; nobody uses those after setup."""

    def find_fault(self, importer: Place, imported: Place) -> str | None:
        order = [*self.modules, SETUP, MIGRATIONS, TESTING]
        for place in (importer, imported):
            if place.module not in order:
                return f"{place.module} is not in the list of modules: add it to src/gatehouse/setup/modules.py."
        if order.index(importer.module) >= order.index(imported.module):
            return None
        return (
            f"{importer.module} may not use {imported.module}: the order is {', '.join(order)}, and each uses only what"
            f" stands before it. Move what both need into the earlier one, or declare a port in {COMMON} that"
            f" {imported.module} implements."
        )


class PublicNames(ImportContract):
    """Of another module one uses what its `__init__.py` names; setup uses its `module.py`. All of common is open.

    The console is the exception: its pages call the use cases that the API calls, and tell the same errors.

    The helpers of tests are part of this house: their fakes stand behind ports that no other module sees.
    """

    def find_fault(self, importer: Place, imported: Place) -> str | None:
        if imported.module not in self.modules or imported.module in (importer.module, COMMON):
            return None
        if importer.module == TESTING:
            return None
        if importer.module == SETUP:
            if imported.part == "module":
                return None
            return f"setup may use only {imported.module}/module.py: let the module declare there what setup needs."
        if imported.part == PUBLIC or (importer.module == CONSOLE and imported.part not in MECHANICS):
            return None
        return (
            f"{imported.module}/{imported.part} is private. Import the name from {PACKAGE}.{imported.module}; if it is"
            f" not there, add it to {imported.module}/__init__.py or do without it."
        )
