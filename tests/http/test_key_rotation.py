"""Rotation of secrets, while tokens and hashes of the old ones are still in use."""

from dataclasses import replace

import pytest
from psycopg.rows import scalar_row

from gatehouse.accounts.settings import JwtSettings, PasswordSettings
from gatehouse.common.settings import Settings
from gatehouse.testing.answers import assert_done, assert_problem
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import RunningApp, cookie, token_of, try_log_in

ME = "/api/v1/account/me"
NEW_SECRET = "another secret for the tests, long enough"
NEW_PEPPER = "another pepper for the tests, long enough"


async def stored_hash(app: RunningApp) -> str | None:
    return await app.database.fetch_one("SELECT password_hash FROM users", {}, scalar_row)


@pytest.mark.promise("S15")
async def test_a_new_signing_key_logs_nobody_out_while_the_old_one_is_known(
    app: RunningApp, settings: Settings
) -> None:
    old = token_of(await app.logged_in("alice"))
    new_settings = settings.replace(JwtSettings(secret=NEW_SECRET, previous_secrets=[settings[JwtSettings].secret]))

    async with run_app(new_settings) as later:
        assert (await (await later.client()).get(ME, headers=cookie(old))).status_code == 200
        new = token_of(await later.log_in("alice"))

    async with run_app(settings.replace(JwtSettings(secret=NEW_SECRET))) as last:
        client = await last.client()
        assert (await client.get(ME, headers=cookie(new))).status_code == 200
        assert_problem(await client.get(ME, headers=cookie(old)), "unauthenticated")


@pytest.mark.promise("P7")
async def test_with_a_new_pepper_old_hashes_verify_and_are_replaced_at_login(
    app: RunningApp, settings: Settings
) -> None:
    await app.add_user("alice")
    before = await stored_hash(app)
    peppers = PasswordSettings(pepper=NEW_PEPPER, previous_peppers=[settings[PasswordSettings].pepper], work_factor=4)

    async with run_app(settings.replace(peppers)) as later:
        client = await later.client()
        assert_problem(await try_log_in(client, password="wrong"), "invalid-credentials")
        assert await stored_hash(app) == before
        assert_done(await try_log_in(client))
        after = await stored_hash(app)
        assert after != before
        await later.log_in("alice")
        assert await stored_hash(app) == after

    async with run_app(settings.replace(PasswordSettings(pepper=NEW_PEPPER, work_factor=4))) as last:
        assert_done(await try_log_in(await last.client()))
    assert_problem(await try_log_in(await app.client()), "invalid-credentials")


@pytest.mark.promise("P7")
async def test_without_the_pepper_a_stored_hash_is_worth_nothing(app: RunningApp, settings: Settings) -> None:
    await app.add_user("alice")

    async with run_app(settings.replace(PasswordSettings(pepper=NEW_PEPPER, work_factor=4))) as later:
        assert_problem(await try_log_in(await later.client()), "invalid-credentials")


@pytest.mark.promise("P9")
async def test_a_higher_work_factor_is_taken_up_at_login(app: RunningApp, settings: Settings) -> None:
    await app.add_user("alice")

    async with run_app(settings.replace(replace(settings[PasswordSettings], work_factor=5))) as later:
        assert_done(await try_log_in(await later.client()))

    assert "$2b$05$" in str(await stored_hash(app))
    assert_done(await try_log_in(await app.client()))
