"""Where a page of a list ended."""

from typing import Protocol


class Cursors(Protocol):
    """Opaque to clients, and theirs to hold, so it is signed. `scope` says which list in which order it belongs to."""

    def encode(self, scope: str, position: tuple[str, ...]) -> str: ...

    def decode(self, scope: str, cursor: str) -> tuple[str, ...]:
        """Raises InvalidError for a cursor that was not made here, or was made for another list or order."""
