"""GATEHOUSE_<SECTION>__<KEY>_FILE names a file that holds the value: for every key there is."""

from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import get_type_hints

import pytest

from gatehouse.common.settings import ConfigError, Settings
from gatehouse.setup.load_settings import load_settings
from gatehouse.setup.modules import MODULES
from tests.unit.configs import OLD_SECRET, OTHER_SECRET, PRODUCTION, Config

KEYS = [(section, key.name) for section, kind in MODULES.settings.items() for key in fields(kind)]
OTHER_VALUES = {
    "app.origin": "https://other.example",
    "app.modules": "tests.sample",
    "app.hosts": "other.example, another.example",
    "uvicorn.trusted_proxies": "10.0.0.0/8, 192.0.2.1",
    "http.cors_origins": "https://app.example.org",
    "postgres.url": "postgresql://other@localhost/name",
    "postgres.owner_url": "postgresql://other@localhost/name",
    "postgres.replica_url": "postgresql://other@localhost/name",
    "jwt.secret": OLD_SECRET,
    "password.pepper": OLD_SECRET,
    "jwt.previous_secrets": OTHER_SECRET.replace(" ", ""),
    "password.previous_peppers": OLD_SECRET.replace(" ", ""),
    "cookie.secure": "true",
    "logs.level": "error",
}


@pytest.mark.parametrize(("section", "key"), KEYS, ids=[".".join(key) for key in KEYS])
def test_a_value_of_a_file_is_that_of_the_variable(config: Config, tmp_path: Path, section: str, key: str) -> None:
    kind = MODULES.settings[section]
    name = f"GATEHOUSE_{section}__{key}".upper()
    value = OTHER_VALUES.get(f"{section}.{key}") or _another(config, kind, key)
    environ = {other: text for other, text in PRODUCTION.items() if other != name}
    file = tmp_path / "value"
    file.write_text(f"{value}\n")

    from_file = getattr(_load(config, {**environ, f"{name}_FILE": str(file)})[kind], key)

    assert from_file == getattr(_load(config, {**environ, name: value})[kind], key)
    assert from_file != getattr(kind(), key)
    with pytest.raises(ConfigError, match=rf"^{name}_FILE: {name} is set, too; which of them counts\?$"):
        _load(config, {**environ, name: value, f"{name}_FILE": str(file)})


def _load(config: Config, environ: dict[str, str]) -> Settings:
    path = config.folder / "config.toml"
    path.touch()
    return load_settings(path, environ)


def _another(config: Config, kind: type, key: str) -> str:
    """Than the default."""
    default, expected = getattr(kind(), key), get_type_hints(kind)[key]
    if expected in (bool, bool | None):
        return str(not default).lower()
    if isinstance(expected, type) and issubclass(expected, StrEnum):
        return next(value for value in expected if value is not default)
    if expected is int:
        return str(default + 1)
    file = config.folder / "named"
    file.write_text("A" * 40 + "\n")  # a hash will do for every kind of file
    return str(file)
