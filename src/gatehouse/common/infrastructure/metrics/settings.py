"""What can be configured of the metrics."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Interval, doc


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    host: Annotated[str, doc("whoever can reach it may read them, so no public address")] = "127.0.0.1"
    port: Annotated[int, Interval(ge=0, le=65_535), doc("of /metrics, for Prometheus; 0: none")] = 0
