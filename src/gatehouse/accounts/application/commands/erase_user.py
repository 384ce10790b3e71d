from typing import ClassVar

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.locking import lock_subordinate
from gatehouse.accounts.application.ports import CountedAttempts, ErasedNames, Sessions, Users
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.ports import Audit, Clock, ErasableTrail, Transaction
from gatehouse.common.application.use_case import command


@command
class EraseUser:
    """Super admins erase the account of a user or an admin: its name, password, addresses and browsers go, from the
    audit trail, too, where a pseudonym stays. Nobody can take the name again, unless `free_name` says so.
    """

    action: ClassVar = "erase_user"

    identity: Identity
    users: Users
    sessions: Sessions
    attempts: CountedAttempts
    erased_names: ErasedNames
    audit: Audit
    trail: ErasableTrail
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, *, free_name: bool = False) -> None:
        name = Username(username)
        async with self.transaction:
            user = await lock_subordinate(self.users, self.identity, name, actor_is=Role.SUPER_ADMIN)
            await self.users.erase(user, self.clock.now())
            await self.sessions.end_all_of(user.id)
            await self.attempts.forget(username=name, address=None)
            if not free_name:
                await self.erased_names.keep(name)
            await self.audit.record(self.action, actor=self.identity.username.value, target=user.pseudonym)
            await self.trail.erase(name.value, user.pseudonym)
