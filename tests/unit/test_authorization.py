from contextlib import nullcontext

import pytest

from gatehouse.accounts.domain.authorization import ensure_at_least, ensure_manages, manages
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import ForbiddenError

MANAGED = {
    (Role.SUPER_ADMIN, Role.ADMIN),
    (Role.SUPER_ADMIN, Role.USER),
    (Role.ADMIN, Role.USER),
}


@pytest.mark.promise("Z2")
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("other", Role)
def test_one_manages_only_those_strictly_below_oneself(role: Role, other: Role) -> None:
    is_below = (role, other) in MANAGED

    assert manages(role, other) is is_below
    with nullcontext() if is_below else pytest.raises(ForbiddenError):
        ensure_manages(role, other)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("needed", Role)
def test_a_role_suffices_for_what_asks_for_it_or_for_one_that_it_manages(role: Role, needed: Role) -> None:
    suffices = role is needed or (role, needed) in MANAGED

    with nullcontext() if suffices else pytest.raises(ForbiddenError):
        ensure_at_least(role, needed)
