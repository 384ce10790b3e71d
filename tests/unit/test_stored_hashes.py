"""Hashes that other systems made. The first ones were made by these libraries, for the password in `PASSWORD`:

- Django 6.1.3: `make_password(PASSWORD)`, the same with `hasher="argon2"`, and `make_password(None)`
- pwdlib 0.3.1, as fastapi-users uses it: `PasswordHash((Argon2Hasher(),)).hash(PASSWORD)`, and `BcryptHasher()`
- bcrypt 5.0.0: `hashpw(PASSWORD.encode(), gensalt(10, prefix=b"2a"))`
- bcrypt over base64(HMAC-SHA-384(b"Habanero!", PASSWORD)), as ivan-borovets/fastapi-clean-example hashes
"""

import hashlib

import bcrypt
import pytest

from gatehouse.accounts.domain.password import NO_PASSWORD
from gatehouse.accounts.infrastructure.imported_hashes import StorableHashes
from gatehouse.accounts.infrastructure.passwords import BcryptPasswordHasher
from gatehouse.common.domain.errors import InvalidError
from gatehouse.common.infrastructure.bounded_threads import BoundedThreads
from gatehouse.testing.fakes import PASSWORD

PEPPER, PEER_PEPPER = "a pepper", "Habanero!"
DJANGO_PBKDF2 = "pbkdf2_sha256$1500000$MTbWdnZRVvq9qFMekWCMoB$lxSpW6mwYzL9z2fzEuQtfnv2+XnEjfpIJWdSyxMqSwI="
DJANGO_ARGON2 = (
    "argon2$argon2id$v=19$m=102400,t=2,p=8$blNSaWdBeE5JYlVjWVFVM2VJTThhbw$kH2efumMJfNjdTMqc819Xagw061lfeo+qYKRbg1WttY"
)
DJANGO_UNUSABLE = "!uFj1zjr07LdJqbjZRSBbKv9eMYMfajIwFB3i7Rm0"
PWDLIB_ARGON2 = "$argon2id$v=19$m=65536,t=3,p=4$P3omfki3JIgs8blPtjjkhg$RZvQrIrqqM6QSD0TFs5kMjS+riPrKHmrs9GDQhWRTcg"
PWDLIB_BCRYPT = "$2b$12$KIJ/OB7wVwyCj1adqXt12OAEcI2Z0VHsOISd/iYYan.sMmRMLmzRq"
BCRYPT_2A = "$2a$10$SPerQ81ZQyXIkbLvLAU1QuTZIJA3V8mcFzmDpzFdqNzwVgKKM9Zam"
BCRYPT_2Y = f"$2y${BCRYPT_2A[4:]}"
PEER = "$2b$11$QOoDlbNhc5288C7ME.QGvO6RewoBWICS7KXuf3m15i2AbTsIBo0e."
FOREIGN = {
    "Django's PBKDF2": DJANGO_PBKDF2,
    "Django's Argon2": DJANGO_ARGON2,
    "pwdlib's Argon2": PWDLIB_ARGON2,
    "pwdlib's bcrypt": PWDLIB_BCRYPT,
    "bcrypt 2a": BCRYPT_2A,
    "bcrypt 2y": BCRYPT_2Y,
}


@pytest.fixture(scope="module")
def hasher(threads: BoundedThreads) -> BcryptPasswordHasher:
    return BcryptPasswordHasher([PEPPER], 4, threads, imported_pepper=PEER_PEPPER)


@pytest.fixture
def hashes() -> StorableHashes:
    return StorableHashes([PEPPER], PEER_PEPPER, 4)


def store(hashes: StorableHashes, password_hash: str) -> str:
    return hashes.to_stored(password_hash, is_peppered=False)


def reason(hashes: StorableHashes, password_hash: str) -> str:
    with pytest.raises(InvalidError) as caught:
        store(hashes, password_hash)
    assert caught.value.field == "password_hash"
    return caught.value.message


@pytest.mark.slow  # at the costs of other systems
@pytest.mark.promise("P15")
@pytest.mark.parametrize("password_hash", FOREIGN.values(), ids=FOREIGN)
async def test_a_hash_of_another_system_verifies_its_password_alone_and_is_to_be_replaced(
    hasher: BcryptPasswordHasher, hashes: StorableHashes, password_hash: str
) -> None:
    stored = store(hashes, password_hash)

    assert await hasher.verify(PASSWORD, stored, client="one")
    assert not await hasher.verify(f"{PASSWORD}!", stored, client="one")
    assert hasher.is_outdated(stored)


@pytest.mark.slow  # at the costs of other systems
@pytest.mark.promise("P15")
async def test_a_hash_over_another_systems_pepper_needs_to_be_told_of(
    hasher: BcryptPasswordHasher, hashes: StorableHashes, threads: BoundedThreads
) -> None:
    stored = hashes.to_stored(PEER, is_peppered=True)

    assert await hasher.verify(PASSWORD, stored, client="one")
    assert not await hasher.verify(f"{PASSWORD}!", stored, client="one")
    assert hasher.is_outdated(stored)
    assert PEER_PEPPER not in stored
    assert not await hasher.verify(PASSWORD, store(hashes, PEER), client="one")
    without = BcryptPasswordHasher([PEPPER], 4, threads)
    assert not await without.verify(PASSWORD, stored, client="one")


def test_without_that_pepper_such_hashes_are_refused() -> None:
    hashes = StorableHashes([PEPPER], "", 4)

    with pytest.raises(InvalidError) as caught:
        hashes.to_stored(PEER, is_peppered=True)

    assert caught.value.message == "Needs password.imported_pepper, which is not configured."


async def test_gatehouses_own_hashes_come_back_if_their_pepper_is_configured(
    hasher: BcryptPasswordHasher, hashes: StorableHashes, threads: BoundedThreads
) -> None:
    own = await hasher.hash(PASSWORD, client="one")
    other = await BcryptPasswordHasher(["another pepper"], 4, threads).hash(PASSWORD, client="one")

    assert store(hashes, own) == own
    assert "which is not configured" in reason(hashes, other)


async def test_of_a_long_password_bare_bcrypt_reads_72_bytes_as_where_it_comes_from(
    hasher: BcryptPasswordHasher,
) -> None:
    stored = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()

    assert await hasher.verify("x" * 128, stored, client="one")
    assert not await hasher.verify("x" * 71, stored, client="one")
    assert not await hasher.verify("x\0" * 20, stored, client="one")


@pytest.mark.slow  # at the costs of other systems
async def test_a_password_beyond_ascii_is_hashed_as_it_was_typed(hasher: BcryptPasswordHasher) -> None:
    password = "grün und öde, très peu"
    django = "pbkdf2_sha256$1500000$EZsch7x38tQEChf1d6WD1v$PfjUCveE2Ep73SP0rInOY0oSW1Le6YrNe4VhL1XSQf0="

    assert await hasher.verify(password, django, client="one")


@pytest.mark.parametrize("given", [DJANGO_UNUSABLE, "!", "!!"])
async def test_no_password_is_right_for_an_account_without_a_hash(
    hasher: BcryptPasswordHasher, hashes: StorableHashes, given: str
) -> None:
    stored = store(hashes, given)

    assert stored == NO_PASSWORD
    for password in ("", "!", given, PASSWORD):
        assert not await hasher.verify(password, stored, client="one")


SALT = "P3omfki3JIgs8blPtjjkhg"
HASH = "RZvQrIrqqM6QSD0TFs5kMjS+riPrKHmrs9GDQhWRTcg"
COSTLY = [
    f"$argon2id$v=19$m=16777216,t=1,p=1${SALT}${HASH}",
    f"$argon2id$v=19$m=262145,t=1,p=1${SALT}${HASH}",
    f"$argon2id$v=19$m=65536,t=17,p=1${SALT}${HASH}",
    f"$argon2id$v=19$m=8,t=1000000000,p=1${SALT}${HASH}",
    f"$argon2id$v=19$m=65536,t=1,p=17${SALT}${HASH}",
    f"argon2$argon2id$v=19$m=16777216,t=1,p=1${SALT}${HASH}",
    DJANGO_PBKDF2.replace("1500000", "1000000000"),
    DJANGO_PBKDF2.replace("1500000", "5000001"),
    PWDLIB_BCRYPT.replace("$12$", "$17$"),
    PWDLIB_BCRYPT.replace("$12$", "$31$"),
]


@pytest.mark.promise("P15")
@pytest.mark.parametrize("password_hash", COSTLY)
async def test_what_costs_too_much_is_refused_at_the_import_and_at_the_login(
    hasher: BcryptPasswordHasher, hashes: StorableHashes, password_hash: str
) -> None:
    assert reason(hashes, password_hash).startswith("Costs too much to verify: ")

    assert not await hasher.verify(PASSWORD, password_hash, client="one")  # and it ends


@pytest.mark.promise("P15")
async def test_an_own_hash_of_a_hostile_file_is_bounded_too(
    hasher: BcryptPasswordHasher, hashes: StorableHashes
) -> None:
    own = await hasher.hash(PASSWORD, client="one")

    assert reason(hashes, own.replace("$04$", "$31$")).startswith("Costs too much")
    assert store(hashes, own.replace("$04$", "$16$"))
    assert store(StorableHashes([PEPPER], "", 18), own.replace("$04$", "$18$"))


DAMAGED = [
    "",
    " ",
    "x",
    PASSWORD,
    hashlib.md5(PASSWORD.encode(), usedforsecurity=False).hexdigest(),
    PWDLIB_BCRYPT[:-1],
    f"{PWDLIB_BCRYPT}.",
    f"{PWDLIB_BCRYPT}\n",
    PWDLIB_BCRYPT.replace("$2b$", "$2x$"),
    PWDLIB_BCRYPT.replace("$12$", "$03$"),
    PWDLIB_BCRYPT[:28] + "P" + PWDLIB_BCRYPT[29:],
    DJANGO_PBKDF2[:-1],
    DJANGO_PBKDF2.replace("1500000", "0"),
    DJANGO_PBKDF2.replace("1500000", "-1"),
    DJANGO_PBKDF2.replace("1500000", "1" * 40),
    DJANGO_PBKDF2.replace("sha256", "sha1"),
    f"{DJANGO_PBKDF2[:-2]}J=",
    f"$argon2id$v=19$m=8,t=1,p=4${SALT}${HASH}",
    f"$argon2id$v=19$m=0,t=1,p=1${SALT}${HASH}",
    f"$argon2id$v=16$m=65536,t=1,p=1${SALT}${HASH}",
    f"$argon2i$v=19$m=65536,t=1,p=1${SALT}${HASH}",
    f"$argon2id$v=19$m=65536,t=1,p=1${SALT[:-1]}f${HASH}",
    f"$argon2id$v=19$m=65536,t=1,p=1${SALT}${HASH}=",
    f"$argon2id$v=19$m=65536,t=1,p=1${SALT}${HASH}é",
    "v1$0000000000000000$none",
    "scrypt:32768:8:1$salt$hash",
]


@pytest.mark.promise("P15")
@pytest.mark.parametrize("password_hash", DAMAGED)
async def test_what_is_of_no_known_kind_is_refused_and_not_repeated(
    hasher: BcryptPasswordHasher, hashes: StorableHashes, password_hash: str
) -> None:
    assert reason(hashes, password_hash) == "Is of no kind that Gatehouse knows, or damaged."

    assert not await hasher.verify(PASSWORD, password_hash or "x", client="one")


@pytest.mark.promise("L9")
@pytest.mark.parametrize("foreign", [BCRYPT_2A.replace("$10$", "$04$"), "hmac-sha384"])
async def test_a_wrong_password_costs_the_present_factor_also_for_bcrypt_of_another_system(
    threads: BoundedThreads, hashes: StorableHashes, monkeypatch: pytest.MonkeyPatch, foreign: str
) -> None:
    costs: list[int] = []
    check, compute = bcrypt.checkpw, bcrypt.hashpw

    def count_check(secret: bytes, hashed: bytes) -> bool:
        costs.append(int(hashed[4:6]))
        return check(secret, hashed)

    def count_compute(secret: bytes, salt: bytes) -> bytes:
        costs.append(int(salt[4:6]))
        return compute(secret, salt)

    monkeypatch.setattr(bcrypt, "checkpw", count_check)
    monkeypatch.setattr(bcrypt, "hashpw", count_compute)
    cheap = PEER.replace("$11$", "$04$")
    stored = hashes.to_stored(cheap, is_peppered=True) if foreign == "hmac-sha384" else foreign

    hasher = BcryptPasswordHasher([PEPPER], 7, threads, imported_pepper=PEER_PEPPER)
    assert not await hasher.verify("another password", stored, client="one")

    assert sum(2**cost for cost in costs) == 2**7
