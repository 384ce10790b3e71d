import base64
import random
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from gatehouse.accounts.domain.session import SECRET_BYTES, Session, SessionLifetime, hash_secret, new_secret
from gatehouse.common.domain.request_context import RequestContext

ORIGIN = RequestContext(ip="192.0.2.1", user_agent="a browser", request_id="a-request")
NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.promise("S1")
def test_a_secret_is_256_random_bits() -> None:
    secrets = {new_secret() for _ in range(100)}

    assert len(secrets) == 100
    assert {len(base64.urlsafe_b64decode(f"{secret}=")) for secret in secrets} == {SECRET_BYTES} == {32}


@pytest.mark.promise("S1")
def test_a_secret_does_not_come_from_the_generator_that_can_be_predicted() -> None:
    secrets = []
    for _ in range(2):
        random.seed(1)
        secrets.append(new_secret())

    assert secrets[0] != secrets[1]


@pytest.mark.promise("S2")
def test_a_session_holds_its_secret_only_as_a_hash() -> None:
    session = Session.open(uuid4(), "a secret", SessionLifetime(HOUR, HOUR, max_per_user=20), ORIGIN, NOW)

    assert session.secret_hash == hash_secret("a secret") != hash_secret("another secret")
    assert len(session.secret_hash) == 32
    assert "a secret" not in repr(session)


def test_every_session_has_a_name_that_tells_nothing_of_its_secret() -> None:
    user_id = uuid4()
    first, second = (
        Session.open(user_id, "a secret", SessionLifetime(HOUR, HOUR, max_per_user=20), ORIGIN, NOW) for _ in range(2)
    )

    assert first.id != second.id
    assert first.id.version == 7
    assert first.user_id == second.user_id == user_id


@pytest.mark.parametrize(
    ("idle", "absolute", "idle_expiry"), [(HOUR, 12 * HOUR, HOUR), (HOUR, HOUR, HOUR), (12 * HOUR, HOUR, HOUR)]
)
def test_the_idle_expiry_is_never_after_the_absolute_one(
    idle: timedelta, absolute: timedelta, idle_expiry: timedelta
) -> None:
    session = Session.open(uuid4(), "a secret", SessionLifetime(idle, absolute, max_per_user=20), ORIGIN, NOW)

    assert session.created_at == session.last_seen_at == NOW
    assert session.idle_expires_at == NOW + idle_expiry
    assert session.expires_at == NOW + absolute


def test_a_session_remembers_where_it_was_opened() -> None:
    session = Session.open(uuid4(), "a secret", SessionLifetime(HOUR, HOUR, max_per_user=20), ORIGIN, NOW)

    assert (session.ip, session.user_agent) == ("192.0.2.1", "a browser")
