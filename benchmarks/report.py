"""The measured numbers as a table, a plot, and a part of docs/performance.md."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.root import ROOT

DOCUMENT: Final = ROOT / "docs/performance.md"
PLOT: Final = ROOT / "docs/performance.svg"
_PLACE: Final = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- /measured -->)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Throughput:
    """Medians over the rounds of one run."""

    name: str
    connections: int
    per_second: float
    p99: float
    to_reference: float | None


@dataclass(frozen=True, slots=True)
class Target:
    what: str
    bound: str
    measured: str
    is_met: bool


def markdown(throughputs: Sequence[Throughput], targets: Sequence[Target], circumstances: str) -> str:
    lines = [circumstances, "", "| contender | connections | requests/s | p99 | to the reference |"]
    lines.append("|---|---:|---:|---:|---:|")
    for one in throughputs:
        ratio = "" if one.to_reference is None else f"{one.to_reference:.2f}"
        lines.append(f"| {one.name} | {one.connections} | {one.per_second:.0f} | {one.p99 * 1e3:.1f} ms | {ratio} |")
    lines += ["", "| target | bound | measured | met |", "|---|---|---|---|"]
    lines += [f"| {one.what} | {one.bound} | {one.measured} | {'yes' if one.is_met else 'no'} |" for one in targets]
    return "\n".join(lines) + "\n"


def write(text: str, throughputs: Sequence[Throughput]) -> None:
    DOCUMENT.write_text(_PLACE.sub(lambda _: text, DOCUMENT.read_text()))
    PLOT.write_text(_plot(throughputs))


def _plot(throughputs: Sequence[Throughput]) -> str:
    """Horizontal bars of requests per second, on a logarithmic scale from 100 to 100 000."""
    height = 28 * len(throughputs) + 20
    bars = []
    for place, one in enumerate(throughputs):
        width = 140 * max(0.0, math.log10(one.per_second) - 2)
        y = 10 + 28 * place
        label = f"{one.name}, {one.connections} connections"
        bars.append(
            f'<text x="330" y="{y + 15}" text-anchor="end">{label}</text>'
            f'<rect x="340" y="{y}" width="{width:.0f}" height="20" rx="2"/>'
            f'<text x="{346 + width:.0f}" y="{y + 15}">{one.per_second:.0f}/s</text>'
        )
    style = "text{font:13px sans-serif;fill:#444}rect{fill:#4a7ba6}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 840 {height}">'
        f"<title>Requests per second, logarithmic</title><style>{style}</style>{''.join(bars)}</svg>\n"
    )
