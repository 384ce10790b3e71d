import base64
import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.common.domain.errors import InvalidError
from gatehouse.common.infrastructure.cursors import SignedCursors

SCOPE = "users by username"
POSITION = ("alice", "0190c5a2-0000-7000-8000-000000000000")
in_any_time = settings(deadline=None)

SECRET = "a secret for the cursors"
cursors = SignedCursors(SECRET)


def is_refused(cursor: str, *, scope: str = SCOPE, reader: SignedCursors = cursors) -> bool:
    try:
        reader.decode(scope, cursor)
    except InvalidError as refusal:
        return refusal.field == "cursor"
    return False


@in_any_time
@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n")), min_size=1),
)
def test_a_cursor_comes_back_as_the_position_it_was_made_of(scope: str, position: list[str]) -> None:
    assert cursors.decode(scope, cursors.encode(scope, tuple(position))) == tuple(position)


def test_a_cursor_needs_no_escaping_in_an_address() -> None:
    for number in range(100):
        assert cursors.encode(SCOPE, (f"\u00ff{number}",)).replace("-", "").replace("_", "").isalnum()


def test_a_cursor_of_another_server_process_is_good() -> None:
    assert SignedCursors(SECRET).decode(SCOPE, cursors.encode(SCOPE, POSITION)) == POSITION


def test_every_bit_of_a_cursor_counts() -> None:
    raw = base64.urlsafe_b64decode(cursors.encode(SCOPE, POSITION) + "==")

    for index in range(len(raw)):
        for bit in range(8):
            changed_bytes = raw[:index] + bytes([raw[index] ^ 1 << bit]) + raw[index + 1 :]
            assert is_refused(base64.urlsafe_b64encode(changed_bytes).decode().rstrip("="))


@pytest.mark.parametrize("length", range(0, len(cursors.encode(SCOPE, POSITION)), 5))
def test_a_cursor_that_was_cut_is_refused(length: int) -> None:
    assert is_refused(cursors.encode(SCOPE, POSITION)[:length])


@pytest.mark.parametrize("scope", ["", "users by role", f"{SCOPE} ", SCOPE.upper(), SCOPE[:-1]])
def test_a_cursor_of_another_list_or_order_is_refused(scope: str) -> None:
    assert is_refused(cursors.encode(SCOPE, POSITION), scope=scope)


def test_the_end_of_a_scope_cannot_pass_for_the_beginning_of_a_position() -> None:
    raw = base64.urlsafe_b64decode(cursors.encode(SCOPE, POSITION) + "==")
    moved_bytes = raw[:16] + SCOPE[-4:].encode() + raw[16:]

    assert is_refused(base64.urlsafe_b64encode(moved_bytes).decode().rstrip("="), scope=SCOPE[:-4])


def test_a_cursor_that_was_made_with_another_secret_is_refused() -> None:
    assert is_refused(SignedCursors("another secret").encode(SCOPE, POSITION))


def test_a_cursor_begins_with_128_bits_of_a_mac_whose_key_is_derived_for_cursors_alone() -> None:
    raw, payload = base64.urlsafe_b64decode(cursors.encode(SCOPE, POSITION) + "=="), "\n".join(POSITION).encode()
    key = hmac.digest(SECRET.encode(), b"gatehouse cursors", "sha256")
    message = f"{len(SCOPE)}:{SCOPE}".encode() + payload

    assert raw == hashlib.blake2b(message, key=key, digest_size=16).digest() + payload


@pytest.mark.promise("I2")
@pytest.mark.parametrize(
    "text",
    ["", "a", "=", "====", "%%%", "not a cursor", "\u00e9\u00e9", "\u0661", "\ud800", "\0", "bnVsbA", "W10", "a" * 500],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    assert is_refused(text)


@in_any_time
@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_nothing_else_passes_for_a_cursor(text: str) -> None:
    assert is_refused(text)


def test_a_refusal_does_not_repeat_the_cursor() -> None:
    with pytest.raises(InvalidError) as refusal:
        cursors.decode(SCOPE, "hunter2")

    assert "hunter2" not in f"{refusal.value.message}{refusal.value}"
    assert refusal.value.__cause__ is None
