"""Measures Gatehouse and its contenders in one run: `make bench`. Ratios count, seconds only illustrate."""

import asyncio
import os
import shutil
import time
from dataclasses import dataclass
from statistics import median
from typing import Final

import bcrypt
import httpx
import psycopg
from uuid6 import uuid7

from benchmarks import report
from benchmarks.console import console_pages
from benchmarks.database import PASSWORD_PEPPER, BenchmarkDatabase, embedded_server, prepare_database
from benchmarks.load import Load, login_seconds, logins_per_second, wrk
from benchmarks.progress import tell, told
from benchmarks.report import Target, Throughput
from benchmarks.servers import BARE, PRODUCT, REFERENCE, Server, serving
from gatehouse.accounts.infrastructure.passwords import BcryptPasswordHasher
from gatehouse.common.infrastructure.bounded_threads import BoundedThreads
from gatehouse.common.presentation.cli.progress import ProgressReport

ROWS: Final = int(os.environ.get("ROWS", "1000000"))
ROUNDS: Final = int(os.environ.get("ROUNDS", "5"))
SECONDS: Final = int(os.environ.get("SECONDS", "4"))
REQUESTS: Final = int(os.environ.get("REQUESTS", "200000"))
SMALL: Final = 10_000
LIST: Final = "/api/v1/users/?limit=20"
PASSWORD: Final = "violet kettle under thirteen maples"
WORK_FACTOR: Final = 12
HASHING_THREADS: Final = max(1, (os.cpu_count() or 1) - 1)


@dataclass(frozen=True, slots=True)
class Contest:
    name: str
    url: str
    connections: int


def throughputs(database: BenchmarkDatabase) -> tuple[list[Throughput], list[Target]]:
    with (
        serving(PRODUCT, database, "/livez") as product,
        serving(REFERENCE, database) as reference,
        serving(BARE, database) as bare,
    ):
        contests = [
            Contest(name, url, connections)
            for connections in (16, 64)
            for name, url in (("list of 20", product.url + LIST), ("reference", reference.url + "/"))
        ]
        contests += [
            Contest("list of 20", product.url + LIST, 512),
            Contest("/livez", product.url + "/livez", 64),
            Contest("bare ASGI answer", bare.url + "/", 64),
        ]
        measured = [wrk(one.url, database, one.connections, SECONDS) for one in told("throughput", contests * ROUNDS)]
    loads = {one: measured[place :: len(contests)] for place, one in enumerate(contests)}
    return [_throughput(one, loads) for one in contests], _throughput_targets(contests, loads)


def _throughput(one: Contest, loads: dict[Contest, list[Load]]) -> Throughput:
    others = next((other for other in loads if (other.name, other.connections) == ("reference", one.connections)), None)
    ratio = None
    if others is not None and one.name == "list of 20":
        ratio = median(
            mine.per_second / theirs.per_second for mine, theirs in zip(loads[one], loads[others], strict=True)
        )
    return Throughput(
        one.name,
        one.connections,
        median(load.per_second for load in loads[one]),
        median(load.p99 for load in loads[one]),
        ratio,
    )


def _throughput_targets(contests: list[Contest], loads: dict[Contest, list[Load]]) -> list[Target]:
    targets = []
    by = {(one.name, one.connections): loads[one] for one in contests}
    for connections, bound in ((16, 0.85), (64, 0.6)):
        mine, theirs = by["list of 20", connections], by["reference", connections]
        speed = median(a.per_second / b.per_second for a, b in zip(mine, theirs, strict=True))
        slowness = median(a.p99 / b.p99 for a, b in zip(mine, theirs, strict=True))
        targets.append(
            Target(
                f"list, {connections} connections, throughput to the reference",
                f"≥ {bound}",
                f"{speed:.2f}",
                speed >= bound,
            )
        )
        targets.append(
            Target(f"list, {connections} connections, p99 to the reference", "≤ 2", f"{slowness:.2f}", slowness <= 2)
        )
    crowded = by["list of 20", 512]
    best = median(
        max(a.per_second, b.per_second) for a, b in zip(by["list of 20", 16], by["list of 20", 64], strict=True)
    )
    kept = median(load.per_second for load in crowded) / best
    errors = sum(load.errors for load in crowded)
    targets.append(Target("list, 512 connections, to its own best", "≥ 0.8", f"{kept:.2f}", kept >= 0.8))
    targets.append(Target("list, 512 connections, errors", "0", str(errors), errors == 0))
    return targets


def scale(small: BenchmarkDatabase, large: BenchmarkDatabase) -> list[Target]:
    """The same questions to a small and to a large table, in turn; the median latency of one client."""
    targets = []
    with serving(PRODUCT, small, "/livez") as at_small, serving(PRODUCT, large, "/livez") as at_large:
        questions = {
            "first page": (LIST, LIST),
            "deep page by cursor": (_deep(at_small, small), _deep(at_large, large)),
            "filtered page": (f"{LIST}&role=admin&is_active=true&sorting_field=created_at&sorting_order=desc",) * 2,
            "prefix search": (f"{LIST}&search=kuser0000",) * 2,
        }
        for question, (small_path, large_path) in questions.items():
            name = f"{question}: {_grouped(ROWS)} rows to {_grouped(SMALL)}"
            ratios = [
                wrk(at_large.url + large_path, large, 1, 2).p50 / wrk(at_small.url + small_path, small, 1, 2).p50
                for _ in told(name, range(ROUNDS), "pairs")
            ]
            ratio = median(ratios)
            targets.append(Target(name, "≤ 1.5", f"{ratio:.2f}", ratio <= 1.5))
    return targets


def _deep(server: Server, database: BenchmarkDatabase) -> str:
    """The page nine thousand users in, by cursor, in the order of creation."""
    page = httpx.get(
        f"{server.url}{LIST}&sorting_field=created_at&offset=8980", headers={"Cookie": f"session={database.token}"}
    ).json()
    return f"{LIST}&sorting_field=created_at&cursor={page['next_cursor']}"


async def logins(database: BenchmarkDatabase) -> list[Target]:
    usernames = [f"login{number}" for number in range(8)]
    await _add_users(database, usernames)
    limits = {"GATEHOUSE_PASSWORD__WORK_FACTOR": str(WORK_FACTOR)}
    with serving(PRODUCT, database, "/livez", **limits) as server:
        limit = HASHING_THREADS / _seconds_per_hash()
        idle = [wrk(server.url + LIST, database, 16, SECONDS).p99 for _ in told("reads", range(ROUNDS))]
        rates = [
            await logins_per_second(server.url, usernames, PASSWORD, SECONDS * 2) for _ in told("logins", range(ROUNDS))
        ]
        stormy = []
        for _ in told("reads in a storm of logins", range(ROUNDS)):
            storm = asyncio.create_task(logins_per_second(server.url, usernames, PASSWORD, SECONDS + 1))
            stormy.append((await asyncio.to_thread(wrk, server.url + LIST, database, 16, SECONDS)).p99)
            await storm
    share, slowness = median(rates) / limit, median(stormy) / median(idle)
    return [
        Target("logins a second, to what bcrypt allows", "≥ 0.9", f"{share:.2f}", share >= 0.9),
        Target("p99 of reads in a storm of logins, to idle", "≤ 4", f"{slowness:.2f}", slowness <= 4),
    ]


def _seconds_per_hash() -> float:
    hashed = bcrypt.hashpw(b"x" * 64, bcrypt.gensalt(WORK_FACTOR))
    tries = []
    for _ in range(7):
        began = time.perf_counter()
        bcrypt.checkpw(b"x" * 64, hashed)
        tries.append(time.perf_counter() - began)
    return median(tries)


async def _add_users(database: BenchmarkDatabase, usernames: list[str], work_factor: int = WORK_FACTOR) -> None:
    threads = BoundedThreads(1)
    password_hash = await BcryptPasswordHasher([PASSWORD_PEPPER], work_factor, threads).hash(
        PASSWORD, client="benchmark"
    )
    threads.close()
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        for username in usernames:
            connection.execute("DELETE FROM users WHERE username = %s", [username])
            connection.execute(
                """
                INSERT INTO users (id, username, role, is_active, password_hash, must_change_password, created_at,
                    updated_at)
                VALUES (%s, %s, 'user', %s, %s, false, now(), now())
                """,
                [uuid7(), username, username != "inactive", password_hash],
            )


async def timing(database: BenchmarkDatabase) -> list[Target]:
    """Whether an answer's time tells unknown, wrong and inactive users apart."""
    await _add_users(database, ["present", "inactive"], work_factor=10)
    limits = {
        "GATEHOUSE_PASSWORD__WORK_FACTOR": "10",
        "GATEHOUSE_THROTTLE__ATTEMPTS_PER_ACCOUNT": "1000",
        "GATEHOUSE_THROTTLE__ATTEMPTS_PER_ADDRESS": "100000",
    }
    tries: dict[str, list[float]] = {"absent": [], "present": [], "inactive": []}
    with serving(PRODUCT, database, "/livez", **limits) as server:
        async with httpx.AsyncClient() as client:
            for _ in told("times of logins", range(200), "rounds"):
                for username, taken in tries.items():
                    password = PASSWORD if username == "inactive" else "not the password at all"
                    taken.append(await login_seconds(server.url, username, password, client))
    medians = [median(taken) for taken in tries.values()]
    spread = max(medians) / min(medians) - 1
    return [Target("login: unknown, wrong, inactive, difference of medians", "< 5 %", f"{spread:.1%}", spread < 0.05)]


def endurance(database: BenchmarkDatabase) -> list[Target]:
    with serving(PRODUCT, database, "/livez") as server:
        seconds = server.seconds_to_first_answer
        served, early = 0.0, 0
        tell("memory over many requests")
        with ProgressReport("requests") as report:
            while served < REQUESTS:
                load = wrk(server.url + LIST, database, 16, 1 if not served else 10)
                served += load.per_second * (1 if not served else 10)
                early = early or server.resident_bytes
                report.update(round(served), min(1.0, served / REQUESTS))
        growth = server.resident_bytes / early
    return [
        Target(
            f"memory after {_grouped(REQUESTS)} requests, to after 1 000",
            "≤ 1.05",
            f"{growth:.3f}",
            growth <= 1.05,
        ),
        Target("start to first 200", "≤ 3 s", f"{seconds:.1f} s", seconds <= 3),
    ]


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def main() -> None:
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: install it (Debian: apt-get install wrk) and run make bench again.")
    with embedded_server() as url:
        small, large = prepare_database(url, SMALL), prepare_database(url, ROWS)
        speeds, targets = throughputs(large)
        targets += scale(small, large)
        targets += console_pages(small, large, ROUNDS, SECONDS)
        targets += asyncio.run(logins(large))
        targets += asyncio.run(timing(small))
        targets += endurance(large)
    circumstances = (
        f"{_grouped(ROWS)} users, {os.cpu_count()} cores for everything (server, PostgreSQL and load), one worker, "
        f"medians of {ROUNDS} interleaved rounds."
    )
    text = report.markdown(speeds, targets, circumstances)
    report.write(text, speeds)
    print(text)


if __name__ == "__main__":
    main()
