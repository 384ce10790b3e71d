"""`gatehouse` from its arguments to its exit code, in this process: the fixture `gatehouse`."""

import io
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from gatehouse.setup.cli import main

SECRETS = {"GATEHOUSE_JWT__SECRET": "signs " * 8, "GATEHOUSE_PASSWORD__PEPPER": "peppers " * 8}


class RunResult(NamedTuple):
    code: object
    out: str
    err: str


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def _pipe_with(data: bytes) -> io.TextIOWrapper:
    """As much as a pipe holds, 64 KiB."""
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    return os.fdopen(reading, encoding="utf-8")


type Gatehouse = Callable[..., RunResult]


@pytest.fixture
def gatehouse(
    own_url: str, logs_as_before: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Gatehouse:
    """Runs it as an operator would; an exception that would show as a traceback is raised here."""
    assert logs_as_before is None
    monkeypatch.setenv("GATEHOUSE_APP__ENVIRONMENT", "test")
    monkeypatch.setenv("GATEHOUSE_PASSWORD__WORK_FACTOR", "4")
    monkeypatch.setenv("GATEHOUSE_POSTGRES__URL", own_url)
    monkeypatch.setenv("GATEHOUSE_CONFIG", "")  # as before, after a test that names another file
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str, stdin: str | bytes | None = "", at_terminal: bool = False) -> RunResult:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "argv", ["gatehouse", *arguments])
        with ExitStack() as stack:
            if data is None or at_terminal:
                monkeypatch.setattr(sys, "stdin", None if data is None else Terminal(io.BytesIO(data), "utf-8"))
            else:
                monkeypatch.setattr(sys, "stdin", stack.enter_context(_pipe_with(data)))
            with pytest.raises(SystemExit) as caught:
                main()
        return RunResult(caught.value.code, *capsys.readouterr())

    return run
