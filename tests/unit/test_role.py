import pytest

from gatehouse.accounts.domain.role import Role

MANAGED = {
    (Role.SUPER_ADMIN, Role.ADMIN),
    (Role.SUPER_ADMIN, Role.USER),
    (Role.ADMIN, Role.USER),
}


@pytest.mark.promise("Z2")
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("other", Role)
def test_one_manages_only_those_strictly_below_oneself(role: Role, other: Role) -> None:
    assert role.manages(other) is ((role, other) in MANAGED)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("other", Role)
def test_a_role_is_at_least_itself_and_all_it_manages(role: Role, other: Role) -> None:
    assert role.is_at_least(other) is (role is other or (role, other) in MANAGED)
