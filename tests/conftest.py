"""What the plugin of gatehouse.testing leaves to Gatehouse's own suite: its tuning, and servers of a test's own."""

import functools
import gc
import logging
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import structlog

from gatehouse.common.infrastructure.embedded_postgres import embedded_postgres
from gatehouse.testing.server import make_folder, trust_the_disk

pytest_plugins = ["gatehouse.testing.plugin"]

SMALL_FUZZ_BUDGET = 4

gc.disable()  # until all tests are collected: what is imported stays

# httpx would look for it on the disk at every request, in vain.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]  # None is how Python is told that there is no such module

_running = ExitStack()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fuzz-examples", type=int, default=SMALL_FUZZ_BUDGET, help="how many random requests tests/fuzz makes a call"
    )


def pytest_unconfigure() -> None:
    _running.close()


def pytest_collection_finish() -> None:
    """Modules and tests live as long as the run: without them, a collection is ten times as quick."""
    gc.collect()
    gc.freeze()
    gc.enable()


@functools.cache
def _model_cluster() -> Path:
    folder = make_folder(_running) / "postgres"
    with embedded_postgres(folder) as url:
        trust_the_disk(url)
    return folder


def copy_cluster(to: Path) -> Path:
    """A cluster that no server uses. Quicker than to make one."""
    source = _model_cluster()
    for folder, _, files in os.walk(shutil.copytree(source, to)):
        for name in (".", *files):  # the copy belongs to whom the cluster does
            os.chown(Path(folder) / name, source.stat().st_uid, source.stat().st_gid)
    return to


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    """A cluster without a server, for an embedded one."""
    return copy_cluster(tmp_path / "postgres")


@pytest.fixture
def processes() -> Iterator[ExitStack]:
    """Stops the processes even if a test fails."""
    with ExitStack() as processes:
        yield processes


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    root, configuration = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.configure(**configuration)
