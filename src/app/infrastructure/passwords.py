"""Password hashing with bcrypt."""

import asyncio
import base64
import hashlib
import hmac
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Final, Self

import bcrypt

from app.domain.errors import UnavailableError
from app.domain.password import normalize

_SCHEME: Final = "v1"
_MAX_WAIT_SECONDS: Final = 1.0
_MAX_QUEUE: Final = 64


class BcryptPasswordHasher:
    """bcrypt over base64(HMAC-SHA-384(pepper, NFC(password))).

    That is 64 bytes without NUL, so bcrypt's limit of 72 bytes cuts nothing off. Stored as `v1$<pepper id>$<bcrypt>`.
    """

    def __init__(self, pepper: str, work_factor: int) -> None:
        self._pepper = pepper.encode()
        self._pepper_id = hmac.digest(self._pepper, b"gatehouse pepper id", hashlib.sha256).hex()[:16]
        self._work_factor = work_factor
        self._limiter = _Limiter(max(1, (os.cpu_count() or 1) - 1))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._limiter.close()

    async def hash(self, password: str) -> str:
        return await self._limiter.run(lambda: self._hash(password))

    async def verify(self, password: str, password_hash: str | None) -> bool:
        matches = await self._limiter.run(lambda: self._verify(password, password_hash or self._nobody))
        return matches and password_hash is not None

    def _hash(self, password: str) -> str:
        salt = bcrypt.gensalt(self._work_factor)
        return f"{_SCHEME}${self._pepper_id}${bcrypt.hashpw(self._digest(password), salt).decode()}"

    def _verify(self, password: str, password_hash: str) -> bool:
        scheme, pepper_id, hashed = password_hash.split("$", 2)
        if (scheme, pepper_id) != (_SCHEME, self._pepper_id):
            raise ValueError("A stored password hash was made with another scheme or pepper.")
        return bcrypt.checkpw(self._digest(password), hashed.encode())

    def _digest(self, password: str) -> bytes:
        digest = hmac.digest(self._pepper, normalize(password).encode(), hashlib.sha384)
        return base64.b64encode(digest)

    @cached_property
    def _nobody(self) -> str:
        """Stands in where there is no user. Made without bcrypt, so that its first use is as fast as any."""
        salt = bcrypt.gensalt(self._work_factor).decode()
        return f"{_SCHEME}${self._pepper_id}${salt}{'.' * 31}"


class _Limiter:
    """As many threads as may hash at once, and a bounded wait for one of them."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="hash")
        self._permits = asyncio.Semaphore(threads)
        self._waiting = 0

    async def run[T](self, work: Callable[[], T]) -> T:
        await self._acquire()
        loop = asyncio.get_running_loop()
        future = self._threads.submit(work)
        # The permit goes back when the thread ends, not when a cancelled request stops waiting for it.
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._permits.release))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Waits for the hashes that are being made; there are as many as threads at most."""
        self._threads.shutdown()

    async def _acquire(self) -> None:
        if self._waiting >= _MAX_QUEUE:
            raise UnavailableError
        self._waiting += 1
        try:
            async with asyncio.timeout(_MAX_WAIT_SECONDS):
                await self._permits.acquire()
        except TimeoutError:
            raise UnavailableError from None
        finally:
            self._waiting -= 1
