"""`gatehouse` from its arguments to its exit code, in this process: the fixture `gatehouse`."""

import io
import sys
from collections.abc import Callable
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
        kind = Terminal if at_terminal else io.TextIOWrapper
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "argv", ["gatehouse", *arguments])
        monkeypatch.setattr(sys, "stdin", None if data is None else kind(io.BytesIO(data), "utf-8"))
        with pytest.raises(SystemExit) as caught:
            main()
        return RunResult(caught.value.code, *capsys.readouterr())

    return run
