import httpx
import pytest

from gatehouse.testing.answers import assert_problem

pytestmark = pytest.mark.promise("Z9")

LISTS = ["/api/v1/users/", "/api/v1/audit/"]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("query", ["canary=1", "limit=5&canary=1", "Limit=5", "limit[]=5", "canary", "=1"])
async def test_an_unknown_parameter_is_refused_and_not_repeated(
    chief: httpx.AsyncClient, path: str, query: str
) -> None:
    answer = await chief.get(f"{path}?{query}")

    assert_problem(answer, "invalid-input", ("query", "Holds an unknown field."))


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "query", ["limit=5&limit=6", "limit=5&limit=5", "limit=5&%6cimit=5", "limit=5&limit=", "limit&limit"]
)
async def test_a_parameter_that_stands_twice_is_refused(chief: httpx.AsyncClient, path: str, query: str) -> None:
    answer = await chief.get(f"{path}?{query}")

    assert_problem(answer, "invalid-input", ("query", "Holds a parameter twice."))
