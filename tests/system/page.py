"""The pages for operators: the tests start what they say, so that they say what works."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.root import ROOT

PAGE: Final = ROOT / "docs/operations.md"
FOLDER: Final = ROOT / "docs/operations"
PROXIES: Final = FOLDER / "proxies.md"
SCALE: Final = FOLDER / "scale.md"


def blocks(language: str, page: Path = PAGE) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def snippet(language: str, first_line: str, page: Path = PAGE) -> str:
    """The block of code in that language that begins so."""
    [block] = [block for block in blocks(language, page) if block.lstrip().startswith(first_line)]
    return block


def fill_in(text: str, values: Mapping[str, object]) -> str:
    """With what is different on this machine: ports, paths."""
    for example, value in values.items():
        assert example in text, f"the page no longer says {example}"
        text = text.replace(example, str(value))
    return text


BUILD: Final = snippet("sh", "pip wheel")
INSTALL: Final = snippet("sh", "python3 -m venv .venv\n")
INSTALL_EMBEDDED: Final = snippet("sh", ".venv/bin/pip")
RUN: Final = snippet("sh", ".venv/bin/gatehouse")
