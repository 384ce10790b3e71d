"""Password hashing with bcrypt."""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

import bcrypt
import structlog

from gatehouse.accounts.domain.password import NO_PASSWORD, normalize
from gatehouse.accounts.infrastructure.stored_hashes import (
    OWN,
    BcryptHash,
    UnverifiableError,
    digest_with,
    pepper_id,
    peppers_by_id,
    read_stored_hash,
)
from gatehouse.common.application.metrics import NO_METRICS, Counter, Gauge, Histogram, Metrics
from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.bounded_threads import BoundedThreads

QUEUE: Final = Gauge(name="gatehouse_hashing_waiting", help="Passwords that wait to be hashed or verified.")
WAITS: Final = Histogram(name="gatehouse_hashing_wait_seconds", help="How long they waited for a thread.")
DURATIONS: Final = Histogram(name="gatehouse_hashing_duration_seconds", help="How long hashing one then took.")
REFUSALS: Final = Counter(
    name="gatehouse_hashing_refusals_total", help="Passwords for which no thread was free in time, or no place to wait."
)
HASHING_METRICS: Final = (QUEUE, WAITS, DURATIONS, REFUSALS)

_log = structlog.get_logger()


class BcryptPasswordHasher:
    """bcrypt over base64(HMAC-SHA-384(pepper, NFC(password))).

    That is 64 bytes without NUL, so bcrypt's limit of 72 bytes cuts nothing off. Stored as `v1$<pepper id>$<bcrypt>`.
    The first pepper hashes; all of them verify, and so does `imported_pepper` where another system hashed. A pepper's
    id is derived from it.
    """

    def __init__(
        self,
        peppers: Sequence[str],
        work_factor: int,
        threads: BoundedThreads,
        metrics: Metrics = NO_METRICS,
        *,
        imported_pepper: str = "",
    ) -> None:
        self._peppers = peppers_by_id([*peppers, imported_pepper])
        self._current = pepper_id(peppers[0])
        self._work_factor = work_factor
        self._threads = threads
        self._metrics = metrics
        metrics.watch(QUEUE, lambda: threads.waiting)
        # Verified if there is no user, so that login timing does not show which users exist. It is put together without
        # hashing, so that its first use takes no longer than the others.
        self._dummy_hash = f"{self._prefix()}{bcrypt.gensalt(work_factor).decode()}{'.' * 31}"

    async def hash(self, password: str, *, client: str) -> str:
        return await self._run(lambda: self._hash(password), client)

    async def verify(self, password: str, password_hash: str | None, *, client: str) -> bool:
        matches = await self._run(lambda: self._verify(password, password_hash or self._dummy_hash), client)
        return matches and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        return not password_hash.startswith(f"{self._prefix()}$2b${self._work_factor:02}$")

    async def _run[T](self, work: Callable[[], T], client: str) -> T:
        asked = began = monotonic()

        def begin() -> T:
            nonlocal began
            began = monotonic()
            return work()

        try:
            result = await self._threads.run(begin, client)
        except UnavailableError:
            self._metrics.count(REFUSALS)
            raise
        self._metrics.observe(WAITS, began - asked)
        self._metrics.observe(DURATIONS, monotonic() - began)
        return result

    def _prefix(self) -> str:
        return f"{OWN}${self._current}$"

    def _hash(self, password: str) -> str:
        digest = digest_with(self._peppers[self._current], normalize(password))
        return f"{self._prefix()}{bcrypt.hashpw(digest, bcrypt.gensalt(self._work_factor)).decode()}"

    def _verify(self, password: str, password_hash: str) -> bool:
        try:
            stored = read_stored_hash(password_hash, self._peppers)
        except UnverifiableError as error:
            if password_hash != NO_PASSWORD:
                _log.error("password_hash_not_verifiable", reason=str(error))
            self._verify(password, self._dummy_hash)
            return False
        matches = stored.matches(password)
        if not matches and isinstance(stored, BcryptHash):
            self._make_up_for_cost(stored.digest(password), stored.cost)
        return matches

    def _make_up_for_cost(self, digest: bytes, cost: int) -> None:
        """Brings a failed verification at an earlier, lower work factor to the cost of one at the present one.

        bcrypt takes 2^factor rounds, and 2^c + (2^c + 2^(c+1) + … + 2^(C-1)) = 2^C.
        """
        for factor in range(cost, self._work_factor):
            bcrypt.hashpw(digest, bcrypt.gensalt(factor))
