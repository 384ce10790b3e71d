import pytest

from gatehouse.accounts.application.authentication import Authenticate
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import ForbiddenError, PasswordChangeRequiredError
from gatehouse.testing.in_memory_app import InMemoryApp


@pytest.mark.promise("P11")
@pytest.mark.parametrize("must_change", [True, False])
async def test_a_session_knows_whether_the_password_must_be_changed(*, must_change: bool) -> None:
    app = InMemoryApp()
    app.add_session(app.add_user("alice"))
    app.user("alice").must_change_password = must_change

    identity = await app.use(Authenticate)("token of a secret")

    assert identity.must_change_password is must_change
    assert identity.username.value == "alice"


@pytest.mark.promise("P11")
@pytest.mark.parametrize("role", Role)
def test_whoever_must_change_the_password_is_told_so_and_it_is_a_way_of_being_forbidden(role: Role) -> None:
    app = InMemoryApp()
    alice = app.add_user("alice", role)
    app.identity_of(alice).ensure_password_is_own()
    alice.must_change_password = True

    with pytest.raises(PasswordChangeRequiredError) as refusal:
        app.identity_of(alice).ensure_password_is_own()

    assert isinstance(refusal.value, ForbiddenError)
