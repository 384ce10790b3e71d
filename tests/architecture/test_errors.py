from collections.abc import Iterator

import pytest

import gatehouse.common.presentation.http.errors
from gatehouse.common.domain import errors
from gatehouse.common.domain.errors import GatehouseError
from gatehouse.common.presentation.http.problems import status_of

CATEGORIES = (GatehouseError, errors.ConflictError)
"""Never raised themselves, so they have no slug of their own."""


def subclasses(kind: type[GatehouseError]) -> Iterator[type[GatehouseError]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from subclasses(subclass)


ERRORS = [error for error in subclasses(GatehouseError) if error not in CATEGORIES]
SLUGS = [error.slug for error in ERRORS if "slug" in vars(error)]


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_has_a_status(error: type[GatehouseError]) -> None:
    assert 400 <= status_of(error) <= 503


def test_every_slug_names_one_error() -> None:
    assert sorted(SLUGS) == sorted(set(SLUGS))


def test_http_errors_are_found_by_these_tests() -> None:
    assert gatehouse.common.presentation.http.errors.CrossSiteRequestError in ERRORS
