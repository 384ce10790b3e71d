"""What a stored password hash may be: Gatehouse's own, or one that an import brought from another system.

Whatever it is, it is verified at its owner's next login, and replaced. What it may cost is bounded, at the import and
at each login: a hostile file must not stop the server.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import bcrypt

from gatehouse.accounts.domain.password import normalize

OWN: Final = "v1"
"""bcrypt over base64(HMAC-SHA-384(pepper, NFC(password))), as `v1$<pepper id>$<bcrypt>`."""
PEPPERED: Final = "hmac-sha384"
"""The same without NFC, of another system. Its hashes look like bare bcrypt; the import makes them
`hmac-sha384$<pepper id>$<bcrypt>`."""
MAX_BCRYPT_FACTOR: Final = 16
"""Some 4 s of a core."""
MAX_PBKDF2_ROUNDS: Final = 5_000_000
"""Some 2 s. Django 6.1 takes 1.5 million."""
MAX_ARGON2_KIB: Final = 256 * 1024
MAX_ARGON2_KIB_PASSES: Final = 1024 * 1024
"""Memory times passes: a second or so. Django takes 100 MiB twice, argon2-cffi and pwdlib 64 MiB three times."""
MAX_ARGON2_LANES: Final = 16
_BCRYPT_BYTES: Final = 72
"""Bare bcrypt reads no more of a password; the library refuses what others cut off in silence."""

# The 22nd character of the salt holds two bits only.
_BCRYPT: Final = r"(?P<bcrypt>\$2[aby]\$(?P<cost>0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31})"
_WITH_PEPPER: Final = re.compile(rf"(?P<scheme>{OWN}|{PEPPERED})\$(?P<pepper>[0-9a-f]{{16}})\${_BCRYPT}", re.ASCII)
_BARE_BCRYPT: Final = re.compile(_BCRYPT, re.ASCII)
_PBKDF2: Final = re.compile(
    r"pbkdf2_sha256\$(?P<rounds>[1-9][0-9]{0,17})\$(?P<salt>[!-#%-~]{1,128})\$(?P<hash>[A-Za-z0-9+/]{43}=)", re.ASCII
)
_ARGON2: Final = re.compile(
    r"(?:argon2)?(?P<phc>\$argon2id\$v=19\$m=(?P<kib>[1-9][0-9]{0,9}),t=(?P<passes>[1-9][0-9]{0,9}),"
    r"p=(?P<lanes>[1-9][0-9]{0,7})\$(?P<salt>[A-Za-z0-9+/]{11,128})\$(?P<hash>[A-Za-z0-9+/]{22,128}))",
    re.ASCII,
)


class UnverifiableError(Exception):
    """Why nobody can log in with such a hash, as a line for the operator, who reads neither hash nor pepper in it."""


class StoredHash(Protocol):
    def matches(self, password: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class BcryptHash:
    bcrypt: bytes
    cost: int
    digest: Callable[[str], bytes]
    """What bcrypt is given for a password."""

    def matches(self, password: str) -> bool:
        return bcrypt.checkpw(self.digest(password), self.bcrypt)


@dataclass(frozen=True, slots=True)
class Pbkdf2Hash:
    """As Django writes it: `pbkdf2_sha256$<rounds>$<salt>$<base64>`."""

    rounds: int
    salt: bytes
    expected: bytes

    def matches(self, password: str) -> bool:
        return hmac.compare_digest(
            hashlib.pbkdf2_hmac("sha256", password.encode(), self.salt, self.rounds), self.expected
        )


@dataclass(frozen=True, slots=True)
class Argon2Hash:
    """The PHC string format, as argon2-cffi and pwdlib write it; Django puts `argon2` before it."""

    phc: str

    def matches(self, password: str) -> bool:
        # Where no hash of this kind is stored, no server loads the library.
        from argon2.exceptions import VerificationError  # noqa: PLC0415
        from argon2.low_level import Type, verify_secret  # noqa: PLC0415

        try:
            return verify_secret(self.phc.encode(), password.encode(), Type.ID)
        except VerificationError:
            return False


def read_stored_hash(text: str, peppers: Mapping[str, bytes], *, max_own_factor: int = 31) -> StoredHash:
    """`peppers` by their ids. Raises UnverifiableError."""
    if match := _WITH_PEPPER.fullmatch(text):
        return _with_pepper(match, peppers, max_own_factor if match["scheme"] == OWN else MAX_BCRYPT_FACTOR)
    if match := _BARE_BCRYPT.fullmatch(text):
        return _bcrypt(match, _cut_off, MAX_BCRYPT_FACTOR)
    if match := _PBKDF2.fullmatch(text):
        return _pbkdf2(match)
    if match := _ARGON2.fullmatch(text):
        return _argon2(match)
    raise UnverifiableError("Is of no kind that Gatehouse knows, or damaged.")


def is_bare_bcrypt(text: str) -> bool:
    return _BARE_BCRYPT.fullmatch(text) is not None


def pepper_id(pepper: str) -> str:
    return hmac.digest(pepper.encode(), b"gatehouse pepper id", hashlib.sha256).hex()[:16]


def peppers_by_id(peppers: Iterable[str]) -> dict[str, bytes]:
    """Without those that are not configured."""
    return {pepper_id(pepper): pepper.encode() for pepper in peppers if pepper}


def _with_pepper(match: re.Match[str], peppers: Mapping[str, bytes], max_factor: int) -> BcryptHash:
    pepper = peppers.get(match["pepper"])
    if pepper is None:
        raise UnverifiableError(f"Needs the pepper with the id {match['pepper']}, which is not configured.")
    prepare = normalize if match["scheme"] == OWN else str
    return _bcrypt(match, lambda password: digest_with(pepper, prepare(password)), max_factor)


def digest_with(pepper: bytes, password: str) -> bytes:
    return base64.b64encode(hmac.digest(pepper, password.encode(), hashlib.sha384))


def _cut_off(password: str) -> bytes:
    return password.encode()[:_BCRYPT_BYTES]


def _bcrypt(match: re.Match[str], digest: Callable[[str], bytes], max_factor: int) -> BcryptHash:
    cost = int(match["cost"])
    if cost > max_factor:
        raise UnverifiableError(f"Costs too much to verify: bcrypt with a work factor above {max_factor}.")
    return BcryptHash(match["bcrypt"].encode(), cost, digest)


def _pbkdf2(match: re.Match[str]) -> Pbkdf2Hash:
    rounds = int(match["rounds"])
    if rounds > MAX_PBKDF2_ROUNDS:
        raise UnverifiableError(f"Costs too much to verify: PBKDF2 with more than {MAX_PBKDF2_ROUNDS} rounds.")
    return Pbkdf2Hash(rounds, match["salt"].encode(), _decode(match["hash"]))


def _argon2(match: re.Match[str]) -> Argon2Hash:
    kib, passes, lanes = int(match["kib"]), int(match["passes"]), int(match["lanes"])
    if kib > MAX_ARGON2_KIB or kib * passes > MAX_ARGON2_KIB_PASSES or lanes > MAX_ARGON2_LANES:
        raise UnverifiableError(
            f"Costs too much to verify: Argon2 with more than {MAX_ARGON2_KIB} KiB, {MAX_ARGON2_KIB_PASSES} KiB times "
            f"passes or {MAX_ARGON2_LANES} lanes."
        )
    if kib < 8 * lanes:  # RFC 9106, 3.1
        raise UnverifiableError("Is of no kind that Gatehouse knows, or damaged.")
    for part in ("salt", "hash"):
        _decode(match[part] + "=" * (-len(match[part]) % 4))
    return Argon2Hash(match["phc"])


def _decode(text: str) -> bytes:
    """Strictly: unused bits that are set mark a damaged hash, which the libraries would refuse at each login."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except binascii.Error:
        decoded = b""
    if base64.b64encode(decoded).decode() != text:
        raise UnverifiableError("Is of no kind that Gatehouse knows, or damaged.")
    return decoded
