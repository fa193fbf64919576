"""What is seen of activities from outside: the ids in their log lines, and their metrics."""

from datetime import UTC, datetime
from typing import Any

import structlog
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from contracts.journey_run import RunReference
from contracts.message_delivery import DeliverMessage, MessageDelivered
from workers.metrics import DELIVERIES, TOUCHPOINT_TO_DELIVERY

_TOUCHPOINT_DECISIONS = {"entered", "met", "reacted", "trait", "decided"}


class ActivityWatch(Interceptor):
    """Give it to a client after the plugin's own interceptors: it reads whole references."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 -- the SDK's name
        """Wrap the activity."""
        return _Watched(next)


class _Watched(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 -- the SDK's name
        info = activity.info()
        order: Any = input.args[0] if input.args else None
        run = getattr(order, "run", None)
        ids: dict[str, Any] = {"run": info.workflow_id, "activity": info.activity_type}
        if isinstance(run, RunReference):
            ids |= {"journey": run.journey, "customer": run.customer, "entry": run.entry}
        with structlog.contextvars.bound_contextvars(**ids):
            result = await super().execute_activity(input)
        if isinstance(order, DeliverMessage) and isinstance(result, MessageDelivered):
            _measure(order, result)
        return result


def _measure(order: DeliverMessage, told: MessageDelivered) -> None:
    DELIVERIES.labels(
        purpose=order.deliver.purpose,
        channel=told.channel or "none",
        state=told.state,
        reason=told.reason or "none",
    ).inc()
    record = order.record
    if told.state != "accepted" or record is None:
        return
    decided = [entry.at for entry in record.trace if entry.kind in _TOUCHPOINT_DECISIONS]
    if decided:
        clock = order.run.clock
        since = clock.wall(decided[-1]) if clock else decided[-1]
        took = (datetime.now(UTC) - since).total_seconds()
        TOUCHPOINT_TO_DELIVERY.observe(max(took, 0.0))
