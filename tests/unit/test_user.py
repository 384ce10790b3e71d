from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)

type Change = Callable[[User, datetime], bool]


def user(role: Role = Role.USER, *, is_active: bool = True) -> User:
    user = User.create(Username("alice"), role, "the hash", NOW)
    user.is_active = is_active
    return user


def test_a_new_user_is_active_and_has_an_id_that_sorts_by_time() -> None:
    alice = user()

    assert alice.is_active
    assert alice.id.version == 7
    assert alice.created_at == alice.updated_at == NOW


def test_a_user_is_shown_without_the_password_hash() -> None:
    assert "the hash" not in repr(user())


CHANGES: list[tuple[Change, Role, bool, Role, bool]] = [
    (User.inactivate, Role.USER, True, Role.USER, False),
    (User.reactivate, Role.USER, False, Role.USER, True),
    (User.grant_admin, Role.USER, True, Role.ADMIN, True),
    (User.revoke_admin, Role.ADMIN, True, Role.USER, True),
    (User.grant_super_admin, Role.USER, True, Role.SUPER_ADMIN, True),
    (User.grant_super_admin, Role.ADMIN, False, Role.SUPER_ADMIN, True),
    (User.grant_super_admin, Role.SUPER_ADMIN, False, Role.SUPER_ADMIN, True),
    (User.revoke_super_admin, Role.SUPER_ADMIN, True, Role.USER, True),
]


@pytest.mark.promise("Z10")
@pytest.mark.parametrize(("change", "role", "is_active", "role_after", "is_active_after"), CHANGES)
def test_a_change_says_so_and_a_repeat_changes_nothing(
    change: Change, role: Role, role_after: Role, *, is_active: bool, is_active_after: bool
) -> None:
    alice = user(role, is_active=is_active)

    assert change(alice, LATER)
    assert (alice.role, alice.is_active) == (role_after, is_active_after)
    assert (alice.created_at, alice.updated_at) == (NOW, LATER)

    assert not change(alice, LATER + timedelta(hours=1))
    assert alice.updated_at == LATER


@pytest.mark.promise("P11")
@pytest.mark.parametrize("must_change_before", [True, False])
def test_a_password_that_someone_else_chose_must_be_changed_and_ones_own_need_not(*, must_change_before: bool) -> None:
    alice, admin = user(), user(Role.ADMIN)
    alice.must_change_password = must_change_before

    alice.change_password("the admin's choice", LATER, by=admin)
    assert (alice.password_hash, alice.updated_at, alice.must_change_password) == ("the admin's choice", LATER, True)

    alice.change_password("her own choice", LATER + timedelta(hours=1), by=deepcopy(alice))
    assert (alice.password_hash, alice.must_change_password) == ("her own choice", False)
    assert alice.updated_at == LATER + timedelta(hours=1)
