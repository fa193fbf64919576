"""Logs: one JSON object a line on stderr, with ids and words, without personal data."""

import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

_MAIL_ADDRESS = re.compile(r"[\w.!#$%&'*+=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")
_DETAIL = re.compile(r"(?:\n|\\n)(?:DETAIL|CONTEXT|HINT):")

_ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def configure_logs(process: str, level: str, stream: TextIO | None = None) -> logging.Formatter:
    """Send all that this process logs, its libraries included, as JSON to stderr or `stream`.

    Returns what writes the lines, redacted, for whoever sends them elsewhere as well.
    """
    first: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        _moment,
        _process_name(process),
        _trace_ids,
        _failure,
        _without_rows,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *first,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=first,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            _without_addresses,
        ],
    )
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # They say at INFO what our own lines say, or name what a person asked for.
    for name in ("temporalio", "uvicorn", "uvicorn.error", "alembic", "mail.log", "httpx2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return formatter


def _process_name(process: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    return add


def _moment(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """When: for a library's line what its record says, so that the line is the same wherever it goes."""
    record: logging.LogRecord | None = event.get("_record")
    said = datetime.now(UTC) if record is None else datetime.fromtimestamp(record.created, UTC)
    event["at"] = said.isoformat().replace("+00:00", "Z")
    return event


def _trace_ids(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event


def _failure(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """An exception as its type, its first line, and where it came from.

    Never what it says below: PostgreSQL's DETAIL quotes whole rows.
    """
    found = event.pop("exc_info", None)
    info = _info(found)
    if info is None:
        return event
    kind, error, place = info
    said = str(error).split("\n", 1)[0][:500]
    event["error"] = f"{kind.__name__}: {said}" if said else kind.__name__
    event["at_frames"] = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(place)[-8:]
    ]
    return event


def _without_rows(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The line without what PostgreSQL says below its first line, however an error was written into it."""
    for name, value in event.items():
        if isinstance(value, str) and _DETAIL.search(value):
            event[name] = _DETAIL.split(value, maxsplit=1)[0]
    return event


def _info(found: Any) -> _ExceptionInfo | None:
    if isinstance(found, BaseException):
        return type(found), found, found.__traceback__
    if isinstance(found, tuple):
        return None if found[0] is None else found  # pyright: ignore[reportUnknownVariableType]
    if found:
        kind, error, place = sys.exc_info()
        return None if kind is None or error is None else (kind, error, place)
    return None


def _without_addresses(_logger: WrappedLogger, _method: str, line: Any) -> str:
    """The line with every mail address hidden: providers put them into their answers."""
    text = str(line)
    return _MAIL_ADDRESS.sub("<address>", text) if "@" in text else text
