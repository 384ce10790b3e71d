"""Whether requests are traced, by the variables of the environment."""

from importlib.util import find_spec

import pytest

from gatehouse.setup import tracing
from gatehouse.setup.tracing import find_tracing, warnings_of_tracing

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


@pytest.mark.parametrize(
    "environ",
    [
        ENDPOINT,
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"},
        {**ENDPOINT, "OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "false"},
        {**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
    ],
)
def test_an_endpoint_asks_for_it(environ: dict[str, str]) -> None:
    assert find_tracing(environ) is not None
    assert list(warnings_of_tracing(environ)) == []


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_SERVICE_NAME": "accounts"},
        {**ENDPOINT, "OTEL_SDK_DISABLED": "True"},
        {**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_nothing_else_does(environ: dict[str, str]) -> None:
    assert find_tracing(environ) is None
    assert list(warnings_of_tracing(environ)) == []


def test_another_protocol_is_told_and_no_reason_not_to_serve() -> None:
    environ = {**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}

    assert find_tracing(environ) is None
    assert list(warnings_of_tracing(environ)) == [
        "requests are not traced: OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf."
    ]


@pytest.mark.parametrize("missing", ["opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"])
def test_what_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setattr(tracing, "find_spec", lambda name: None if name == missing else find_spec(name))

    assert find_tracing(ENDPOINT) is None
    assert list(warnings_of_tracing(ENDPOINT)) == [
        "requests are not traced: an OTEL_… variable asks for it, and gatehouse[otel] is not installed."
    ]
