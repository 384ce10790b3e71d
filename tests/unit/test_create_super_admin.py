import pytest

from gatehouse.accounts.application.commands.create_super_admin import CreateSuperAdmin, SuperAdminOutcome
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import InvalidError, UsernameTakenError
from tests.fakes import PASSWORD
from tests.world import World


def never_asked() -> str:
    pytest.fail("asked for a password")


async def test_a_new_super_admin_gets_the_password_that_was_asked_for() -> None:
    world = World()

    outcome = await world.use(CreateSuperAdmin)("Chief", lambda: PASSWORD)

    chief = world.user("chief")
    assert outcome is SuperAdminOutcome.CREATED
    assert (chief.role, chief.is_active, chief.password_hash) == (Role.SUPER_ADMIN, True, f"hash of {PASSWORD}")
    assert not chief.must_change_password


@pytest.mark.parametrize("role", [Role.USER, Role.ADMIN])
@pytest.mark.parametrize("is_active", [True, False])
async def test_an_existing_user_is_raised_and_keeps_the_password(role: Role, *, is_active: bool) -> None:
    world = World()
    alice = world.add_user("alice", role, is_active=is_active)

    outcome = await world.use(CreateSuperAdmin)("alice", never_asked)

    raised = world.user("alice")
    assert outcome is SuperAdminOutcome.RAISED
    assert (raised.role, raised.is_active, raised.password_hash) == (Role.SUPER_ADMIN, True, alice.password_hash)


async def test_an_inactive_super_admin_is_made_active() -> None:
    world = World()
    world.add_user("chief", Role.SUPER_ADMIN, is_active=False)

    assert await world.use(CreateSuperAdmin)("chief", never_asked) is SuperAdminOutcome.RAISED
    assert world.user("chief").is_active


async def test_an_active_super_admin_stays_unchanged() -> None:
    world = World()
    chief = world.add_user("chief", Role.SUPER_ADMIN)

    assert await world.use(CreateSuperAdmin)("chief", never_asked) is SuperAdminOutcome.UNCHANGED
    assert world.user("chief") == chief


@pytest.mark.parametrize(
    ("username", "password", "field"),
    [("no", PASSWORD, "username"), ("chief", "too short", "password"), ("chief", "a weak password", "password")],
)
async def test_invalid_input_is_refused(username: str, password: str, field: str) -> None:
    world = World()

    with pytest.raises(InvalidError) as refusal:
        await world.use(CreateSuperAdmin)(username, lambda: password)

    assert refusal.value.field == field
    assert world.store.users == {}


async def test_a_user_who_signs_up_while_the_password_is_typed_is_not_raised() -> None:
    world = World()

    def type_slowly() -> str:
        world.add_user("chief")
        return PASSWORD

    with pytest.raises(UsernameTakenError):
        await world.use(CreateSuperAdmin)("chief", type_slowly)

    assert world.user("chief").role is Role.USER
