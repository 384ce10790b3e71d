"""Judges the password hashes of an import, each in a few microseconds: none of them is computed."""

from collections.abc import Sequence

from gatehouse.accounts.domain.password import NO_PASSWORD
from gatehouse.accounts.infrastructure.stored_hashes import (
    MAX_BCRYPT_FACTOR,
    PEPPERED,
    UnverifiableError,
    is_bare_bcrypt,
    pepper_id,
    peppers_by_id,
    read_stored_hash,
)
from gatehouse.common.domain.errors import InvalidError


class StorableHashes:
    def __init__(self, peppers: Sequence[str], imported_pepper: str, work_factor: int) -> None:
        self._peppers = peppers_by_id([*peppers, imported_pepper])
        self._imported_pepper_id = pepper_id(imported_pepper) if imported_pepper else None
        self._max_own_factor = max(MAX_BCRYPT_FACTOR, work_factor)

    def to_stored(self, password_hash: str, *, is_peppered: bool) -> str:
        if password_hash.startswith(NO_PASSWORD):  # Django writes more behind it
            return NO_PASSWORD
        if is_peppered and is_bare_bcrypt(password_hash):
            if self._imported_pepper_id is None:
                raise InvalidError("password_hash", "Needs password.imported_pepper, which is not configured.")
            password_hash = f"{PEPPERED}${self._imported_pepper_id}${password_hash}"
        try:
            read_stored_hash(password_hash, self._peppers, max_own_factor=self._max_own_factor)
        except UnverifiableError as error:
            raise InvalidError("password_hash", str(error)) from None
        return password_hash
