import pytest

from gatehouse.accounts.application.queries.list_users import ListUsers, UserListRequest
from gatehouse.accounts.domain.role import Role
from gatehouse.common.application.paging import SortingOrder
from gatehouse.common.domain.errors import ForbiddenError, InvalidError
from gatehouse.testing.accounts.fake_queries import read
from gatehouse.testing.in_memory_app import InMemoryApp


@pytest.mark.parametrize("caller", [Role.ADMIN, Role.SUPER_ADMIN])
async def test_admins_list_all_accounts_by_username(caller: Role) -> None:
    app = InMemoryApp()
    app.add_user("carol", is_active=False)
    app.add_user("alice", Role.SUPER_ADMIN)

    page = read(await app.use(ListUsers, app.add_user("bobby", caller))(UserListRequest()))

    assert [account.username for account in page.users] == ["alice", "bobby", "carol"]
    assert page.total is None


async def test_the_request_is_obeyed() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    for username in ("alice", "bobby", "carol"):
        app.add_user(username)
    request = UserListRequest(
        role=Role.USER, is_active=True, sorting_order=SortingOrder.DESC, offset=1, limit=1, with_total=True
    )

    page = read(await app.use(ListUsers, admin)(request))

    assert [account.username for account in page.users] == ["bobby"]
    assert page.total == 3


async def test_plain_users_list_nobody() -> None:
    app = InMemoryApp()

    with pytest.raises(ForbiddenError):
        await app.use(ListUsers, app.add_user("mallory"))(UserListRequest())


async def test_a_cursor_cannot_be_combined_with_an_offset() -> None:
    app = InMemoryApp()
    list_users = app.use(ListUsers, app.add_user("admin", Role.ADMIN))

    with pytest.raises(InvalidError) as refusal:
        await list_users(UserListRequest(cursor="a cursor", offset=1))

    assert refusal.value.field == "cursor"
    assert read(await list_users(UserListRequest(cursor="a cursor", offset=0))).users


@pytest.mark.parametrize(
    ("search", "usernames"),
    [
        ("a", ["admin", "alice"]),
        ("AL", ["alice"]),
        ("Alice", ["alice"]),
        ("x", ["x.y_z", "x.zzz"]),
        ("X.", ["x.y_z", "x.zzz"]),
        ("x.y_", ["x.y_z"]),
        ("nobody", []),
    ],
)
async def test_the_beginning_of_a_username_is_looked_for_whatever_its_case(search: str, usernames: list[str]) -> None:
    app = InMemoryApp()
    for username in ("alice", "x.y_z", "x.zzz"):
        app.add_user(username)

    page = read(await app.use(ListUsers, app.add_user("admin", Role.ADMIN))(UserListRequest(search=search)))

    assert [account.username for account in page.users] == usernames


@pytest.mark.promise("I2")
@pytest.mark.parametrize("search", ["", ".a", "a..", "a._b", "a b", "%", "a%", "_", "\u212a", "\u0131", "a\0", "a\n"])
async def test_what_no_username_begins_with_is_refused(search: str) -> None:
    app = InMemoryApp()

    with pytest.raises(InvalidError) as refusal:
        await app.use(ListUsers, app.add_user("admin", Role.ADMIN))(UserListRequest(search=search))

    assert refusal.value.field == "search"
