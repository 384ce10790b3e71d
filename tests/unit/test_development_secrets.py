"""Secrets that are made once in development; more of it in test_load_settings.py."""

import os
import random
from pathlib import Path

import pytest

from gatehouse.accounts.settings import JwtSettings
from gatehouse.setup.development_secrets import add_development_secrets


def test_of_two_processes_that_make_a_secret_at_once_both_use_that_of_the_faster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faster: list[JwtSettings] = []
    link = os.link

    def link_after_the_faster(draft: Path, path: Path) -> None:
        with monkeypatch.context() as other_process:
            other_process.setattr(os, "link", link)
            faster.append(add_development_secrets(JwtSettings(), tmp_path))
        link(draft, path)

    monkeypatch.setattr(os, "link", link_after_the_faster)
    slower = add_development_secrets(JwtSettings(), tmp_path)

    assert [slower] == faster
    assert [path.read_text() for path in tmp_path.iterdir()] == [slower.secret]


@pytest.mark.promise("S1")
def test_a_secret_does_not_come_from_the_generator_that_can_be_predicted(tmp_path: Path) -> None:
    secrets = []
    for folder in ("one", "another"):
        random.seed(1)
        secrets.append(add_development_secrets(JwtSettings(), tmp_path / folder).secret)

    assert secrets[0] != secrets[1]


@pytest.mark.promise("K4")
def test_nobody_else_may_put_another_secret_in_the_place_of_one_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        add_development_secrets(JwtSettings(), tmp_path / "data")
    finally:
        os.umask(before)

    assert (tmp_path / "data").stat().st_mode & 0o022 == 0
