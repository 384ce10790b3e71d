"""What a line of the log may hold, and which lines no level silences."""

import io
import json
import logging
from collections.abc import Callable
from contextlib import redirect_stderr
from typing import Any

import pytest
import structlog
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gatehouse.audit.infrastructure.audit_trail import audit_log, log_event
from gatehouse.common.settings import LogFormat, LogLevel, LogSettings
from gatehouse.setup.logs import configure_logs

CONTROLS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))]
LINE_ENDS = ["\u2028", "\u2029"]
BIDI = [chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)]
INVISIBLE = ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad"]
LONE_SURROGATES = ["\ud800", "\udfff"]
HARMFUL = [*CONTROLS, *LINE_ENDS, *BIDI, *INVISIBLE, *LONE_SURROGATES]
FORGED = "2026-01-01T00:00:00Z [info] forged"


class Log:
    """Standard error as a terminal or a collector has it: it takes UTF-8 and refuses what is none."""

    def __init__(self, *, is_terminal: bool = False) -> None:
        self._bytes = io.BytesIO()
        self._stderr = io.TextIOWrapper(self._bytes, "utf-8", errors="strict", newline="")
        self._stderr.isatty = lambda: is_terminal  # type: ignore[method-assign]

    def configure(self, settings: LogSettings, *, on_command_line: bool = False) -> None:
        with redirect_stderr(self._stderr):
            configure_logs(settings, on_command_line=on_command_line)

    @property
    def text(self) -> str:
        """All that was logged."""
        self._stderr.flush()
        return self._bytes.getvalue().decode()

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def log(logs_as_before: None) -> Log:
    assert logs_as_before is None
    return Log()


@pytest.fixture(params=LogFormat)
def log_of_any_format(request: pytest.FixtureRequest, log: Log) -> Log:
    log.configure(LogSettings(format=request.param))
    return log


def raise_an_error(message: str) -> None:
    cause = ValueError(message)
    cause.add_note(message)
    error = LookupError(message)
    error.add_note(message)
    raise error from ExceptionGroup(message, [cause])


def log_value(text: str) -> None:
    structlog.get_logger().info("something", value=text)


def log_event_name(text: str) -> None:
    structlog.get_logger().info(text)


def log_key(text: str) -> None:
    structlog.get_logger().info("something", **{text: 1})


def log_nested_value(text: str) -> None:
    structlog.get_logger().info("something", value={"list": [text, (text,)], "mapping": {text: text}})


def log_object(text: str) -> None:
    class Hostile:
        def __repr__(self) -> str:
            return text

    structlog.get_logger().info("something", value=Hostile(), list=[Hostile()], mapping={Hostile(): Hostile()})


def log_context(text: str) -> None:
    with structlog.contextvars.bound_contextvars(caller=text):
        structlog.get_logger().info("something")


def log_exception(text: str) -> None:
    try:
        raise_an_error(text)
    except LookupError:
        structlog.get_logger().exception("something")


def log_with_the_standard_library(text: str) -> None:
    logging.getLogger("a library").warning("said %s", text)


def log_an_exception_with_the_standard_library(text: str) -> None:
    try:
        raise_an_error(text)
    except LookupError:
        logging.getLogger("a library").exception("something")


WAYS = [
    log_value,
    log_event_name,
    log_key,
    log_nested_value,
    log_object,
    log_context,
    log_exception,
    log_with_the_standard_library,
    log_an_exception_with_the_standard_library,
]


@pytest.mark.promise("G3")
@pytest.mark.parametrize("way", WAYS)
def test_nothing_that_breaks_reorders_or_hides_a_part_of_a_line_gets_into_the_log(
    way: Callable[[str], None], log_of_any_format: Log
) -> None:
    for character in HARMFUL:
        way(f"a{character}b")

    text = log_of_any_format.text
    assert [ascii(character) for character in set(HARMFUL) - {"\n"} if character in text] == []
    assert "\\u202e" in text


@pytest.mark.promise("G3")
@pytest.mark.parametrize("way", WAYS)
def test_no_text_passes_for_a_line_of_its_own(way: Callable[[str], None], log_of_any_format: Log) -> None:
    way(f"a\n{FORGED}\r\n{FORGED}")

    text = log_of_any_format.text
    assert "forged" in text
    assert [line for line in text.split("\n") if line.startswith(("2026-01-01", "forged"))] == []


@pytest.mark.promise("G3")
def test_a_line_of_json_is_json_and_an_exception_is_in_its_line(log: Log) -> None:
    log.configure(LogSettings(format=LogFormat.JSON))

    log_exception(f"a\n{FORGED}")
    log_key("\ud800")

    exception, key = log.records
    assert "Traceback" in exception["exception"]
    assert "\n2026-01-01" not in exception["exception"]
    assert key["\\ud800"] == 1


@pytest.mark.promise("G3")
def test_letters_of_every_script_are_left_as_they_are(log: Log) -> None:
    log.configure(LogSettings(format=LogFormat.CONSOLE))

    log_value("Zoë-Ελένη-日本")

    assert "Zoë-Ελένη-日本" in log.text


@pytest.mark.promise("G4")
@pytest.mark.parametrize("level", LogLevel)
def test_no_level_silences_an_audit_line_or_says_less_than_that_one_was_not_stored(log: Log, level: LogLevel) -> None:
    log.configure(LogSettings(level=level, format=LogFormat.JSON))

    for outcome in ("succeeded", "failed", "refused", "throttled"):
        log_event({"action": "log_in", "outcome": outcome})
    audit_log.warning("audit_event_not_stored", reason="any")

    lines = log.records
    assert [line.get("outcome") for line in lines] == ["succeeded", "failed", "refused", "throttled", None]
    assert lines[-1]["event"] == "audit_event_not_stored"


@pytest.mark.parametrize("is_logged", [True, False])
def test_the_level_silences_other_lines(log: Log, *, is_logged: bool) -> None:
    log.configure(LogSettings(level=LogLevel.INFO if is_logged else LogLevel.ERROR))

    log_value("harmless")
    log_with_the_standard_library("harmless")

    assert log.text.count("harmless") == (2 if is_logged else 0)


@pytest.mark.promise("G4")
def test_on_the_command_line_a_person_reads_errors_and_what_was_not_stored(log: Log) -> None:
    log.configure(LogSettings(level=LogLevel.DEBUG, format=LogFormat.JSON), on_command_line=True)

    log_value("harmless")
    log_event({"action": "create_super_admin", "outcome": "succeeded"})
    audit_log.warning("audit_event_not_stored", reason="any")
    structlog.get_logger().error("an error")

    assert [line["event"] for line in log.records] == ["audit_event_not_stored", "an error"]


@pytest.mark.promise("G4")
@pytest.mark.parametrize("state", ["forged", f"k={FORGED * 200},", "k" * 9000])
def test_what_strangers_send_as_the_state_of_a_trace_is_not_repeated(log: Log, state: str) -> None:
    log.configure(LogSettings(level=LogLevel.DEBUG))

    parent = f"00-{'1' * 32}-{'2' * 16}-01"
    TraceContextTextMapPropagator().extract({"traceparent": parent, "tracestate": state})

    assert log.text == ""


@pytest.mark.parametrize(
    ("is_terminal", "no_color", "is_coloured"),
    [(True, "", True), (True, "1", False), (False, "", False), (False, "1", False)],
)
def test_colours_are_for_a_terminal_whose_user_wants_them(
    logs_as_before: None, monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool, no_color: str, is_coloured: bool
) -> None:
    assert logs_as_before is None
    monkeypatch.setenv("NO_COLOR", no_color)
    log = Log(is_terminal=is_terminal)
    log.configure(LogSettings())

    structlog.get_logger().info("harmless")
    logging.getLogger("uvicorn.error").info("harmless")

    assert log.text.count("harmless") == 2
    assert ("\x1b" in log.text) is is_coloured
