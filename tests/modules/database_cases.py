"""What Gatehouse's own suite puts into a module's tables, to see how its queries are answered."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import LiteralString

from gatehouse.testing.declaration import no_seed
from gatehouse.testing.running_app import RunningApp


@dataclass(frozen=True, kw_only=True)
class DatabaseCases:
    replica_seed: Callable[[RunningApp], Awaitable[None]] = no_seed
    replica_change: tuple[LiteralString, ...] = ()
    """Statements after which every query of the module has another answer."""
    million_rows: tuple[LiteralString, ...] = ()
    """Rows for test_plans.py, beside a million users."""
