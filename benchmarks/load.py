"""What is done to a contender, and what came of it."""

import asyncio
import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from benchmarks.database import BenchmarkDatabase

_UNITS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


@dataclass(frozen=True, slots=True)
class Load:
    """One run of wrk. Latencies in seconds."""

    per_second: float
    p50: float
    p99: float
    errors: int


def wrk(url: str, database: BenchmarkDatabase, connections: int, seconds: int, *headers: str) -> Load:
    cookie = f"session={database.token}"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout=10s", "--latency"]
    for header in (f"Cookie: {cookie}", *headers):
        command += ["-H", header]
    command.append(url)
    report = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # A crowd leaves requests behind, which the next contender shall not meet: when this one is answered, they are done.
    httpx.get(url, headers={"Cookie": cookie}, timeout=30)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", report)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", report)
    return Load(
        per_second=float(_found(r"Requests/sec:\s+([\d.]+)", report)),
        p50=_seconds(_found(r"50%\s+([\d.]+\w+)", report)),
        p99=_seconds(_found(r"99%\s+([\d.]+\w+)", report)),
        errors=(int(refused[1]) if refused else 0) + (sum(map(int, broken.groups())) if broken else 0),
    )


def _found(pattern: str, report: str) -> str:
    match = re.search(pattern, report)
    if match is None:
        raise ValueError(f"wrk reported something unexpected:\n{report}")
    return match[1]


def _seconds(text: str) -> float:
    value, unit = re.fullmatch(r"([\d.]+)(\w+)", text).groups()  # type: ignore[union-attr]  # the pattern above found it
    return float(value) * _UNITS[unit]


async def logins_per_second(url: str, usernames: Sequence[str], password: str, seconds: float) -> float:
    """As many parallel clients as usernames, each logging in anew as soon as it is in."""
    done = 0

    async def log_in_again_and_again(username: str) -> None:
        nonlocal done
        async with httpx.AsyncClient(base_url=url) as client:
            while time.perf_counter() < end:
                body = {"username": username, "password": password}
                answer = await client.post("/api/v1/account/login", json=body)
                client.cookies.clear()
                if answer.status_code == httpx.codes.NO_CONTENT:
                    done += 1

    began = time.perf_counter()
    end = began + seconds
    await asyncio.gather(*(log_in_again_and_again(username) for username in usernames))
    return done / (time.perf_counter() - began)


async def login_seconds(url: str, username: str, password: str, client: httpx.AsyncClient) -> float:
    began = time.perf_counter()
    answer = await client.post(f"{url}/api/v1/account/login", json={"username": username, "password": password})
    if answer.status_code != httpx.codes.UNAUTHORIZED:
        raise ValueError(f"Expected a refusal, got {answer.status_code}.")
    return time.perf_counter() - began
