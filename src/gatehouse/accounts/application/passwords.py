"""The only way for commands to handle passwords: new ones are checked for strength, attempts are counted."""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from gatehouse.accounts.application.ports import Attempt, AttemptKind, PasswordHasher, PasswordStrength, Throttle
from gatehouse.accounts.domain.password import PasswordPolicy
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.ports import FailedAttempts
from gatehouse.common.domain.errors import InvalidError, ThrottledError, UnavailableError
from gatehouse.common.domain.request_context import RequestContext


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """How many wrong passwords, and how many sign-ups, are free before each further attempt has to wait longer."""

    per_account: int
    per_address: int
    sign_ups: int


@dataclass(frozen=True, slots=True)
class Passwords:
    policy: PasswordPolicy
    strength: PasswordStrength
    hasher: PasswordHasher
    throttle: Throttle
    limits: AttemptLimits
    failures: FailedAttempts
    context: RequestContext

    async def choose(self, username: Username, password: str) -> str:
        """The hash of a new password. Raises InvalidError, with the reason, if it is too weak."""
        self.policy.ensure_allows(password)
        if weakness := await self.strength.find_weakness(password, username.value, client=self._address):
            raise InvalidError("password", weakness)
        return await self.hasher.hash(password, client=self._address)

    async def verify(
        self, action: str, username: Username | None, user: User | None, password: str, *, actor: str | None = None
    ) -> bool:
        """Whether the user is active and this is their password. Always one hash computation, also if there is no user.

        The attempt is counted before it is verified, so that parallel guesses cannot outrun the count, and refunded if
        it was right. The count for an account is per address, so that nobody can lock a victim out from another one.
        """
        account_attempt = Attempt(f"password:{username}:{self._address}", self.limits.per_account, AttemptKind.ACCOUNT)
        address_attempt = Attempt(f"password:{self._address}", self.limits.per_address)
        await self._count(action, account_attempt, address_attempt)
        try:
            password_hash = user.password_hash if user and user.is_active else None
            is_right = await self.hasher.verify(password, password_hash, client=self._address)
        except Exception:
            await self.throttle.refund(account_attempt, address_attempt)  # not a guess: nothing was verified
            raise
        if is_right:
            await self.throttle.reset(account_attempt)
            await self.throttle.refund(address_attempt)
        else:
            self.failures.record_failed(action, actor=actor, target=username.value if username else None)
        return is_right

    async def rehash(self, user: User, password: str) -> str | None:
        """The hash of a password that was just verified, where the present one has an earlier pepper or work factor.

        None, too, where the hasher is too busy: nobody is kept out for want of a better hash, and the next login tries
        again.
        """
        if not self.hasher.is_outdated(user.password_hash):
            return None
        try:
            return await self.hasher.hash(password, client=self._address)
        except UnavailableError:
            return None

    async def count_sign_up(self, action: str) -> None:
        await self._count(action, Attempt(f"sign-up:{self._address}", self.limits.sign_ups, AttemptKind.SIGN_UP))

    async def _count(self, action: str, *attempts: Attempt) -> None:
        try:
            await self.throttle.count(*attempts)
        except ThrottledError:
            self.failures.record_throttled(action, address=self._address)
            raise

    @property
    def _address(self) -> str:
        return throttled_address(self.context.ip)


def throttled_address(ip: str | None) -> str:
    """What one client is assumed to control: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        address = ip_address(ip or "")
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))
    return str(address)
