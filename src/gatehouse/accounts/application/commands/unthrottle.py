from ipaddress import ip_address
from typing import ClassVar

from gatehouse.accounts.application.passwords import throttled_address
from gatehouse.accounts.application.ports import CountedAttempts, ForgottenAttempts
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.ports import Audit, Transaction
from gatehouse.common.application.use_case import command
from gatehouse.common.domain.audit import Subject


@command
class Unthrottle:
    """The operator has counted attempts forgotten, on the command line only: all that were made for a user, or all that
    came from an address, of IPv6 from its /64 network. Returns them.
    """

    action: ClassVar = "unthrottle"

    attempts: CountedAttempts
    audit: Audit
    transaction: Transaction

    async def __call__(self, who: str) -> list[ForgottenAttempts]:
        address = throttled_address(who) if _is_address(who) else None
        # An IPv4 address may be somebody's name as well; then both are meant.
        name = Username.parse(who) if address else Username(who)
        subject = Subject("address", address, address) if address else None
        async with self.transaction:
            forgotten = await self.attempts.forget(username=name, address=address)
            if forgotten:
                await self.audit.record(self.action, actor=None, target=name.value if name else None, subject=subject)
            return forgotten


def _is_address(who: str) -> bool:
    try:
        ip_address(who)
    except ValueError:
        return False
    return True
