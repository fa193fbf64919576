"""One trace from the request that brought a touchpoint to the message that it led to.

A touchpoint carries its request's `traceparent` in its context. The router tells the run within
that trace; the run hands the trace of the latest touchpoint to the activities that follow. The
Temporal header costs 80 bytes a signal, so it is there only where traces are on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from temporalio import activity, client, worker, workflow
from temporalio.api.common.v1 import Payload

from routing.signals import RunSignals, RunStart, Told

HEADER = "traceparent"
Headers = Mapping[str, Payload]

_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("clew.workers")


def context_of(traceparent: object) -> Context | None:
    """The trace that a `traceparent` names; None where it names none."""
    if not isinstance(traceparent, str):
        return None
    context = _propagator.extract({HEADER: traceparent})
    return context if trace.get_current_span(context).get_span_context().is_valid else None


def traceparent() -> str | None:
    """The current span as a `traceparent`, where there is one."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get(HEADER)


class TracedRuns:
    """Tells runs within the trace of the touchpoint that they are told."""

    def __init__(self, runs: RunSignals) -> None:
        self._runs = runs

    async def signal(self, workflow_id: str, touchpoints: Sequence[Told]) -> None:
        """As `RunSignals.signal`."""
        with _route_span("route touchpoint", workflow_id, touchpoints):
            await self._runs.signal(workflow_id, touchpoints)

    async def start(self, start: RunStart) -> str:
        """As `RunSignals.start`."""
        with _route_span("route touchpoint: start", start.workflow_id, [start.touchpoint]):
            return await self._runs.start(start)


class TraceHeaders(client.Interceptor, worker.Interceptor):
    """Carries the trace through Temporal. Give it to the client; its workers inherit it."""

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:  # noqa: A002 -- the SDK's name
        """Put the current trace into starts and signals."""
        return _Sending(next)

    def intercept_activity(
        self,
        next: worker.ActivityInboundInterceptor,  # noqa: A002 -- the SDK's name
    ) -> worker.ActivityInboundInterceptor:
        """Run activities within the trace that they were scheduled in."""
        return _Acting(next)

    def workflow_interceptor_class(
        self,
        input: worker.WorkflowInterceptorClassInput,  # noqa: A002 -- the SDK's name
    ) -> type[worker.WorkflowInboundInterceptor]:
        """Hand the trace of what came last to the activities that follow."""
        return _Running


class _Sending(client.OutboundInterceptor):
    async def start_workflow(
        self,
        input: client.StartWorkflowInput,  # noqa: A002 -- the SDK's name
    ) -> client.WorkflowHandle[Any, Any]:
        input.headers = _with_current(input.headers)
        return await super().start_workflow(input)

    async def signal_workflow(self, input: client.SignalWorkflowInput) -> None:  # noqa: A002 -- the SDK's name
        input.headers = _with_current(input.headers)
        await super().signal_workflow(input)


class _Acting(worker.ActivityInboundInterceptor):
    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:  # noqa: A002 -- the SDK's name
        info = activity.info()
        with _tracer.start_as_current_span(
            info.activity_type,
            context=context_of(_read(input.headers)),
            kind=SpanKind.CONSUMER,
            attributes={"clew.run": info.workflow_id or "", "clew.attempt": info.attempt},
        ):
            return await super().execute_activity(input)


class _Running(worker.WorkflowInboundInterceptor):
    """The trace is a value from history, so replay hands on the same one or its parent."""

    current: str | None = None

    def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
        super().init(_Scheduling(outbound, self))

    async def execute_workflow(self, input: worker.ExecuteWorkflowInput) -> Any:  # noqa: A002 -- the SDK's name
        self.current = self.current or _read(input.headers)
        return await super().execute_workflow(input)

    async def handle_signal(self, input: worker.HandleSignalInput) -> None:  # noqa: A002 -- the SDK's name
        told = _read(input.headers)
        if told is not None:
            self.current = told if workflow.unsafe.is_replaying() else _mark(input.signal, told)
        await super().handle_signal(input)


class _Scheduling(worker.WorkflowOutboundInterceptor):
    def __init__(
        self,
        next: worker.WorkflowOutboundInterceptor,  # noqa: A002 -- the SDK's name
        run: _Running,
    ) -> None:
        super().__init__(next)
        self._run = run

    def start_activity(self, input: worker.StartActivityInput) -> workflow.ActivityHandle[Any]:  # noqa: A002 -- the SDK's name
        return super().start_activity(replace(input, headers=self._with(input.headers)))

    def start_local_activity(
        self,
        input: worker.StartLocalActivityInput,  # noqa: A002 -- the SDK's name
    ) -> workflow.ActivityHandle[Any]:
        return super().start_local_activity(replace(input, headers=self._with(input.headers)))

    def _with(self, headers: Headers) -> Headers:
        return (
            headers
            if self._run.current is None
            else {**headers, HEADER: _written(self._run.current)}
        )


def _mark(signal: str, told: str) -> str:
    """A moment in the trace at which the run took the touchpoint up; what follows hangs on it."""
    attributes = {"clew.run": workflow.info().workflow_id}
    span = _tracer.start_span(f"run: {signal}", context=context_of(told), attributes=attributes)
    span.end()
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, trace.set_span_in_context(span))
    return carrier.get(HEADER, told)


def _route_span(name: str, workflow_id: str, touchpoints: Sequence[Told]) -> Any:
    """A span in the trace of the first touchpoint, linked to those of the others."""
    contexts = [context_of(_of(told)) for told in touchpoints]
    spans = [trace.get_current_span(found).get_span_context() for found in contexts if found]
    return _tracer.start_as_current_span(
        name,
        context=next((found for found in contexts if found), None),
        kind=SpanKind.PRODUCER,
        links=[Link(span) for span in spans[1:]],
        attributes={
            "clew.run": workflow_id,
            "clew.messages": [str(told["message_id"]) for told in touchpoints][:20],
        },
    )


def _of(told: Told) -> object:
    context = told.get("context")
    return context.get(HEADER) if isinstance(context, dict) else None


def _with_current(headers: Headers) -> Headers:
    current = traceparent()
    return headers if current is None else {**headers, HEADER: _written(current)}


def _written(current: str) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=orjson.dumps(current))


def _read(headers: Headers) -> str | None:
    payload = headers.get(HEADER)
    try:
        found = orjson.loads(payload.data) if payload is not None else None
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, str) else None
