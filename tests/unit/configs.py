"""Loads settings from a temporary config.toml."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from gatehouse.common.settings import ConfigError, Settings
from gatehouse.setup.load_settings import load_settings

SECRET = "hunter2 xK9vQ2mZ7tB4nR8wL5cJ1fH6 long enough"
OTHER_SECRET = "hunter2 gD3sW7yP1aX5eU9oT2iM6bV4 long enough"
OLD_SECRET = "hunter2 qN8jC4zF0rG6lS2hE1kY5uA9 long enough"
PRODUCTION = {
    "GATEHOUSE_APP__ENVIRONMENT": "production",
    "GATEHOUSE_APP__ORIGIN": "https://example.org",
    "GATEHOUSE_POSTGRES__URL": "postgresql://me@host/db?sslmode=require",
    "GATEHOUSE_UVICORN__TRUSTED_PROXIES": "none",
    "GATEHOUSE_JWT__SECRET": SECRET,
    "GATEHOUSE_PASSWORD__PEPPER": OTHER_SECRET,
}


@dataclass
class Config:
    """A config.toml and secrets in a folder of their own."""

    folder: Path

    @property
    def saved_secrets(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in (self.folder / "data").glob("*") if path.is_file()}

    def load(self, toml: str = "", **environ: str) -> Settings:
        path = self.folder / "config.toml"
        path.write_text(toml)
        data_dir = str(self.folder / "data" / "postgres")
        return load_settings(path, {"GATEHOUSE_POSTGRES__DATA_DIR": data_dir, **environ})

    def mistake(self, toml: str = "", **environ: str) -> str:
        with pytest.raises(ConfigError) as refusal:
            self.load(toml, **environ)
        # Nor does a traceback, if one were printed, tell of the error underneath.
        assert refusal.value.__cause__ is None
        assert refusal.value.__context__ is None or refusal.value.__suppress_context__
        return str(refusal.value)
