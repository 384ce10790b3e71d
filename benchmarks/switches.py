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
from contextlib import ExitStack
from statistics import median
from typing import Final

import uvloop

from benchmarks.database import BenchmarkDatabase, embedded_server, prepare_database
from benchmarks.profile import call_in_parallel, list_scope, running_app
from benchmarks.root import ROOT
from gatehouse.common.presentation.cli.progress import ProgressReport

ROUNDS: Final = int(os.environ.get("ROUNDS", "60"))
REQUESTS: Final = 480
ROWS: Final = 10_000
OFF: Final = "all off"
SWITCHES: Final = {
    OFF: {},
    "all off, once more": {},  # what differs here is the noise
    "metrics": {"METRICS": "1"},
    "access log": {"ACCESS": "1"},
    "tracing of 1 %": {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",  # where nobody listens
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
            stderr=subprocess.DEVNULL,  # the access log, and that nobody takes the spans
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


def compare(url: str) -> None:
    with ExitStack() as processes:
        contenders = {name: Contender(url, switch) for name, switch in SWITCHES.items()}
        for contender in contenders.values():
            processes.callback(contender.close)
        with ProgressReport() as report:
            for done in range(1, ROUNDS + 1):
                for contender in contenders.values():
                    contender.take_turn()
                report.update(done, done / ROUNDS)
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
