"""Structured logs on standard error: lines for people in development, JSON for machines in production."""

import logging
import os
import sys
from collections.abc import Mapping
from functools import partial
from textwrap import indent
from traceback import TracebackException
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from gatehouse.common.settings import LogFormat, LogSettings
from gatehouse.setup.log_stream import LogStream

_LINES_OF_ITS_OWN: Final = ('File "', "\n")
"""How a part of a traceback begins that has several lines: a frame, or what stands between two causes."""


def configure_logs(logs: LogSettings, *, on_command_line: bool = False) -> None:
    """On the command line a person reads: errors alone, and no audit lines, whose events are in the database."""
    level = logging.ERROR if on_command_line else logging.getLevelNamesMapping()[logs.level.upper()]
    stream = LogStream(sys.stderr)
    collect: list[Processor] = [
        partial(_add_lost_lines, stream),
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: list[Processor] = [
        structlog.processors.ExceptionRenderer(_format_exception),
        _escape_all,
        structlog.processors.JSONRenderer()
        if logs.format is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(
            colors=_shows_colors(sys.stderr), exception_formatter=structlog.dev.plain_traceback
        ),
    ]
    structlog.configure(
        processors=[*([_drop_audit_lines] if on_command_line else []), *collect, *render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: stream,
        cache_logger_on_first_use=False,
    )
    _route_standard_logging(stream, collect, render, level)


def _shows_colors(stream: TextIO) -> bool:
    """In a file they would be noise. NO_COLOR in the environment turns them off (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def _route_standard_logging(stream: LogStream, collect: list[Processor], render: list[Processor], level: int) -> None:
    """Libraries log through the standard library; their lines get the same format."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=collect, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render]
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.INFO), force=True)
    # These log every checkout, every migration step and every request at INFO.
    for chatty in ("psycopg.pool", "alembic", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))
    # These repeat the tracestate of a request where it is malformed. Proxies hand it on.
    for repeating in ("opentelemetry.trace.span", "opentelemetry.trace.propagation"):
        logging.getLogger(repeating).setLevel(logging.ERROR)


def _add_lost_lines(stream: LogStream, _logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """How many were lost before this one."""
    if stream.lost:
        event["lost_lines"] = stream.lost
    return event


def _drop_audit_lines(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    if event["event"] == "audit":
        raise structlog.DropEvent
    return event


def _escape_all(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Against log injection: no value may add a line to the log, reorder one, hide a part of it or steer a terminal."""
    exception = event.pop("exception", None)  # escaped already, but for its own line ends
    escaped = {_escape(str(key)): _escape_value(value) for key, value in event.items()}
    return escaped if exception is None else {**escaped, "exception": exception}


def _escape_value(value: object) -> object:
    match value:
        case str():
            return _escape(value)
        case None | bool() | int() | float():
            return value
        case Mapping():
            return {_escape(str(key)): _escape_value(item) for key, item in value.items()}
        case list() | tuple():
            return [_escape_value(item) for item in value]
        case _:
            return _escape(repr(value))


def _escape(text: str) -> str:
    """Control and format characters (bidi, zero-width), line separators and lone surrogates are not printable."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escape_sequence(character) for character in text)


def _escape_sequence(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _format_exception(exc_info: ExcInfo) -> str:
    """Indented, so that no line of it passes for a line of the log. A message may quote what a client sent."""
    parts = TracebackException(*exc_info, compact=True).format()
    return indent("".join(map(_escape_part, parts)), "    ").removesuffix("\n")


def _escape_part(part: str) -> str:
    if part.lstrip(" |").startswith(_LINES_OF_ITS_OWN):
        return "\n".join(map(_escape, part.split("\n")))
    return _escape(part.removesuffix("\n")) + "\n"
