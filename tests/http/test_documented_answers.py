"""In tests, an answer that a route does not document is a mistake."""

import pytest

from gatehouse.common.presentation.http.route import UseCaseRoute
from gatehouse.testing.answers import assert_problem
from gatehouse.testing.declaration import Call, Caller
from gatehouse.testing.documented import UndocumentedError
from gatehouse.testing.matrix import SELF, expected_status
from gatehouse.testing.running_app import RunningApp

USER = "/api/v1/users/nobody"


async def test_a_problem_that_is_not_in_the_responses_of_its_route_is_named(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await app.logged_in("alice")
    assert_problem(await alice.get(USER), "forbidden")
    for route in app.fastapi_app.routes:
        if isinstance(route, UseCaseRoute) and route.path == "/api/v1/users/{username}":
            monkeypatch.setattr(route, "responses", {})

    with pytest.raises(UndocumentedError, match=r"GET /api/v1/users/{username} answers forbidden, which is not in"):
        await alice.get(USER)


async def test_nothing_is_asked_of_an_unknown_path(app: RunningApp) -> None:
    assert_problem(await (await app.client()).get("/api/v1/nothing"), "not-found")


@pytest.mark.parametrize(
    ("caller", "status"), [("anonymous", 401), ("user", 404), ("admin", 204), ("super_admin", 204)]
)
def test_the_matrix_knows_of_rows_that_their_owner_and_admins_may_change(caller: str, status: int) -> None:
    call = Call(method="DELETE", path="/rows/{id}", status=204, open_to="authenticated", status_for_others=404)

    assert expected_status(call, Caller(caller), SELF) == status
