"""Who may do what: the role hierarchy and every decision made by it.

Nobody manages users of the same or a higher role, or themselves. So admins inactivate users, and only super admins
inactivate admins.
"""

from typing import Final

from gatehouse.accounts.domain.errors import UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.common.domain.errors import ForbiddenError, UnauthenticatedError

MANAGED_BY: Final = {
    Role.SUPER_ADMIN: frozenset({Role.ADMIN, Role.USER}),
    Role.ADMIN: frozenset({Role.USER}),
    Role.USER: frozenset[Role](),
}


def manages(role: Role, other: Role) -> bool:
    """Whether holders of the role administer holders of the other."""
    return other in MANAGED_BY[role]


def ensure_at_least(role: Role, minimum: Role) -> None:
    """Raises ForbiddenError."""
    if role is not minimum and not manages(role, minimum):
        raise ForbiddenError


def ensure_manages(role: Role, other: Role) -> None:
    """Raises ForbiddenError."""
    if not manages(role, other):
        raise ForbiddenError


def ensure_active(actor: User | None) -> User:
    """The caller may have been inactivated or removed between authentication and the lock."""
    if actor is None or not actor.is_active:
        raise UnauthenticatedError
    return actor


def ensure_subordinate(actor: User, user: User | None, actor_is: Role) -> User:
    """The user, if the actor has at least the role `actor_is` and manages the user.

    The actor's role is checked first, so that someone without it gets the same 403 whether or not the user exists.
    """
    ensure_at_least(actor.role, actor_is)
    if user is None:
        raise UserNotFoundError
    ensure_manages(actor.role, user.role)
    return user
