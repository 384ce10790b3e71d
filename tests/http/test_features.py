"""What [features] switches off is not there."""

import pytest

from gatehouse.common.presentation.http.settings import FeatureSettings
from gatehouse.common.settings import Settings
from gatehouse.testing.answers import assert_problem
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import RunningApp

SIGN_UP = "/api/v1/account/signup"
ACCOUNT = {"username": "alice", "password": PASSWORD}


async def test_without_sign_up_nobody_can_make_an_account_and_no_document_mentions_it(settings: Settings) -> None:
    async with run_app(settings.replace(FeatureSettings(sign_up=False))) as app:
        client = await app.client()

        assert_problem(await client.post(SIGN_UP, json=ACCOUNT), "not-found")
        assert_problem(await client.get(SIGN_UP), "not-found")

        document = app.fastapi_app.openapi()
        assert SIGN_UP not in document["paths"]
        assert "SignUpBody" not in document["components"]["schemas"]
        assert (await app.logged_in("bobby")).cookies  # all else is there


async def test_by_default_strangers_can_sign_up(app: RunningApp) -> None:
    assert (await (await app.client()).post(SIGN_UP, json=ACCOUNT)).status_code == 201
    assert SIGN_UP in app.fastapi_app.openapi()["paths"]


@pytest.mark.parametrize("is_on", [True, False])
async def test_a_switch_concerns_one_application_and_not_the_next(settings: Settings, *, is_on: bool) -> None:
    async with run_app(settings.replace(FeatureSettings(sign_up=not is_on))):
        pass
    async with run_app(settings.replace(FeatureSettings(sign_up=is_on))) as app:
        assert (SIGN_UP in app.fastapi_app.openapi()["paths"]) is is_on
