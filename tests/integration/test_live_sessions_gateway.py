from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from dishka import AsyncContainer
from psycopg.rows import scalar_row

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.ports import LiveSession
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.session import Session, hash_secret
from gatehouse.common.infrastructure.database import Database
from gatehouse.testing.fakes import CONTEXT, FakeClock
from tests.integration.conftest import Gateways

INSTANT = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)


async def is_alive_at(gateways: Gateways, session: Session, now: datetime) -> bool:
    return await gateways.live_sessions.find(session.secret_hash, now) is not None


async def last_seen(gateways: Gateways, session: Session, now: datetime) -> datetime | None:
    live = await gateways.live_sessions.find(session.secret_hash, now)
    return live.last_seen_at if live else None


async def test_a_live_session_says_whose_it_is(gateways: Gateways) -> None:
    admin = await gateways.add_user("admin", Role.ADMIN)
    await gateways.add_session(await gateways.add_user("alice"), "hers")
    session = await gateways.add_session(admin, "a secret")

    live = await gateways.live_sessions.find(hash_secret("a secret"), gateways.clock.now())

    assert live == LiveSession(Identity(admin.id, session.id, admin.username, Role.ADMIN), session.last_seen_at)


async def test_another_secret_finds_nothing(gateways: Gateways) -> None:
    await gateways.add_session(await gateways.add_user("alice"), "a secret")

    assert await gateways.live_sessions.find(hash_secret("A secret"), gateways.clock.now()) is None


async def test_an_unused_session_lives_until_its_idle_expiry(gateways: Gateways) -> None:
    session = await gateways.add_session(await gateways.add_user("alice"), "a secret")

    assert await is_alive_at(gateways, session, session.idle_expires_at - INSTANT)
    assert not await is_alive_at(gateways, session, session.idle_expires_at)


async def test_a_session_in_use_lives_until_its_absolute_expiry(gateways: Gateways) -> None:
    session = await gateways.add_session(await gateways.add_user("alice"), "a secret")
    late = session.expires_at - MINUTE

    await gateways.live_sessions.renew(session.secret_hash, seen_at=late, if_unseen_since=late)

    assert await is_alive_at(gateways, session, session.expires_at - INSTANT)
    assert not await is_alive_at(gateways, session, session.expires_at)


async def test_no_idle_expiry_outlives_the_absolute_one(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")
    new_session = Session.open(alice.id, "a secret", gateways.lifetime, CONTEXT, gateways.clock.now())
    session = replace(new_session, idle_expires_at=new_session.expires_at + MINUTE)
    async with gateways.transaction:
        await gateways.sessions.add(session, keep=1)

    assert not await is_alive_at(gateways, session, session.expires_at)


async def test_renewal_stores_no_idle_expiry_past_the_absolute_one(
    database: Database, container: AsyncContainer, clock: FakeClock
) -> None:
    async with container() as scope:
        gateways = await Gateways.of(scope, clock)
        session = await gateways.add_session(await gateways.add_user("alice"), "a secret")
    late = session.expires_at - MINUTE

    await gateways.live_sessions.renew(session.secret_hash, seen_at=late, if_unseen_since=late)

    assert await database.fetch_one("SELECT idle_expires_at FROM sessions", {}, scalar_row) == session.expires_at


async def test_a_session_of_an_inactive_user_is_not_alive(gateways: Gateways) -> None:
    session = await gateways.add_session(await gateways.add_user("alice", is_active=False), "a secret")

    assert not await gateways.is_alive(session)


async def test_a_change_of_role_counts_at_once(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")
    session = await gateways.add_session(alice, "a secret")

    alice.grant_admin(gateways.clock.now())
    async with gateways.transaction:
        await gateways.users.save(alice)

    live = await gateways.live_sessions.find(session.secret_hash, gateways.clock.now())
    assert live is not None
    assert live.identity.role is Role.ADMIN


async def test_renewal_moves_the_idle_expiry_and_the_time_last_seen(gateways: Gateways) -> None:
    session = await gateways.add_session(await gateways.add_user("alice"), "a secret")
    seen_at = session.created_at + 2 * MINUTE

    await gateways.live_sessions.renew(session.secret_hash, seen_at=seen_at, if_unseen_since=seen_at - MINUTE)

    expiry = seen_at + gateways.lifetime.idle
    assert await last_seen(gateways, session, expiry - INSTANT) == seen_at
    assert not await is_alive_at(gateways, session, expiry)


@pytest.mark.parametrize(("unseen_for", "is_renewed"), [(MINUTE, True), (MINUTE - INSTANT, False)])
async def test_a_session_is_renewed_only_if_unseen_since(
    gateways: Gateways, unseen_for: timedelta, *, is_renewed: bool
) -> None:
    session = await gateways.add_session(await gateways.add_user("alice"), "a secret")
    seen_at = session.last_seen_at + unseen_for

    await gateways.live_sessions.renew(session.secret_hash, seen_at=seen_at, if_unseen_since=seen_at - MINUTE)

    assert await last_seen(gateways, session, seen_at) == (seen_at if is_renewed else session.last_seen_at)
    assert await is_alive_at(gateways, session, session.idle_expires_at) == is_renewed


async def test_renewal_leaves_other_sessions_as_they_are(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")
    used_session = await gateways.add_session(alice, "used")
    unused_session = await gateways.add_session(alice, "unused")
    seen_at = used_session.created_at + 2 * MINUTE

    await gateways.live_sessions.renew(used_session.secret_hash, seen_at=seen_at, if_unseen_since=seen_at)

    assert await last_seen(gateways, unused_session, seen_at) == unused_session.last_seen_at
    assert not await is_alive_at(gateways, unused_session, unused_session.idle_expires_at)


async def test_renewal_revives_no_ended_session(gateways: Gateways) -> None:
    session = await gateways.add_session(await gateways.add_user("alice"), "a secret")
    async with gateways.transaction:
        await gateways.sessions.end(session.id, user_id=session.user_id)

    now = session.created_at + 2 * MINUTE
    await gateways.live_sessions.renew(session.secret_hash, seen_at=now, if_unseen_since=now)

    assert not await is_alive_at(gateways, session, now)
