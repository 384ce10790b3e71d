"""Locking the caller and the user that a command changes, and authorizing on the locked rows.

The role that the caller came with is judged first: a caller without the right never waits for a row, nor makes others
wait. Then it is judged again on the locked row, since it may have changed meanwhile.

A command that also locks rows of another table locks users first, and then those, each ordered by id: with one order
for all commands, there is no deadlock.
"""

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.ports import Users
from gatehouse.accounts.domain.authorization import ensure_active, ensure_at_least, ensure_subordinate
from gatehouse.accounts.domain.errors import UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username


async def lock_actor(users: Users, identity: Identity, *, actor_is: Role) -> User:
    """The caller, who must be active and have at least that role.

    Raises ForbiddenError or UnauthenticatedError, as all of these functions do.
    """
    ensure_at_least(identity.role, actor_is)
    actor = ensure_active(await users.lock_by_id(identity.user_id))
    ensure_at_least(actor.role, actor_is)
    return actor


async def lock_actor_and_user(
    users: Users, identity: Identity, username: Username, *, actor_is: Role
) -> tuple[User, User]:
    """The caller, who must be active and have at least that role, and the named user, of any role: for what is done for
    somebody, as an item is lent to a borrower. Both may be the same.

    Until the transaction ends, the user stays what it is, also as to `is_active`, and any other command that locks the
    same user waits: what it counts of this user's rows stays true. Raises UserNotFoundError.
    """
    ensure_at_least(identity.role, actor_is)
    actor, user = await users.lock_with_actor(identity.user_id, username)
    actor = ensure_active(actor)
    ensure_at_least(actor.role, actor_is)
    if user is None:
        raise UserNotFoundError
    return actor, user


async def lock_subordinate(users: Users, identity: Identity, username: Username, *, actor_is: Role) -> User:
    """The named user, whom the caller must manage, for what is done to somebody. Raises UserNotFoundError."""
    ensure_at_least(identity.role, actor_is)
    actor, user = await users.lock_with_actor(identity.user_id, username)
    return ensure_subordinate(ensure_active(actor), user, actor_is)


async def lock_self_or_subordinate(users: Users, identity: Identity, username: Username) -> tuple[User, User]:
    """The caller and the named user, who is the caller or someone whom the caller manages."""
    if username != identity.username:
        ensure_at_least(identity.role, Role.ADMIN)
    actor, user = await users.lock_with_actor(identity.user_id, username)
    actor = ensure_active(actor)
    if user is not None and user.id == actor.id:
        return actor, user
    return actor, ensure_subordinate(actor, user, Role.ADMIN)
