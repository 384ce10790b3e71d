from datetime import datetime, timedelta

import pytest

from gatehouse.accounts.application.authentication import RENEWAL_INTERVAL, Authenticate
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import UnauthenticatedError
from gatehouse.testing.accounts.fakes import FakeLiveSessions, FakeSessionTokens
from gatehouse.testing.fakes import LIFETIME
from gatehouse.testing.in_memory_app import InMemoryApp

TOKEN = "token of a secret"
INSTANT = timedelta(microseconds=1)


async def test_a_live_session_says_who_calls() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    session = app.add_session(admin)

    identity = await app.use(Authenticate)(TOKEN)

    assert (identity.user_id, identity.session_id, identity.role) == (admin.id, session.id, Role.ADMIN)


@pytest.mark.promise("S10")
async def test_a_change_of_role_counts_from_the_next_call_on() -> None:
    app = InMemoryApp()
    app.add_session(app.add_user("alice"))
    app.user("alice").role = Role.ADMIN

    assert (await app.use(Authenticate)(TOKEN)).role is Role.ADMIN


@pytest.mark.parametrize("token", ["", "forged", "token of another secret"])
async def test_a_token_without_a_session_is_refused(token: str) -> None:
    app = InMemoryApp()
    app.add_session(app.add_user("alice"))

    with pytest.raises(UnauthenticatedError):
        await app.use(Authenticate)(token)


@pytest.mark.promise("S8")
async def test_a_session_of_an_inactive_user_is_refused() -> None:
    app = InMemoryApp()
    app.add_session(app.add_user("alice", is_active=False))

    with pytest.raises(UnauthenticatedError):
        await app.use(Authenticate)(TOKEN)


@pytest.mark.promise("S3")
async def test_a_session_ends_at_its_idle_expiry() -> None:
    app = InMemoryApp()
    app.add_session(app.add_user("alice"))
    app.clock.advance(LIFETIME.idle)

    with pytest.raises(UnauthenticatedError):
        await app.use(Authenticate)(TOKEN)


@pytest.mark.promise("S4")
async def test_a_call_just_before_the_idle_expiry_moves_it() -> None:
    app = InMemoryApp()
    session = app.add_session(app.add_user("alice"))
    app.clock.advance(LIFETIME.idle - INSTANT)

    await app.use(Authenticate)(TOKEN)

    renewed_session = app.store.sessions[session.id]
    assert renewed_session.last_seen_at == app.clock.now()
    assert renewed_session.idle_expires_at == app.clock.now() + LIFETIME.idle
    assert renewed_session.expires_at == session.expires_at


@pytest.mark.promise("S3", "S4")
async def test_use_keeps_a_session_alive_until_its_absolute_expiry_and_no_longer() -> None:
    app = InMemoryApp()
    app.add_session(app.add_user("alice"))
    end = app.clock.now() + LIFETIME.absolute
    calls = 0
    while (step := min(LIFETIME.idle, end - app.clock.now()) - INSTANT) > timedelta():
        app.clock.advance(step)
        await app.use(Authenticate)(TOKEN)
        calls += 1

    app.clock.at = end
    with pytest.raises(UnauthenticatedError):
        await app.use(Authenticate)(TOKEN)
    assert calls > LIFETIME.absolute / LIFETIME.idle


async def test_a_session_is_renewed_when_it_was_unseen_for_an_interval() -> None:
    app = InMemoryApp()
    session = app.add_session(app.add_user("alice"))
    app.clock.advance(RENEWAL_INTERVAL)

    await app.use(Authenticate)(TOKEN)

    assert app.store.sessions[session.id].last_seen_at == app.clock.now()


class ReadOnlySessions(FakeLiveSessions):
    async def renew(self, secret_hash: bytes, *, seen_at: datetime, if_unseen_since: datetime) -> None:
        pytest.fail(f"wrote {secret_hash!r} at {seen_at} if unseen since {if_unseen_since}")


async def test_until_then_authentication_only_reads() -> None:
    app = InMemoryApp()
    session = app.add_session(app.add_user("alice"))
    app.clock.advance(RENEWAL_INTERVAL - INSTANT)

    identity = await Authenticate(FakeSessionTokens(), ReadOnlySessions(app.store, LIFETIME), app.clock)(TOKEN)

    assert identity.session_id == session.id
