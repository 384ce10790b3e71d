"""How far a long command is, on standard error: a bar where there is a terminal, else a line every few seconds."""

from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import Final, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

_PAUSE_SECONDS: Final = 5.0


class ProgressReport:
    """Rows, or what else is counted, so far; the rate, where it is one a second or more; the share done and the time
    left, where it is known how much there is.
    """

    def __init__(self, unit: str = "rows", *, is_shown: bool = True) -> None:
        self._unit = unit
        self._began = self._told = monotonic()
        self._is_shown = is_shown
        console = Console(stderr=True)
        has_bar = is_shown and console.is_terminal and not console.is_dumb_terminal
        self._bar = Progress(BarColumn(), TextColumn("{task.description}"), console=console) if has_bar else None
        self._task = self._bar.add_task("", total=None) if self._bar else None

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the bar, so that what is printed from now on stands below it."""
        if self._bar:
            with suppress(OSError):
                self._bar.stop()

    def update(self, count: int, share: float | None) -> None:
        """`share` is None where nobody knows how much there is."""
        now = monotonic()
        text = describe(count, self._unit, share, now - self._began)
        if self._bar and self._task is not None:
            self._bar.update(self._task, description=text, total=None if share is None else 1.0, completed=share or 0.0)
        elif self._is_shown and now - self._told >= _PAUSE_SECONDS:
            self._told = now
            with suppress(OSError):  # where nobody can read it, all else goes on
                typer.echo(f"gatehouse: {text}", err=True)


def describe(count: int, unit: str, share: float | None, seconds: float) -> str:
    parts = [f"{_grouped(count)} {unit}"]
    if rate := round(count / max(seconds, 0.001)):
        parts.append(f"{_grouped(rate)} {unit}/s")
    if share is not None:
        parts.append(f"{share:.0%}")
    if share:
        minutes, rest = divmod(round(seconds * (1 - share) / share), 60)
        parts.append(f"{minutes}:{rest:02} left")
    return ", ".join(parts)


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")
