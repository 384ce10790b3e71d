"""Whether requests are traced: by the standard variables of OpenTelemetry, since whoever collects traces sets those."""

import os
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from gatehouse.common.settings import ConfigError

if TYPE_CHECKING:
    from gatehouse.common.infrastructure.tracing import Tracing

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL: Final = "http/protobuf"

type OpenTracing = Callable[[], "Tracing"]


def find_tracing(environ: Mapping[str, str] = os.environ) -> OpenTracing | None:
    """What opens it in the process that serves; None where it is off. Imported here, so that workers share it."""
    if not _is_asked_for(environ) or any(_obstacles(environ)):
        return None
    from gatehouse.common.infrastructure.tracing import open_tracing  # noqa: PLC0415  # only where it is used

    def open_explained() -> "Tracing":
        try:
            tracing = open_tracing()
        except Exception as error:  # noqa: BLE001  # whatever the library makes of a variable
            raise ConfigError(f"OTEL_EXPORTER_OTLP_…: tracing cannot be set up ({type(error).__name__}).") from None
        tracing.make_global()
        return tracing

    return open_explained


def warnings_of_tracing(environ: Mapping[str, str] = os.environ) -> Iterator[str]:
    """No reason not to serve: a platform sets such variables for all that runs on it."""
    if _is_asked_for(environ):
        yield from _obstacles(environ)


def _is_asked_for(environ: Mapping[str, str]) -> bool:
    return (
        any(map(environ.get, _ENDPOINTS))
        and environ.get("OTEL_SDK_DISABLED", "").strip().lower() != "true"
        and environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() != "none"
    )


def _obstacles(environ: Mapping[str, str]) -> Iterator[str]:
    protocol = next(filter(None, map(environ.get, _PROTOCOLS)), _PROTOCOL).strip()
    if protocol != _PROTOCOL:
        yield f"requests are not traced: OTEL_EXPORTER_OTLP_PROTOCOL must be {_PROTOCOL}."
    if not all(map(_is_installed, ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"))):
        yield "requests are not traced: an OTEL_… variable asks for it, and gatehouse[otel] is not installed."


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # not even what it is a part of
        return False
