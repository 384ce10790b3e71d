import pytest

from gatehouse.accounts.application.commands.change_password import ChangePassword
from gatehouse.accounts.application.passwords import AttemptLimits
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import (
    ForbiddenError,
    InvalidCredentialsError,
    InvalidError,
    PasswordChangeRequiredError,
    ThrottledError,
    UnauthenticatedError,
    UserNotFoundError,
)
from tests.fakes import PASSWORD
from tests.world import World

NEW_PASSWORD = "an entirely new password"


@pytest.mark.parametrize("role", Role)
async def test_ones_own_password_is_changed_with_the_current_one(role: Role) -> None:
    world = World()
    alice = world.add_user("alice", role)

    await world.use(ChangePassword, alice)("ALICE", NEW_PASSWORD, PASSWORD)

    assert world.user("alice").password_hash == f"hash of {NEW_PASSWORD}"


@pytest.mark.promise("S9")
async def test_all_sessions_but_the_current_one_end() -> None:
    world = World()
    alice, other = world.add_user("alice"), world.add_user("other")
    current = world.add_session(alice, "this browser")
    change_password = world.use(ChangePassword, alice)
    world.add_session(alice, "another browser")
    world.add_session(other, "someone else")

    await change_password("alice", NEW_PASSWORD, PASSWORD)

    assert world.sessions_of(alice) == {current.id}
    assert len(world.sessions_of(other)) == 1


@pytest.mark.promise("P10")
async def test_ones_own_password_is_not_changed_without_the_current_one() -> None:
    world = World()
    alice = world.add_user("alice", Role.SUPER_ADMIN)

    with pytest.raises(InvalidError) as refusal:
        await world.use(ChangePassword, alice)("alice", NEW_PASSWORD, None)

    assert refusal.value.field == "current_password"
    assert world.throttle.counts == {}
    assert world.user("alice") == alice


@pytest.mark.promise("P11")
@pytest.mark.parametrize("password", ["caf\u00e9 by the harbour", "cafe\u0301 by the harbour"])
async def test_ones_own_password_is_not_changed_to_itself_in_any_form(password: str) -> None:
    world = World()
    alice = world.add_user("alice", password="caf\u00e9 by the harbour")

    with pytest.raises(InvalidError) as refusal:
        await world.use(ChangePassword, alice)("alice", password, "caf\u00e9 by the harbour")

    assert refusal.value.field == "password"
    assert world.user("alice") == alice


@pytest.mark.promise("P10")
async def test_a_wrong_current_password_is_refused() -> None:
    world = World()
    alice = world.add_user("alice")
    change_password = world.use(ChangePassword, alice)
    session = world.add_session(alice)

    with pytest.raises(InvalidCredentialsError):
        await change_password("alice", NEW_PASSWORD, "wrong password")

    assert world.user("alice") == alice
    assert world.sessions_of(alice) == {session.id}


async def test_an_admin_changes_a_subordinates_password_which_ends_all_their_sessions() -> None:
    world = World()
    admin, alice = world.add_user("admin", Role.ADMIN), world.add_user("alice")
    own = world.add_session(admin, "the admin's")
    world.add_session(alice, "the user's")

    await world.use(ChangePassword, admin)("alice", NEW_PASSWORD, None)

    assert world.user("alice").password_hash == f"hash of {NEW_PASSWORD}"
    assert world.sessions_of(alice) == set()
    assert world.sessions_of(admin) == {own.id}


@pytest.mark.parametrize(
    ("caller", "target"),
    [
        (Role.USER, "alice"),
        (Role.USER, "nobody"),
        (Role.ADMIN, "other"),
        (Role.ADMIN, "chief"),
        (Role.SUPER_ADMIN, "chief"),
    ],
)
async def test_nobody_changes_the_password_of_one_they_do_not_manage(caller: Role, target: str) -> None:
    world = World()
    world.add_user("alice")
    world.add_user("other", Role.ADMIN)
    world.add_user("chief", Role.SUPER_ADMIN)
    world.hasher.meanwhile = lambda: pytest.fail("hashed")

    with pytest.raises(ForbiddenError):
        await world.use(ChangePassword, world.add_user("caller", caller))(target, NEW_PASSWORD, PASSWORD)

    assert {user.password_hash for user in world.store.users.values()} == {f"hash of {PASSWORD}"}


async def test_an_unknown_user_is_not_found() -> None:
    world = World()

    with pytest.raises(UserNotFoundError):
        await world.use(ChangePassword, world.add_user("admin", Role.ADMIN))("nobody", NEW_PASSWORD, None)


async def test_the_new_password_must_obey_the_policy() -> None:
    world = World()
    alice = world.add_user("alice")

    with pytest.raises(InvalidError) as refusal:
        await world.use(ChangePassword, alice)("alice", "too short", PASSWORD)

    assert refusal.value.field == "password"
    assert world.user("alice") == alice


@pytest.mark.promise("P9")
async def test_of_two_own_changes_at_once_the_later_is_refused() -> None:
    world = World()
    alice = world.add_user("alice")
    world.hasher.meanwhile = lambda: setattr(world.user("alice"), "password_hash", "another hash")

    with pytest.raises(InvalidCredentialsError):
        await world.use(ChangePassword, alice)("alice", NEW_PASSWORD, PASSWORD)

    assert world.user("alice").password_hash == "another hash"


@pytest.mark.promise("Z6")
async def test_a_subordinate_who_is_promoted_during_the_hashing_keeps_the_password() -> None:
    world = World()
    admin, alice = world.add_user("admin", Role.ADMIN), world.add_user("alice")
    world.hasher.meanwhile = lambda: setattr(world.user("alice"), "role", Role.ADMIN)

    with pytest.raises(ForbiddenError):
        await world.use(ChangePassword, admin)("alice", NEW_PASSWORD, None)

    assert world.user("alice").password_hash == alice.password_hash


@pytest.mark.promise("Z6")
async def test_one_who_is_inactivated_during_the_hashing_changes_nothing() -> None:
    world = World()
    alice = world.add_user("alice")
    world.hasher.meanwhile = lambda: setattr(world.user("alice"), "is_active", False)

    with pytest.raises(UnauthenticatedError):
        await world.use(ChangePassword, alice)("alice", NEW_PASSWORD, PASSWORD)

    assert world.user("alice").password_hash == alice.password_hash


@pytest.mark.promise("P11")
async def test_what_an_admin_chose_must_be_changed_and_ones_own_choice_need_not() -> None:
    world = World()
    admin, alice = world.add_user("admin", Role.ADMIN), world.add_user("alice")

    await world.use(ChangePassword, admin)("alice", NEW_PASSWORD, None)
    assert world.user("alice").must_change_password

    await world.use(ChangePassword, world.user("alice"))("alice", PASSWORD, NEW_PASSWORD)
    assert not world.user("alice").must_change_password
    assert not world.user("admin").must_change_password
    assert world.user("alice").password_hash == alice.password_hash


@pytest.mark.promise("P11")
@pytest.mark.parametrize("target", ["alice", "other", "chief", "nobody"])
async def test_one_who_must_change_the_password_cannot_set_anothers_or_ask_who_exists(target: str) -> None:
    world = World()
    world.add_user("alice")
    world.add_user("other", Role.ADMIN)
    world.add_user("chief", Role.SUPER_ADMIN)
    world.add_user("admin", Role.ADMIN)
    world.user("admin").must_change_password = True
    world.hasher.meanwhile = lambda: pytest.fail("hashed")

    with pytest.raises(PasswordChangeRequiredError):
        await world.use(ChangePassword, world.user("admin"))(target, NEW_PASSWORD, None)

    assert {user.password_hash for user in world.store.users.values()} == {f"hash of {PASSWORD}"}


@pytest.mark.promise("P10", "L5")
async def test_guesses_at_the_current_password_are_throttled() -> None:
    world = World()
    alice = world.add_user("alice")
    for _ in range(AttemptLimits().per_account):
        with pytest.raises(InvalidCredentialsError):
            await world.use(ChangePassword, alice)("alice", NEW_PASSWORD, "wrong password")

    with pytest.raises(ThrottledError):
        await world.use(ChangePassword, alice)("alice", NEW_PASSWORD, PASSWORD)

    assert world.user("alice") == alice
    assert len(world.hasher.verified) == AttemptLimits().per_account


@pytest.mark.promise("P5")
async def test_a_weak_new_password_is_refused_with_the_reason() -> None:
    world = World()
    alice = world.add_user("alice")

    with pytest.raises(InvalidError) as refusal:
        await world.use(ChangePassword, alice)("alice", "a weak password is this", PASSWORD)

    assert refusal.value.message == "Is weak, alice."
    assert world.user("alice") == alice
