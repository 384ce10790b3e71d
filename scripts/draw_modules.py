"""Draw modules and layers into docs/modules.md, from the imports: `.venv/bin/python -m scripts.draw_modules`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import grimp

from scripts.import_contracts import PACKAGE, PUBLIC, SETUP, Place, imports_in, listed_modules, place_of

DOCUMENT: Final = Path(__file__).parents[1] / "docs/modules.md"

_BETWEEN_MARKERS: Final = re.compile(r"(?<=<!-- drawn by scripts/draw_modules.py -->\n).*(?=<!-- end -->)", re.DOTALL)
# The files beside a module's layers put it together. Drawn one by one, their many arrows would hide all others.
_OUTER_FILES: Final = ("module", "providers", "modules", "settings")


def draw_into(document: str) -> str:
    """The document with the diagram that the code asks for."""
    drawn, count = _BETWEEN_MARKERS.subn(f"\n```mermaid\n{draw_modules()}\n```\n\n", document)
    if count != 1:
        raise ValueError(f"{DOCUMENT.name}: the two comments that enclose the diagram are missing.")
    return drawn


def draw_modules() -> str:
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    modules = listed_modules()
    places = {place_of(name) for name in graph.modules}
    lines = ["flowchart TB", f"    {SETUP}"]
    for module in reversed(modules):
        lines += [f"    subgraph {module}", "        direction TB", *_nodes(module, places), "    end"]
    arrows = {
        arrow
        for importer, imported in imports_in(graph)
        if (arrow := _arrow(place_of(importer), place_of(imported), [*modules, SETUP]))
    }
    return "\n".join([*lines, *sorted(arrows)])


def _nodes(module: str, places: set[Place]) -> Iterator[str]:
    parts = {place.part for place in places if place.module == module}
    if files := [f"{file}.py" for file in _OUTER_FILES if file in parts]:
        yield f'        {module}_files["{", ".join(files)}"]'
    for layer in sorted(parts - {*_OUTER_FILES, PUBLIC}):
        yield f'        {_node(Place(module, layer))}["{layer}"]'


def _node(place: Place) -> str:
    return f"{place.module}_{'files' if place.part in _OUTER_FILES else place.part}"


def _arrow(importer: Place, imported: Place, drawn: list[str]) -> str | None:
    """Between two modules, or between two layers of one."""
    if {importer.module, imported.module} - {*drawn}:
        return None
    if importer.module != imported.module:
        return f"    {importer.module} --> {imported.module}"
    if importer.module == SETUP or PUBLIC in (importer.part, imported.part) or _node(importer) == _node(imported):
        return None
    return f"    {_node(importer)} --> {_node(imported)}"


if __name__ == "__main__":
    DOCUMENT.write_text(draw_into(DOCUMENT.read_text()))
