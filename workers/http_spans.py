"""The trace of a request: its span, and its `traceparent` in each touchpoint that it brought."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.intake import Intake, Taken
from api.reported import Refused, Reported
from workers.trace_headers import HEADER, context_of, traceparent

_tracer = trace.get_tracer("clew.api")


class HttpSpans:
    """An application whose requests are spans, named by route: paths may hold identities."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = next((value for name, value in scope["headers"] if name == HEADER.encode()), b"")
        with _tracer.start_as_current_span(
            scope["method"], context=context_of(told.decode("latin-1")), kind=SpanKind.SERVER
        ) as span:

            async def answer(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status = message["status"]
                    span.set_attribute("http.response.status_code", status)
                    if status >= 500:
                        span.set_status(Status(StatusCode.ERROR))
                await send(message)

            await self._app(scope, receive, answer)
            route = getattr(scope.get("route"), "path", None) or _known_path(scope["path"])
            span.update_name(f"{scope['method']} {route}")


class TracedIntake(Intake):
    """Stores each touchpoint with the trace of the request that brought it."""

    async def take(
        self, source: str, reported: Sequence[tuple[int, Any, Reported]], refused: list[Refused]
    ) -> Taken:
        """As `Intake.take`."""
        current = traceparent()
        if current is not None:
            reported = [
                (index, message, replace(one, context={**one.context, HEADER: current}))
                for index, message, one in reported
            ]
        return await super().take(source, reported, refused)


def _known_path(path: str) -> str:
    """Doors without a route in the scope are ingest's own, which name nobody."""
    return path if path.startswith("/v1/") and path.count("/") == 2 else "other"
