"""What an administrator may do with an account: which act, by whom, on whom, and what it says before and after."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from gatehouse.accounts import Account, Identity, Role, manages
from gatehouse.accounts.application.commands.end_user_sessions import EndUserSessions
from gatehouse.accounts.application.commands.erase_user import EraseUser
from gatehouse.accounts.application.commands.grant_admin import GrantAdmin
from gatehouse.accounts.application.commands.inactivate_user import InactivateUser
from gatehouse.accounts.application.commands.reactivate_user import ReactivateUser
from gatehouse.accounts.application.commands.revoke_admin import RevokeAdmin

type Execute = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Act:
    name: str
    """In paths."""
    label: str
    """On a button."""
    command: type[Execute]
    applies_to: Callable[[Account], bool]
    before: str
    """What will happen."""
    after: str
    """What has happened, behind the username."""
    needs: Role = Role.ADMIN
    asks_first: bool = True
    """Since it takes something away."""
    is_harmful: bool = False
    """Its button warns."""
    is_for_many: bool = True


ACTS: Final = {
    act.name: act
    for act in (
        Act(
            "inactivate",
            "Inactivate",
            InactivateUser,
            lambda account: account.is_active,
            "The account can no longer log in, and all its sessions end. It can be reactivated.",
            "is inactive now, and all sessions have ended",
            is_harmful=True,
        ),
        Act(
            "reactivate",
            "Reactivate",
            ReactivateUser,
            lambda account: not account.is_active,
            "The account can log in again.",
            "is active now",
            asks_first=False,
        ),
        Act(
            "grant",
            "Make an admin",
            GrantAdmin,
            lambda account: account.role is Role.USER,
            "The account may administer users from now on. Its sessions end: it has to log in anew.",
            "is an admin now",
            Role.SUPER_ADMIN,
        ),
        Act(
            "revoke",
            "Make a plain user",
            RevokeAdmin,
            lambda account: account.role is Role.ADMIN,
            "The account may no longer administer users.",
            "is a plain user now",
            Role.SUPER_ADMIN,
        ),
        Act(
            "end-sessions",
            "End all sessions",
            EndUserSessions,
            lambda _: True,
            "The account is logged out in every browser. It can log in again.",
            "is logged out everywhere",
        ),
        Act(
            "erase",
            "Erase",
            EraseUser,
            lambda _: True,
            "The account is gone for good: name, password, addresses and devices, also from the audit trail. "
            "This cannot be undone.",
            "is erased",
            Role.SUPER_ADMIN,
            is_harmful=True,
            is_for_many=False,
        ),
    )
}


def acts_of(viewer: Identity) -> list[Act]:
    """Those that the viewer's role allows at all."""
    return [act for act in ACTS.values() if viewer.role is act.needs or manages(viewer.role, act.needs)]


def acts_on(viewer: Identity, account: Account) -> list[Act]:
    """Those that the viewer may do with this account now. The command decides again."""
    if not manages(viewer.role, account.role):
        return []
    return [act for act in acts_of(viewer) if act.applies_to(account)]
