import pytest

from gatehouse.accounts.application.commands.create_super_admin import CreateSuperAdmin, SuperAdminOutcome
from gatehouse.accounts.domain.errors import UsernameTakenError
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import InvalidError
from tests.fakes import PASSWORD
from tests.in_memory_app import InMemoryApp


def fail_if_asked() -> str:
    pytest.fail("asked for a password")


async def test_a_new_super_admin_gets_the_password_that_was_asked_for() -> None:
    app = InMemoryApp()

    outcome = await app.use(CreateSuperAdmin)("Chief", lambda: PASSWORD)

    chief = app.user("chief")
    assert outcome is SuperAdminOutcome.CREATED
    assert (chief.role, chief.is_active, chief.password_hash) == (Role.SUPER_ADMIN, True, f"hash of {PASSWORD}")
    assert not chief.must_change_password


@pytest.mark.parametrize("role", [Role.USER, Role.ADMIN])
@pytest.mark.parametrize("is_active", [True, False])
async def test_an_existing_user_is_raised_and_keeps_the_password(role: Role, *, is_active: bool) -> None:
    app = InMemoryApp()
    alice = app.add_user("alice", role, is_active=is_active)

    outcome = await app.use(CreateSuperAdmin)("alice", fail_if_asked)

    user = app.user("alice")
    assert outcome is SuperAdminOutcome.PROMOTED
    assert (user.role, user.is_active, user.password_hash) == (Role.SUPER_ADMIN, True, alice.password_hash)


async def test_an_inactive_super_admin_is_made_active() -> None:
    app = InMemoryApp()
    app.add_user("chief", Role.SUPER_ADMIN, is_active=False)

    assert await app.use(CreateSuperAdmin)("chief", fail_if_asked) is SuperAdminOutcome.PROMOTED
    assert app.user("chief").is_active


async def test_an_active_super_admin_stays_unchanged() -> None:
    app = InMemoryApp()
    chief = app.add_user("chief", Role.SUPER_ADMIN)

    assert await app.use(CreateSuperAdmin)("chief", fail_if_asked) is SuperAdminOutcome.UNCHANGED
    assert app.user("chief") == chief


@pytest.mark.parametrize(
    ("username", "password", "field"),
    [("no", PASSWORD, "username"), ("chief", "too short", "password"), ("chief", "a weak password", "password")],
)
async def test_invalid_input_is_refused(username: str, password: str, field: str) -> None:
    app = InMemoryApp()

    with pytest.raises(InvalidError) as refusal:
        await app.use(CreateSuperAdmin)(username, lambda: password)

    assert refusal.value.field == field
    assert app.store.users == {}


async def test_a_user_who_signs_up_while_the_password_is_typed_is_not_raised() -> None:
    app = InMemoryApp()

    def type_slowly() -> str:
        app.add_user("chief")
        return PASSWORD

    with pytest.raises(UsernameTakenError):
        await app.use(CreateSuperAdmin)("chief", type_slowly)

    assert app.user("chief").role is Role.USER
