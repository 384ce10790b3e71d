"""How easily a password is guessed: Dropbox's estimator zxcvbn, and a list of passwords that everyone knows."""

from pathlib import Path
from threading import Lock
from typing import Final

from zxcvbn import zxcvbn

from gatehouse.accounts.domain.password import normalize
from gatehouse.common.infrastructure.bounded_threads import BoundedThreads

_SERVICE: Final = "gatehouse"
_JUDGED_LENGTH: Final = 32
"""The estimator's work grows fast with the length. What begins well enough needs no look at its end."""
_MIN_GUESSES: Final = 10**10
"""zxcvbn's highest score: beyond what an offline attack on a slow hash gets through."""
_DEFAULT_REASON: Final = "Is too easy to guess. Add a few more words that do not belong together."
# The estimator keeps the words of the user at hand in a global of its module.
_ONE_AT_A_TIME: Final = Lock()
SHIPPED_BLOCKLIST: Final = Path(__file__).with_name("blocklist.txt")


class ZxcvbnPasswordStrength:
    """Runs off the event loop. The list is compared without regard to case and blanks."""

    def __init__(self, blocklist: Path, threads: BoundedThreads) -> None:
        self._blocked = frozenset(
            _folded(line) for line in blocklist.read_text(encoding="utf-8").splitlines() if line.strip()
        )
        self._threads = threads

    async def find_weakness(self, password: str, username: str) -> str | None:
        if _folded(password) in self._blocked:
            return "Is a password that everyone knows."
        return await self._threads.run(lambda: _weakness(normalize(password), username))


def _weakness(password: str, username: str) -> str | None:
    with _ONE_AT_A_TIME:
        result = zxcvbn(password[:_JUDGED_LENGTH], user_inputs=[username, _SERVICE])
    if result["guesses"] >= _MIN_GUESSES:
        return None
    return str(result["feedback"]["warning"]) or _DEFAULT_REASON


def _folded(password: str) -> str:
    return "".join(normalize(password).casefold().split())
