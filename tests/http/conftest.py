from datetime import timedelta

import httpx
import pytest

from gatehouse.accounts.domain.role import Role
from tests.conftest import RunningApp


@pytest.fixture
async def chief(app: RunningApp) -> httpx.AsyncClient:
    """A super admin, whose own login was the first event, a second ago."""
    client = await app.logged_in("chief", Role.SUPER_ADMIN)
    app.clock.advance(timedelta(seconds=1))
    return client
