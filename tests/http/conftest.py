from datetime import timedelta

import httpx
import pytest

from gatehouse.accounts.domain.role import Role
from tests.conftest import House


@pytest.fixture
async def chief(house: House) -> httpx.AsyncClient:
    """A super admin, whose own login was the first event, a second ago."""
    client = await house.logged_in("chief", Role.SUPER_ADMIN)
    house.clock.advance(timedelta(seconds=1))
    return client
