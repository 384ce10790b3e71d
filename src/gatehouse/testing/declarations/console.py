"""What the tests of every module need to know of the console: it has pages, and no use cases of its own."""

from typing import Final

from gatehouse.console.module import CONSOLE
from gatehouse.testing.declaration import ModuleTests

CONSOLE_TESTS: Final = ModuleTests(module=CONSOLE, package="gatehouse.console")
