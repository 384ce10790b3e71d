"""What each switch costs a request, in processor time: `PYTHONPATH=. .venv/bin/python -m benchmarks.switches`.

One authenticated list, without a server, with everything off and with one thing on, each in a process of its own. They
take turns, some hundred requests each, so that a machine that becomes slower does so for all of them alike. What counts
is the difference of two that stood beside each other, and its share of the whole.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from threading import Thread
from typing import Final

import uvloop

from benchmarks.database import BenchmarkDatabase, embedded_server, prepare_database
from benchmarks.profile import call_in_parallel, list_scope, running_app
from benchmarks.progress import told
from benchmarks.root import ROOT

ROUNDS: Final = int(os.environ.get("ROUNDS", "60"))
REQUESTS: Final = 480
ROWS: Final = 10_000
OFF: Final = "all off"
TRACING: Final = "tracing of 1 %"
SWITCHES: Final = {
    OFF: {},
    "all off, once more": {},  # what differs here is the noise
    "metrics": {"METRICS": "1"},
    "access log": {"ACCESS": "1"},
    TRACING: {
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": "0.01",
    },
}


async def take_turns(database: BenchmarkDatabase) -> None:
    """In a process of one switch: for each line that comes in, some requests, and the seconds that they took."""
    scope = list_scope(database)
    async with running_app(database) as app:
        await call_in_parallel(app, scope, REQUESTS)
        for _ in sys.stdin:
            began = time.process_time()
            await call_in_parallel(app, scope, REQUESTS)
            print((time.process_time() - began) / REQUESTS, flush=True)


class Contender:
    def __init__(self, url: str, switch: dict[str, str]) -> None:
        self.seconds: list[float] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.switches", url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # the access log
            text=True,
            cwd=ROOT,
            env={**os.environ, **switch},
        )

    def take_turn(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(file=self._process.stdin, flush=True)
        self.seconds.append(float(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.communicate()


class TakeSpans(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """It is no part of what is measured."""


@contextmanager
def receiving_spans() -> Iterator[str]:
    """The URL of a collector, in this process, whose time does not count."""
    with ThreadingHTTPServer(("127.0.0.1", 0), TakeSpans) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def compare(url: str) -> None:
    with ExitStack() as processes:
        receiver = {"OTEL_EXPORTER_OTLP_ENDPOINT": processes.enter_context(receiving_spans())}
        contenders = {
            name: Contender(url, switch | receiver if name == TRACING else switch) for name, switch in SWITCHES.items()
        }
        for contender in contenders.values():
            processes.callback(contender.close)
        order = deque(contenders.values())
        for _ in told("switches", range(ROUNDS), "rounds"):
            for contender in order:
                contender.take_turn()
            order.rotate(1)  # nobody always comes behind the same one
    off = contenders[OFF].seconds
    print("| switch | µs a request | more than all off | share |\n|---|---:|---:|---:|")
    for name, contender in contenders.items():
        more = median(mine - without for mine, without in zip(contender.seconds, off, strict=True))
        print(f"| {name} | {median(contender.seconds) * 1e6:.0f} | {more * 1e6:+.0f} | {more / median(off):+.1%} |")


def main() -> None:
    if len(sys.argv) > 1:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(take_turns(prepare_database(sys.argv[1], ROWS, f"admin{os.getpid()}")))
        return
    with embedded_server() as url:
        prepare_database(url, ROWS)
        compare(url)


if __name__ == "__main__":
    main()
