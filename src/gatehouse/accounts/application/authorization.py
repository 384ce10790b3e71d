"""Decisions about the caller, made on locked rows."""

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.ports import Users
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.domain.errors import UnauthenticatedError, UserNotFoundError


def ensure_active(actor: User | None) -> User:
    """The caller may have been inactivated or removed between authentication and the lock."""
    if actor is None or not actor.is_active:
        raise UnauthenticatedError
    return actor


def ensure_subordinate(actor: User, user: User | None, actor_is: Role) -> User:
    """The user, if the actor has at least the role asked for and manages them.

    The actor's role is checked before anything is said of the user, so that 403 reads the same for a user who exists
    and for one who doesn't.
    """
    actor.ensure_at_least(actor_is)
    if user is None:
        raise UserNotFoundError
    actor.ensure_manages(user)
    return user


async def lock_actor(users: Users, identity: Identity) -> User:
    return ensure_active(await users.lock_by_id(identity.user_id))


async def lock_subordinate(users: Users, identity: Identity, username: Username, *, actor_is: Role) -> User:
    actor, user = await users.lock_with_actor(identity.user_id, username)
    return ensure_subordinate(ensure_active(actor), user, actor_is)


async def lock_self_or_subordinate(users: Users, identity: Identity, username: Username) -> tuple[User, User]:
    """The caller, and the named user: oneself or someone whom one manages."""
    locked, user = await users.lock_with_actor(identity.user_id, username)
    actor = ensure_active(locked)
    if user is not None and user.id == actor.id:
        return actor, user
    return actor, ensure_subordinate(actor, user, Role.ADMIN)
