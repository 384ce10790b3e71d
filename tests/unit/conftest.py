from pathlib import Path

import pytest

from tests.unit.configs import Config


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path)
