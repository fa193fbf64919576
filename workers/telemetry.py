"""Traces and metrics by OTLP, off unless `OTEL_EXPORTER_OTLP_ENDPOINT` is set.

The usual `OTEL_*` variables say the rest: headers, sampling, the service's name.
"""

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager

from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, Observation
from prometheus_client import REGISTRY

from workers.metrics import NAMES

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def tracing() -> bool:
    """Whether traces are wanted."""
    return bool(os.environ.get(ENDPOINT))


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
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = {"service.name": f"clew-{process}"} if not os.environ.get("OTEL_SERVICE_NAME") else {}
    resource = Resource.create(named)
    spans = TracerProvider(resource=resource)
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(spans)
    measures = MeterProvider(
        resource=resource, metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter())]
    )
    metrics.set_meter_provider(measures)
    _observe(measures.get_meter("clew"), NAMES)
    try:
        yield
    finally:
        spans.shutdown()
        measures.shutdown()


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
