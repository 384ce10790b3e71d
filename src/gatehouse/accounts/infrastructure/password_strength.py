"""How easily a password is guessed: what is known, what follows a rule, and what Dropbox's estimator zxcvbn says."""

from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Final

from zxcvbn import zxcvbn

from gatehouse.accounts.domain.password import normalize
from gatehouse.accounts.infrastructure.breached_passwords import BreachedPasswords
from gatehouse.accounts.infrastructure.common_phrases import CommonPhrases
from gatehouse.accounts.infrastructure.keyboard_walks import is_keyboard_walk
from gatehouse.accounts.infrastructure.sequences import is_sequence
from gatehouse.common.infrastructure.bounded_threads import BoundedThreads

_SERVICE: Final = "gatehouse"
_ESTIMATED_LENGTH: Final = 32
_AMBIGUOUS: Final = frozenset("4@8({[<3691!|70$5+%2")
_MAX_AMBIGUOUS: Final = 10
"""The estimator tries all combinations of what these characters may stand for (`1`: i or l), so many different ones
take it seconds. Ten need ten characters, which are as many guesses as are asked for in any case."""
_MIN_GUESSES: Final = 10**10
"""zxcvbn's highest score: beyond what an offline attack on a slow hash gets through."""
_DEFAULT_REASON: Final = "Is too easy to guess. Add a few more words that do not belong together."
# zxcvbn is not thread-safe: it stores `user_inputs` in a global of its module.
_ZXCVBN_LOCK: Final = Lock()
SHIPPED_BLOCKLIST: Final = Path(__file__).with_name("blocklist.txt")
SHIPPED_PHRASES: Final = Path(__file__).with_name("phrases.txt")


class ZxcvbnPasswordStrength:
    """Runs in threads of its own: it holds up neither the event loop nor hashing."""

    def __init__(
        self,
        blocklist: Iterable[str],
        phrases: Iterable[str],
        breached: BreachedPasswords | None,
        threads: BoundedThreads,
    ) -> None:
        self._blocklist = frozenset(map(_fold, blocklist)) - {""}
        self._phrases = CommonPhrases(phrases)
        self._breached = breached
        self._threads = threads

    async def find_weakness(self, password: str, username: str, *, client: str) -> str | None:
        return await self._threads.run(lambda: self._find_weakness(normalize(password), username), client)

    def _find_weakness(self, password: str, username: str) -> str | None:
        if _fold(password) in self._blocklist:
            return "Is a password that everyone knows."
        if self._breached and self._breached.hold(password):
            return "Is known from a breach of another service."
        if is_keyboard_walk(password):
            return "Follows the keys of a keyboard."
        if is_sequence(password):
            return "Is a sequence or a repetition."
        if self._phrases.are_all_of(password):
            return "Is a common phrase. Add a few words that do not belong to it."
        return _estimate(password, username)


def read_lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _fold(password: str) -> str:
    """The blocklist is compared without regard to case and whitespace."""
    return "".join(normalize(password).casefold().split())


def _estimate(password: str, username: str) -> str | None:
    """A password is at least as strong as its beginning or its end, so a long one is judged by these.

    The estimator's work grows fast with the length; so bounded, it takes less than 0.1 s at worst.
    """
    reason = None
    beginning, end = _judged_part(password), _judged_part(password[::-1])[::-1]
    for part in dict.fromkeys((beginning, end)):
        with _ZXCVBN_LOCK:
            result = zxcvbn(part, user_inputs=[username, _SERVICE])
        if result["guesses"] >= _MIN_GUESSES:
            return None
        reason = reason or str(result["feedback"]["warning"]) or _DEFAULT_REASON
    return reason


def _judged_part(password: str) -> str:
    ambiguous: set[str] = set()
    for index, character in enumerate(password[:_ESTIMATED_LENGTH]):
        ambiguous |= _AMBIGUOUS & {character}
        if len(ambiguous) > _MAX_AMBIGUOUS:
            return password[:index]
    return password[:_ESTIMATED_LENGTH]
