import pytest

from gatehouse.accounts.application.commands.create_super_admin import CreateSuperAdmin
from gatehouse.accounts.application.commands.create_user import CreateUser
from gatehouse.accounts.application.commands.erase_user import EraseUser
from gatehouse.accounts.application.commands.sign_up import SignUp
from gatehouse.accounts.domain.errors import UsernameTakenError, UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import is_pseudonym
from gatehouse.accounts.domain.username import Username
from gatehouse.common.domain.errors import ForbiddenError, UnauthenticatedError
from gatehouse.testing.fakes import PASSWORD, FakeEvent
from gatehouse.testing.in_memory_app import InMemoryApp

MANAGED = [(Role.SUPER_ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.ADMIN)]
OTHERS = [(caller, role) for caller in Role for role in Role if (caller, role) not in MANAGED]


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


@pytest.mark.promise("X1")
@pytest.mark.parametrize(("caller", "role"), MANAGED)
@pytest.mark.parametrize("is_active", [True, False])
async def test_super_admins_erase_a_subordinate_with_sessions_and_counted_attempts(
    app: InMemoryApp, caller: Role, role: Role, *, is_active: bool
) -> None:
    chief, alice = app.add_user("chief", caller), app.add_user("alice", role, is_active=is_active)
    bobby = app.add_user("bobby")
    app.add_session(alice)
    of_bobby = app.add_session(bobby, "another")
    others = {"password:bobby:192.0.2.1": 1, "password:192.0.2.1": 4}
    app.throttle.counts |= {"password:alice:192.0.2.1": 3, **others}

    await app.use(EraseUser, chief)("Alice")

    assert {user.username.value for user in app.store.users.values()} == {"chief", "bobby"}
    assert app.sessions_of(alice) == set()
    assert app.sessions_of(bobby) == {of_bobby.id}
    assert app.throttle.counts == others


@pytest.mark.promise("X1")
async def test_in_the_trail_a_pseudonym_stands_where_the_name_stood(app: InMemoryApp) -> None:
    chief, alice = app.add_user("chief", Role.SUPER_ADMIN), app.add_user("alice")
    app.store.events += [FakeEvent("log_in", "alice", "alice"), FakeEvent("log_in", "bobby", "bobby")]

    await app.use(EraseUser, chief)("alice")

    name = alice.pseudonym
    assert app.store.events == [
        FakeEvent("log_in", name, name),
        FakeEvent("log_in", "bobby", "bobby"),
        FakeEvent("erase_user", "chief", name),
    ]


def test_a_pseudonym_is_no_username_and_no_two_accounts_have_the_same(app: InMemoryApp) -> None:
    pseudonyms = {app.add_user(f"alice{number}").pseudonym for number in range(100)}

    assert len(pseudonyms) == 100
    assert all(is_pseudonym(pseudonym) and Username.parse(pseudonym) is None for pseudonym in pseudonyms)
    assert not any(is_pseudonym(name) for name in ("alice", "", "~", "~0123456789abcdeg", "~0123456789abcdef\n"))


@pytest.mark.promise("X1")
@pytest.mark.parametrize("free_name", [False, True])
async def test_the_name_is_free_again_only_if_that_was_asked_for(app: InMemoryApp, *, free_name: bool) -> None:
    chief = app.add_user("chief", Role.SUPER_ADMIN)
    app.add_user("alice")
    await app.use(EraseUser, chief)("alice", free_name=free_name)

    for attempt in (
        lambda: app.use(SignUp)("Alice", PASSWORD),
        lambda: app.use(CreateUser, chief)("Alice", PASSWORD, Role.USER),
        lambda: app.use(CreateSuperAdmin)("Alice", lambda: PASSWORD),
    ):
        if free_name:
            await attempt()
            del app.store.users[app.user("alice").id]
        else:
            with pytest.raises(UsernameTakenError):
                await attempt()
            assert set(app.store.users) == {chief.id}


@pytest.mark.promise("Z2", "Z3")
@pytest.mark.parametrize(("caller", "role"), OTHERS)
async def test_nobody_else_erases_anybody(app: InMemoryApp, caller: Role, role: Role) -> None:
    alice = app.add_user("alice", role)

    with pytest.raises(ForbiddenError):
        await app.use(EraseUser, app.add_user("caller", caller))("alice")

    assert app.user("alice") == alice


@pytest.mark.promise("Z2")
@pytest.mark.parametrize("role", Role)
async def test_nobody_erases_oneself(app: InMemoryApp, role: Role) -> None:
    caller = app.add_user("caller", role)

    with pytest.raises(ForbiddenError):
        await app.use(EraseUser, caller)("caller")

    assert app.user("caller") == caller


async def test_who_is_not_there_or_was_erased_before_is_not_found(app: InMemoryApp) -> None:
    chief = app.add_user("chief", Role.SUPER_ADMIN)
    app.add_user("alice")
    await app.use(EraseUser, chief)("alice")
    events = app.store.events[:]

    for name in ("nobody", "alice"):
        with pytest.raises(UserNotFoundError):
            await app.use(EraseUser, chief)(name)

    assert app.store.events == events


async def test_a_super_admin_who_has_been_inactivated_erases_nobody(app: InMemoryApp) -> None:
    alice = app.add_user("alice")

    with pytest.raises(UnauthenticatedError):
        await app.use(EraseUser, app.add_user("chief", Role.SUPER_ADMIN, is_active=False))("alice")

    assert app.user("alice") == alice
