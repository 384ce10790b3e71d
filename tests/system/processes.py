"""Programs that run beside a test, until it ends."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE_SECONDS = 60
"""How long a test waits for what it expects, before it fails."""


@contextmanager
def run_beside(
    command: Sequence[str | Path],
    until: Callable[[], bool],
    log: Path,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """From the moment that `until` is true. What it prints goes into `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environ, cwd=cwd, stdout=output, stderr=output)
    try:
        end = time.monotonic() + PATIENCE_SECONDS
        while not until():
            assert process.poll() is None, f"{command[0]} has ended: {log.read_text()}"
            assert time.monotonic() < end, f"{command[0]} does not come up: {log.read_text()}"
            time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def is_taken(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
