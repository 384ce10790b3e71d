"""The page of users in the console, packed as for a browser, against the API's list that counts the matches, too."""

from statistics import median
from typing import Final

import httpx

from benchmarks.database import BenchmarkDatabase
from benchmarks.load import wrk
from benchmarks.progress import told
from benchmarks.report import Target
from benchmarks.servers import PRODUCT, Server, serving

_PAGE: Final = "/console/users?limit=20"
_LIST: Final = "/api/v1/users/?limit=20"
_AS_BROWSERS: Final = "Accept-Encoding: gzip"
_DEEP: Final = "&sorting_field=created_at"
_SEARCHED: Final = "&search=kuser0000"


def console_pages(small: BenchmarkDatabase, large: BenchmarkDatabase, rounds: int, seconds: int) -> list[Target]:
    targets = []
    with serving(PRODUCT, small, "/livez") as at_small, serving(PRODUCT, large, "/livez") as at_large:
        of_small, of_large = _questions(at_small, small), _questions(at_large, large)
        for question, parameters in of_large.items():
            ratios = [
                wrk(f"{at_large.url}{_PAGE}{parameters}", large, 16, seconds, _AS_BROWSERS).per_second
                / wrk(f"{at_large.url}{_LIST}&with_total=true{parameters}", large, 16, seconds).per_second
                for _ in told(f"page of users to the list: {question}", range(rounds))
            ]
            rate = median(ratios)
            targets.append(Target(f"console, {question}, to the API's list", "≥ 0.5", f"{rate:.2f}", rate >= 0.5))
        for question in of_large:
            slower = median(
                wrk(f"{at_large.url}{_PAGE}{of_large[question]}", large, 1, 2).p50
                / wrk(f"{at_small.url}{_PAGE}{of_small[question]}", small, 1, 2).p50
                for _ in told(f"page of users at two sizes: {question}", range(rounds))
            )
            name = f"console, {question}: large to small table"
            targets.append(Target(name, "≤ 1.5", f"{slower:.2f}", slower <= 1.5))
    return targets


def _questions(server: Server, database: BenchmarkDatabase) -> dict[str, str]:
    page = httpx.get(f"{server.url}{_LIST}{_DEEP}&offset=8980", headers={"Cookie": f"session={database.token}"}).json()
    return {"first page": "", "deep page": f"{_DEEP}&cursor={page['next_cursor']}", "searched": _SEARCHED}
