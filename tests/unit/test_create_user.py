import pytest

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.commands.create_user import CreateUser
from gatehouse.accounts.domain.errors import UsernameTakenError
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import ForbiddenError, InvalidError, UnauthenticatedError
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.in_memory_app import InMemoryApp


@pytest.mark.promise("P11")
@pytest.mark.parametrize(
    ("caller", "role"), [(Role.ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.ADMIN)]
)
async def test_one_creates_accounts_below_oneself(caller: Role, role: Role) -> None:
    app = InMemoryApp()

    account = await app.use(CreateUser, app.add_user("caller", caller))("Alice", PASSWORD, role)

    alice = app.user("alice")
    assert account == Account.of(alice)
    assert (alice.role, alice.is_active, alice.password_hash) == (role, True, f"hash of {PASSWORD}")
    assert alice.must_change_password


@pytest.mark.parametrize(
    ("caller", "role"),
    [
        (Role.USER, Role.USER),
        (Role.ADMIN, Role.ADMIN),
        (Role.ADMIN, Role.SUPER_ADMIN),
        (Role.SUPER_ADMIN, Role.SUPER_ADMIN),
    ],
)
@pytest.mark.promise("Z2", "Z8")
@pytest.mark.parametrize("username", ["alice", "taken", "not a name"])
async def test_any_other_role_is_refused_before_anything_is_hashed(caller: Role, role: Role, username: str) -> None:
    app = InMemoryApp()
    app.add_user("taken")
    app.hasher.meanwhile = lambda: pytest.fail("hashed")

    with pytest.raises(ForbiddenError):
        await app.use(CreateUser, app.add_user("caller", caller))(username, PASSWORD, role)

    assert len(app.store.users) == 2


async def test_a_taken_username_is_refused() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    alice = app.add_user("alice")

    with pytest.raises(UsernameTakenError):
        await app.use(CreateUser, admin)("alice", PASSWORD, Role.USER)

    assert app.user("alice") == alice


@pytest.mark.parametrize(
    ("username", "password", "field"),
    [("no", PASSWORD, "username"), ("alice", "too short", "password"), ("alice", "a weak password", "password")],
)
async def test_invalid_input_is_refused(username: str, password: str, field: str) -> None:
    app = InMemoryApp()

    with pytest.raises(InvalidError) as refusal:
        await app.use(CreateUser, app.add_user("admin", Role.ADMIN))(username, password, Role.USER)

    assert refusal.value.field == field
    assert len(app.store.users) == 1


@pytest.mark.promise("Z6")
async def test_an_admin_who_is_demoted_during_the_hashing_is_refused() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    app.hasher.meanwhile = lambda: setattr(app.user("admin"), "role", Role.USER)

    with pytest.raises(ForbiddenError):
        await app.use(CreateUser, admin)("alice", PASSWORD, Role.USER)

    assert len(app.store.users) == 1


@pytest.mark.promise("Z6")
async def test_an_admin_who_is_inactivated_during_the_hashing_is_refused() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    app.hasher.meanwhile = lambda: setattr(app.user("admin"), "is_active", False)

    with pytest.raises(UnauthenticatedError):
        await app.use(CreateUser, admin)("alice", PASSWORD, Role.USER)

    assert len(app.store.users) == 1


async def test_an_admin_who_is_removed_during_the_hashing_is_refused() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    app.hasher.meanwhile = app.store.users.clear

    with pytest.raises(UnauthenticatedError):
        await app.use(CreateUser, admin)("alice", PASSWORD, Role.USER)

    assert app.store.users == {}
