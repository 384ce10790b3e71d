from collections.abc import Iterator
from pathlib import Path

import pytest

from gatehouse.common.infrastructure.bounded_threads import BoundedThreads
from tests.unit.configs import Config


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path)


@pytest.fixture(scope="module")
def threads() -> Iterator[BoundedThreads]:
    threads = BoundedThreads(1)
    yield threads
    threads.close()
