from app.domain.role import Role
from tests.conftest import House

INACTIVATE = "/api/v1/users/inactivate"
ME = "/api/v1/account/me"


async def test_an_inactivated_user_is_out_at_the_next_request(house: House) -> None:
    admin = await house.logged_in("admin", Role.ADMIN)
    alice = await house.logged_in("alice")
    assert (await alice.get(ME)).status_code == 200

    answer = await admin.patch(INACTIVATE, json={"username": "alice"})

    assert answer.status_code == 204
    assert (await alice.get(ME)).status_code == 401
