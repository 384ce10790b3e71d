"""docs/operations.md: the tests start what it says, so that it says what works."""

import re
from collections.abc import Mapping
from typing import Final

from tests.root import ROOT

PAGE: Final = ROOT / "docs/operations.md"


def snippet(language: str, first_line: str) -> str:
    """The block of code in that language that begins so."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    [block] = [block for block in blocks if block.lstrip().startswith(first_line)]
    return str(block)


def fill_in(text: str, values: Mapping[str, object]) -> str:
    """With what is different on this machine: ports, paths."""
    for example, value in values.items():
        assert example in text, f"{PAGE.name} no longer says {example}"
        text = text.replace(example, str(value))
    return text


BUILD: Final = snippet("sh", "pip wheel")
INSTALL: Final = snippet("sh", "python3 -m venv .venv\n")
INSTALL_EMBEDDED: Final = snippet("sh", ".venv/bin/pip")
RUN: Final = snippet("sh", ".venv/bin/gatehouse")
