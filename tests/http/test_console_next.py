"""Where the console leads after the login."""

import pytest

from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import RunningApp

START = "/console/"
ELSEWHERE = [
    "https://evil.example/console/",
    "//evil.example/",
    "//[",
    "/console/..//evil.example/",
    "/console//evil.example/",
    "/console/%2E%2e/docs",
    "/console/./../docs",
    "/console/\\evil.example",
    "/console/log-in?next=/console/",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("asked_for", ELSEWHERE)
async def test_the_login_leads_to_a_page_of_the_console_only(app: RunningApp, asked_for: str) -> None:
    await app.add_user("ursula")
    client = await app.client()

    answer = await client.post(
        "/console/log-in", data={"username": "ursula", "password": PASSWORD, "next": asked_for}, follow_redirects=False
    )

    assert (answer.status_code, answer.headers["location"]) == (303, START)


async def test_a_form_that_was_not_carried_out_says_so_at_the_login(app: RunningApp) -> None:
    answer = await (await app.client()).post("/console/users/ursula/inactivate", data={}, follow_redirects=False)

    assert answer.headers["location"] == "/console/log-in?next=%2Fconsole%2Fusers%2Fursula%2Finactivate&done=nothing"


async def test_logging_out_twice_leads_to_the_start(app: RunningApp) -> None:
    answer = await (await app.client()).post("/console/log-out", data={}, follow_redirects=False)

    assert answer.headers["location"] == "/console/log-in"
