from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gatehouse.accounts.application.user_file import FIELDS, ImportRules, read_user
from gatehouse.accounts.domain.password import NO_PASSWORD
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.common.domain.errors import InvalidError
from gatehouse.testing.accounts.import_fakes import FakeImportedHashes

NOW = datetime(2026, 11, 27, 18, 0, tzinfo=UTC)
FULL = {
    "id": "0199f5a0-0000-7000-8000-000000000001",
    "username": "Alice",
    "role": "user",
    "is_active": False,
    "must_change_password": True,
    "created_at": "2020-01-31T18:30:00.123456+02:00",
    "updated_at": "2021-01-31 18:30:00Z",
    "last_login_at": "2022-01-31T18:30:00-01:00",
    "password_hash": "hash of a password",
}


def read(rules: ImportRules | None = None, /, **fields: object) -> User:
    return read_user(fields, rules or ImportRules(), FakeImportedHashes(), NOW)


def refusal(rules: ImportRules | None = None, /, **fields: object) -> str:
    with pytest.raises(InvalidError) as caught:
        read(rules, **fields)
    return f"{caught.value.field}: {caught.value.message}"


def test_a_row_is_an_account() -> None:
    assert read(**FULL) == read_user(
        FULL,
        ImportRules(),
        FakeImportedHashes(),
        NOW + timedelta(days=1),
    )
    user = read(**FULL)

    assert user.id == UUID(str(FULL["id"]))
    assert user.username.value == "alice"
    assert (user.role, user.is_active, user.must_change_password) == (Role.USER, False, True)
    assert user.created_at == datetime(2020, 1, 31, 16, 30, 0, 123456, tzinfo=UTC)
    assert user.updated_at == datetime(2021, 1, 31, 18, 30, tzinfo=UTC)
    assert user.last_login_at == datetime(2022, 1, 31, 19, 30, tzinfo=UTC)
    assert user.password_hash == "hash of a password"


def test_each_field_of_a_row_is_read() -> None:
    assert FULL.keys() == set(FIELDS)


@pytest.mark.promise("X1")
def test_what_stands_for_an_erased_account_is_no_username() -> None:
    pseudonym = read(**FULL).pseudonym

    assert refusal(username=pseudonym) == "username: Stands for an erased account."


@pytest.mark.parametrize("absent", [{}, {field: None for field in FIELDS if field != "username"}])
def test_a_username_is_enough_and_then_no_password_is_right(absent: dict[str, None]) -> None:
    user = read(username="alice", **absent)

    assert (user.role, user.is_active, user.must_change_password) == (Role.USER, True, False)
    assert (user.created_at, user.updated_at, user.last_login_at) == (NOW, NOW, None)
    assert user.password_hash == NO_PASSWORD


def test_the_time_of_the_creation_is_that_of_the_last_change_where_there_is_none() -> None:
    user = read(username="alice", created_at=FULL["created_at"])

    assert user.updated_at == user.created_at


@pytest.mark.promise("Z10")
def test_a_row_without_an_id_is_the_same_account_each_time() -> None:
    content = {field: value for field, value in FULL.items() if field != "id"}
    first = read(**content)

    assert first.id.version == 8
    assert first.id.variant == "specified in RFC 4122"
    again = read_user({**content, "username": "ALICE", "id": None}, ImportRules(), FakeImportedHashes(), NOW)
    assert again.id == first.id
    for field, other in {"username": "other", "role": None, "password_hash": "hash of another"}.items():
        assert read(**{**content, field: other}).id != first.id


@pytest.mark.promise("Z11")
@pytest.mark.parametrize(
    ("highest", "allowed"),
    [
        (Role.USER, {Role.USER}),
        (Role.ADMIN, {Role.USER, Role.ADMIN}),
        (Role.SUPER_ADMIN, {Role.USER, Role.ADMIN, Role.SUPER_ADMIN}),
    ],
)
def test_roles_above_the_allowed_one_are_refused(highest: Role, allowed: set[Role]) -> None:
    for role in Role:
        rules = ImportRules(highest_role=highest)
        if role in allowed:
            assert read(rules, username="alice", role=role.value).role is role
        else:
            message = f"role: Is above {highest}; --highest-role allows more."
            assert refusal(rules, username="alice", role=role.value) == message


@pytest.mark.promise("Z11")
@pytest.mark.parametrize("name", ["admin", "Root1", "sup.port", "adm1n"])
def test_reserved_names_are_refused_unless_they_are_allowed(name: str) -> None:
    assert refusal(username=name) == "username: Is reserved; --allow-reserved lets such names in."
    assert read(ImportRules(allows_reserved=True), username=name).username.value == name.lower()


def test_it_says_whether_bcrypt_is_peppered() -> None:
    user = read(ImportRules(has_peppered_bcrypt=True), username="alice", password_hash="hash of it")

    assert user.password_hash == "peppered hash of it"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "username"),
        ({"username": None}, "username"),
        ({"username": ""}, "username"),
        ({"username": "abc"}, "username"),
        ({"username": "a" * 21}, "username"),
        ({"username": "al\0ice"}, "username"),
        ({"username": "al\ud800ice"}, "username"),
        ({"username": "аlice"}, "username"),  # noqa: RUF001  # a Cyrillic letter
        ({"username": "\u212aelvin"}, "username"),
        ({"username": 12345}, "username"),
        ({"username": ["alice"]}, "username"),
        ({"role": "root"}, "role"),
        ({"role": 1}, "role"),
        ({"is_active": "yes"}, "is_active"),
        ({"is_active": 1}, "is_active"),
        ({"must_change_password": "true"}, "must_change_password"),
        ({"created_at": "yesterday"}, "created_at"),
        ({"created_at": "2020-01-31T18:30:00"}, "created_at"),
        ({"created_at": "0001-01-01T00:00:00+10:00"}, "created_at"),
        ({"created_at": 1580495400}, "created_at"),
        ({"updated_at": ""}, "updated_at"),
        ({"last_login_at": "never"}, "last_login_at"),
        ({"id": "1"}, "id"),
        ({"id": 1}, "id"),
        ({"password_hash": "secret"}, "password_hash"),
        ({"password_hash": b"secret"}, "password_hash"),
        ({"email": "alice@example.com"}, "fields"),
    ],
)
def test_what_is_wrong_is_refused_and_not_repeated(fields: dict[str, object], field: str) -> None:
    given = {"username": "alice", **fields} if fields else {}

    message = refusal(**given)

    assert message.startswith(f"{field}: ")
    for value in fields.values():
        assert str(value) in ("", "1", "true") or str(value) not in message.partition(" ")[2]
