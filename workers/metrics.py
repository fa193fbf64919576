"""What is measured, under which names, and where Prometheus finds it."""

from collections.abc import Generator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram, start_http_server

from workers.settings import ProcessSettings

DELIVERIES = Counter(
    "clew_deliveries",
    "Deliveries by how they ended, and why.",
    ["purpose", "channel", "state", "reason"],
)
TOUCHPOINT_TO_DELIVERY = Histogram(
    "clew_touchpoint_to_delivery_seconds",
    "From a run's decision on a touchpoint until the channel had the message.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
INGEST_LAG = Gauge(
    "clew_ingest_lag_seconds",
    "From when touchpoints happened until they were stored: the mean of the last minute.",
)
ROUTING_LAG = Gauge(
    "clew_routing_lag_seconds", "How long the oldest touchpoint has been waiting to be routed."
)
PENDING = Gauge("clew_routing_pending", "How many touchpoints wait to be routed.")
TIMER_LATENESS = Gauge(
    "clew_timer_lateness_seconds", "By how much the most overdue run is late to wake (wall time)."
)

NAMES = (
    "clew_deliveries_total",
    "clew_touchpoint_to_delivery_seconds_bucket",
    "clew_touchpoint_to_delivery_seconds_sum",
    "clew_touchpoint_to_delivery_seconds_count",
    "clew_ingest_lag_seconds",
    "clew_routing_lag_seconds",
    "clew_routing_pending",
    "clew_timer_lateness_seconds",
)
"""All samples above, as they are called on the wire."""


@contextmanager
def serve_metrics(settings: ProcessSettings) -> Generator[None]:
    """Offer the metrics on `CLEW_METRICS_PORT` while the context lasts, where it is set."""
    if settings.metrics_port is None:
        yield
        return
    server, thread = start_http_server(settings.metrics_port, settings.metrics_host)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
