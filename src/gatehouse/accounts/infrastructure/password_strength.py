"""How easily a password is guessed: Dropbox's estimator zxcvbn, and a blocklist of common passwords."""

from pathlib import Path
from threading import Lock
from typing import Final

from zxcvbn import zxcvbn

from gatehouse.accounts.domain.password import normalize
from gatehouse.common.infrastructure.bounded_threads import BoundedThreads

_SERVICE: Final = "gatehouse"
_ESTIMATED_LENGTH: Final = 32
"""The estimator's work grows fast with the length. A password whose beginning is strong enough is strong enough."""
_MIN_GUESSES: Final = 10**10
"""zxcvbn's highest score: beyond what an offline attack on a slow hash gets through."""
_DEFAULT_REASON: Final = "Is too easy to guess. Add a few more words that do not belong together."
# zxcvbn is not thread-safe: it stores `user_inputs` in a global of its module.
_ZXCVBN_LOCK: Final = Lock()
SHIPPED_BLOCKLIST: Final = Path(__file__).with_name("blocklist.txt")


class ZxcvbnPasswordStrength:
    """Runs off the event loop. The blocklist is compared without regard to case and whitespace."""

    def __init__(self, blocklist: Path, threads: BoundedThreads) -> None:
        self._blocklist = frozenset(
            _fold(line) for line in blocklist.read_text(encoding="utf-8").splitlines() if line.strip()
        )
        self._threads = threads

    async def find_weakness(self, password: str, username: str) -> str | None:
        if _fold(password) in self._blocklist:
            return "Is a password that everyone knows."
        return await self._threads.run(lambda: _find_weakness(normalize(password), username))


def _find_weakness(password: str, username: str) -> str | None:
    with _ZXCVBN_LOCK:
        result = zxcvbn(password[:_ESTIMATED_LENGTH], user_inputs=[username, _SERVICE])
    if result["guesses"] >= _MIN_GUESSES:
        return None
    return str(result["feedback"]["warning"]) or _DEFAULT_REASON


def _fold(password: str) -> str:
    return "".join(normalize(password).casefold().split())
