"""How far a benchmark is, on standard error."""

import sys
from collections.abc import Iterator, Sequence

from gatehouse.common.presentation.cli.progress import ProgressReport


def tell(line: str) -> None:
    print(f"== {line}", file=sys.stderr, flush=True)


def told[T](what: str, steps: Sequence[T], unit: str = "measurements") -> Iterator[T]:
    """The steps one by one. Each is done when the next one is asked for."""
    tell(what)
    with ProgressReport(unit) as report:
        for done, step in enumerate(steps, 1):
            yield step
            report.update(done, done / len(steps))
