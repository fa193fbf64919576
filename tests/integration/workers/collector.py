"""A collector on loopback: takes what OTLP exporters send over HTTP."""

import gzip
import threading
from collections import defaultdict
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a log, as it came."""

    service: str
    event: str
    level: str
    severity: int
    trace: str
    fields: dict[str, Any]


class Collector:
    """Spans by trace, metric names, and log lines in the order that they came in.

    Nobody is answered while `free` is cleared. `asked` is set once somebody has sent something.
    """

    def __init__(self) -> None:
        self.spans: dict[str, dict[str, str]] = defaultdict(dict)
        self.metrics: set[str] = set()
        self.lines: list[Line] = []
        self.asked, self.free = threading.Event(), threading.Event()
        self.free.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                outer.asked.set()
                outer.free.wait(60)
                outer.take(self.path, body)
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    def __enter__(self) -> "Collector":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.free.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        """Where it is (`OTEL_EXPORTER_OTLP_ENDPOINT`)."""
        return f"http://127.0.0.1:{self.server.server_port}"

    def take(self, path: str, body: bytes) -> None:
        """What came to one of its three doors."""
        match path:
            case "/v1/metrics":
                self._take_metrics(body)
            case "/v1/logs":
                self._take_lines(body)
            case _:
                self._take_spans(body)

    def _take_metrics(self, body: bytes) -> None:
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for scope in resource.scope_metrics:
                self.metrics |= {metric.name for metric in scope.metrics}

    def _take_lines(self, body: bytes) -> None:
        for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
            service = _service(resource.resource)
            for scope in resource.scope_logs:
                self.lines += [
                    Line(
                        service=service,
                        event=each.body.string_value,
                        level=each.severity_text,
                        severity=each.severity_number,
                        trace=each.trace_id.hex(),
                        fields={field.key: _value(field.value) for field in each.attributes},
                    )
                    for each in scope.log_records
                ]

    def _take_spans(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = _service(resource.resource)
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans[span.trace_id.hex()][span.name] = service


def _service(resource: Any) -> str:
    [service] = [
        each.value.string_value for each in resource.attributes if each.key == "service.name"
    ]
    return service


def _value(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))
