"""Secrets for development: made once and kept beside the data, so that a restart logs nobody out."""

import os
import secrets
from dataclasses import replace
from pathlib import Path

from gatehouse.setup.config_error import ConfigError
from gatehouse.setup.settings import Settings


def with_kept_secrets(settings: Settings) -> Settings:
    folder = settings.postgres.data_dir.parent
    if not settings.jwt.secret:
        settings = replace(settings, jwt=replace(settings.jwt, secret=_kept(folder / "jwt_secret")))
    if not settings.password.pepper:
        settings = replace(settings, password=replace(settings.password, pepper=_kept(folder / "password_pepper")))
    return settings


def _kept(path: Path) -> str:
    try:
        if not path.exists():
            _make(path)
        return path.read_text()
    except OSError:
        raise ConfigError(f"postgres.data_dir: {path}, a secret beside it, can be neither read nor made.") from None


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    # Written whole under another name and then linked, which fails where a process that started at the same moment
    # was first: nobody ever reads half a secret, and both read the same one.
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(48))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
