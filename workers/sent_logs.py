"""Log lines by OTLP, beside stderr, off unless `OTEL_EXPORTER_OTLP_ENDPOINT` is set.

A collector on another machine has what this one said, whatever becomes of this one. Whoever logs waits for
nobody: lines queue (`OTEL_BLRP_MAX_QUEUE_SIZE`, 2,048), the oldest go where nobody takes them, and
stderr has them all.
"""

import json
import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from workers.telemetry import resource_of, tracing

if TYPE_CHECKING:
    from opentelemetry._logs import Logger, SeverityNumber

END_SECONDS = 5.0
"""How long the last lines may take to leave when the process ends."""

# What they say of a failed transmission would be transmitted, and fail, and be said again.
_SENDERS = ("opentelemetry", "urllib3", "requests")
_MOST = 2**63
"""OTLP's integers have 64 bits; one larger would cost the whole batch."""


@contextmanager
def send_logs(process: str, formatter: logging.Formatter) -> Generator[None]:
    """Send what this process logs as `formatter` writes it, redacted, while the context lasts."""
    if not tracing():
        yield
        return
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

    provider = LoggerProvider(resource=resource_of(process), shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    handler = _Sent(provider.get_logger("clew"))
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        # A collector that is away would be waited for: half a minute, and nobody is left to say so.
        last = threading.Thread(target=provider.shutdown, name="last log lines", daemon=True)
        last.start()
        last.join(END_SECONDS)


class _Sent(logging.Handler):
    """Hands each line to the queue as it stands on stderr: its event, and its fields as attributes."""

    def __init__(self, to: "Logger") -> None:
        super().__init__()
        self._to = to

    def filter(self, record: logging.LogRecord) -> bool:
        return record.name.partition(".")[0] not in _SENDERS

    def emit(self, record: logging.LogRecord) -> None:
        from opentelemetry._logs import LogRecord

        # Nothing that is wrong with a line costs more than that line, which is on stderr.
        with suppress(Exception):
            line = self.format(record).encode("utf-8", "replace").decode()
            fields: dict[str, Any] = json.loads(line)
            level = str(fields.pop("level", record.levelname))
            self._to.emit(
                LogRecord(
                    timestamp=int(record.created * 1e9),
                    severity_text=level.upper(),
                    severity_number=_severity(record.levelno),
                    body=str(fields.pop("event", "")),
                    attributes={name: _plain(value) for name, value in fields.items()},
                )
            )


def _severity(level: int) -> "SeverityNumber":
    from opentelemetry._logs import SeverityNumber

    if level >= logging.CRITICAL:
        return SeverityNumber.FATAL
    if level >= logging.ERROR:
        return SeverityNumber.ERROR
    if level >= logging.WARNING:
        return SeverityNumber.WARN
    return SeverityNumber.INFO if level >= logging.INFO else SeverityNumber.DEBUG


def _plain(value: Any) -> str | bool | int | float:
    """A field as OTLP holds it; what is made of parts is JSON."""
    if isinstance(value, str | bool | float):
        return value
    if isinstance(value, int) and -_MOST <= value < _MOST:
        return value
    return json.dumps(value, ensure_ascii=False)
