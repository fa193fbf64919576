"""Traces and metrics by OTLP, as logs (sent_logs.py), off unless `OTEL_EXPORTER_OTLP_ENDPOINT` is set.

The usual `OTEL_*` variables say the rest: headers, sampling, the service's name.
"""

import os
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, Observation
from prometheus_client import REGISTRY

from workers.metrics import NAMES

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

END_SECONDS = 5.0
"""How long the last spans and figures may take to leave when the process ends."""
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def tracing() -> bool:
    """Whether traces are wanted."""
    return bool(os.environ.get(ENDPOINT))


def resource_of(process: str) -> "Resource":
    """Who sends: `clew-` and the process, unless `OTEL_SERVICE_NAME` says another name."""
    from opentelemetry.sdk.resources import Resource

    named = {"service.name": f"clew-{process}"} if not os.environ.get("OTEL_SERVICE_NAME") else {}
    return Resource.create(named)


@contextmanager
def start_telemetry(process: str) -> Generator[None]:
    """Send this process's spans and metrics while the context lasts; nothing where it is off."""
    if not tracing():
        yield
        return
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = resource_of(process)
    spans = TracerProvider(resource=resource, shutdown_on_exit=False)
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(spans)
    measures = MeterProvider(
        resource=resource,
        metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter())],
        shutdown_on_exit=False,
    )
    metrics.set_meter_provider(measures)
    _observe(measures.get_meter("clew"), NAMES)
    try:
        yield
    finally:
        # A collector that is away would be waited for, each for half a minute.
        ends = [threading.Thread(target=each.shutdown, daemon=True) for each in (spans, measures)]
        for end in ends:
            end.start()
        for end in ends:
            end.join(END_SECONDS)


def _observe(meter: metrics.Meter, names: Sequence[str]) -> None:
    """Offer by OTLP what Prometheus would find: one source for both."""
    for name in names:
        read = [_reader(name)]
        if name.endswith(("_total", "_bucket", "_sum", "_count")):
            meter.create_observable_counter(name, read)
        else:
            meter.create_observable_gauge(name, read)


def _reader(name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def read(_options: CallbackOptions) -> Iterable[Observation]:
        for family in REGISTRY.collect():
            for sample in family.samples:
                if sample.name == name:
                    yield Observation(sample.value, dict(sample.labels))

    return read
