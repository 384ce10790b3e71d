"""Bodies that another reader on the way, such as a firewall, could understand otherwise than the service does."""

import codecs

import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.answers import assert_done, assert_problem
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import LOGIN, RunningApp

pytestmark = pytest.mark.promise("E8")

JSON = {"content-type": "application/json"}
USERS = "/api/v1/users/"
NOT_JSON = ("body", "Is not valid JSON.")
CREDENTIALS = f'{{"username": "alice", "password": "{PASSWORD}"}}'


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "identity, gzip", "x", ""])
async def test_a_content_coding_is_not_supported(app: RunningApp, coding: str) -> None:
    answer = await (await app.client()).post(LOGIN, content=CREDENTIALS, headers={**JSON, "content-encoding": coding})

    assert_problem(answer, "unsupported-media-type")


async def test_of_two_content_codings_neither_may_be_one(app: RunningApp) -> None:
    headers = [("content-type", "application/json"), ("content-encoding", "identity"), ("content-encoding", "gzip")]
    answer = await (await app.client()).post(LOGIN, content=CREDENTIALS, headers=headers)

    assert_problem(answer, "unsupported-media-type")


@pytest.mark.parametrize("coding", ["identity", "Identity"])
async def test_the_coding_that_changes_nothing_is_none(app: RunningApp, coding: str) -> None:
    await app.add_user("alice")
    answer = await (await app.client()).post(LOGIN, content=CREDENTIALS, headers={**JSON, "content-encoding": coding})

    assert_done(answer)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "cp037"])
@pytest.mark.parametrize("charset", ["", "; charset={}"])
async def test_a_body_is_utf_8_without_a_byte_order_mark(app: RunningApp, encoding: str, charset: str) -> None:
    await app.add_user("alice")
    headers = {"content-type": "application/json" + charset.format(codecs.lookup(encoding).name)}
    answer = await (await app.client()).post(LOGIN, content=CREDENTIALS.encode(encoding), headers=headers)

    assert_problem(answer, "invalid-input", NOT_JSON)


@pytest.mark.parametrize(
    "content",
    [
        '{"username": "alice", "role": "user", "role": "admin", "password": "%s"}',
        '{"username": "alice", "role": "user", "r\\u006fle": "admin", "password": "%s"}',
        '{"username": "alice", "role": "user", "role": "user", "password": "%s"}',
        '{"username": "alice", "password": "%s", "more": {"twice": 1, "twice": 2}}',
        '[{"twice": 1, "twice": 1}]',
    ],
)
async def test_a_key_that_stands_twice_is_no_json(app: RunningApp, content: str) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    answer = await chief.post(USERS, content=content.replace("%s", PASSWORD), headers=JSON)

    assert_problem(answer, "invalid-input", NOT_JSON)
