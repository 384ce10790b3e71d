import pytest

from gatehouse.accounts.application.commands.create_super_admin import CreateSuperAdmin
from gatehouse.accounts.domain.errors import UsernameTakenError
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import InvalidError
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.in_memory_app import InMemoryApp


def fail_if_asked() -> str:
    pytest.fail("asked for a password")


async def test_a_new_super_admin_gets_the_password_that_was_asked_for() -> None:
    app = InMemoryApp()

    await app.use(CreateSuperAdmin)("Chief", lambda: PASSWORD)

    chief = app.user("chief")
    assert (chief.role, chief.is_active, chief.password_hash) == (Role.SUPER_ADMIN, True, f"hash of {PASSWORD}")
    assert not chief.must_change_password


@pytest.mark.promise("Z11")
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("is_active", [True, False])
async def test_an_existing_account_is_refused_before_a_password_is_asked_for(role: Role, *, is_active: bool) -> None:
    app = InMemoryApp()
    alice = app.add_user("alice", role, is_active=is_active)

    with pytest.raises(UsernameTakenError):
        await app.use(CreateSuperAdmin)("Alice", fail_if_asked)

    assert app.user("alice") == alice


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


@pytest.mark.promise("Z11")
async def test_a_user_who_signs_up_while_the_password_is_typed_is_not_raised() -> None:
    app = InMemoryApp()

    def type_slowly() -> str:
        app.add_user("chief")
        return PASSWORD

    with pytest.raises(UsernameTakenError):
        await app.use(CreateSuperAdmin)("chief", type_slowly)

    assert app.user("chief").role is Role.USER
