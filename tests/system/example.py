"""The example service: where it is, and the walk through it on its page."""

import re
from pathlib import Path
from typing import Final

from tests.root import ROOT

EXAMPLE: Final = "examples/lending"
CHIEF: Final = {"username": "chief", "password": "violet kettle under thirteen maples"}


def walk_of(checkout: Path = ROOT, url: str = "http://127.0.0.1:8000") -> str:
    """As a script. It leaves chief's session in `chief.jar`."""
    page = (checkout / EXAMPLE / "README.md").read_text()
    [walk] = re.findall(r"^```sh\n(API=.*?)^```", page, re.DOTALL | re.MULTILINE)
    return str(walk).replace("http://127.0.0.1:8000", url)
