"""The doors for touchpoints: Segment's HTTP API under `/v1`, and CloudEvents at `/events`.

An answer of 200 means committed. 400, 401 and 413 mean that nothing was stored and that sending
the same again is useless; 429 and 503 mean that nothing was stored and that it is not. A batch
whose envelope can be read is stored but for the messages that cannot: they are named in the
answer, and parked with the reason.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api import cloudevents
from api.intake import Intake
from api.key_rates import KeyRates
from api.let_in import is_told
from api.pressure import Pressure
from api.refusals import RefusedRequestError, json_response
from api.reported import Refused, RefusedMessageError, Reported, kind_of
from api.request_body import (
    BATCH_BYTES,
    MESSAGE_BYTES,
    UnacceptableValueError,
    check_values,
    read_body,
    read_json,
)
from api.segment_messages import TYPES, SegmentReader
from api.write_key_check import WriteKeyCheck

MESSAGES_PER_BATCH = 2_500
ENVELOPE_BYTES = 2_048
"""What a single message may carry around itself: the write key, sentAt."""

_log = structlog.get_logger(__name__)

Read = Callable[[Any, str], Reported]
Door = Callable[[Request], Awaitable[Response]]


class Ingest:
    """The doors, and what stands behind them."""

    def __init__(
        self,
        intake: Intake,
        keys: WriteKeyCheck,
        pressure: Pressure,
        rates: KeyRates | None = None,
    ) -> None:
        self._intake = intake
        self._keys = keys
        self._pressure = pressure
        self._rates = rates or KeyRates(0)

    def routes(self) -> list[Route]:
        """Plain Starlette routes: FastAPI's layer would cost two thirds of a small request."""
        single = [
            Route(f"/v1/{kind}", self._behind(self._single(kind)), methods=["POST"])
            for kind in TYPES
        ]
        return [
            Route("/v1/batch", self._behind(self._batch), methods=["POST"]),
            *single,
            Route("/events", self._behind(self._events), methods=["POST"]),
        ]

    def _behind(self, door: Door) -> Door:
        async def answer(request: Request) -> Response:
            try:
                with self._pressure.admit():
                    return await door(request)
            except RefusedRequestError as refusal:
                is_told(request.scope)
                loud = _log.warning if refusal.status >= 429 else _log.info
                loud("ingest_refused", status=refusal.status, code=refusal.code)
                return refusal.response()

        return answer

    # -- Segment

    async def _batch(self, request: Request) -> Response:
        source = await self._keys.source(request)
        envelope, sure, size = await _object(request, BATCH_BYTES)
        source = source or await self._keys.source(request, envelope)
        messages = envelope.get("batch")
        if not isinstance(messages, list):
            raise _bad(f"batch: expected a list of messages, got {kind_of(messages)}")
        around = {name: value for name, value in envelope.items() if name != "batch"}
        try:
            check_values(around, "envelope", sure=sure)
        except UnacceptableValueError as error:
            raise _bad(str(error)) from None
        reader = _reader(envelope, sure=sure, sized=size <= MESSAGE_BYTES)
        return await self._take(source or "", messages, reader.read, "batch")  # pyright: ignore[reportUnknownArgumentType] -- JSON

    def _single(self, kind: str) -> Door:
        async def door(request: Request) -> Response:
            source = await self._keys.source(request)
            message, sure, _ = await _object(request, MESSAGE_BYTES + ENVELOPE_BYTES)
            source = source or await self._keys.source(request, message)
            reader = _reader({}, sure=sure, sized=False)
            try:
                reported = reader.read(message, kind, kind)
            except RefusedMessageError as refusal:
                raise _bad(str(refusal)) from None
            return await self._answer(source or "", [(0, message, reported)], [])

        return door

    # -- CloudEvents

    async def _events(self, request: Request) -> Response:
        source = await self._keys.source(request)
        if source is None:
            raise RefusedRequestError(401, "invalid_write_key", "no write key: send it as Bearer")
        now = datetime.now(UTC)
        content = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        body = await read_body(request)
        if content not in (cloudevents.BATCHED, cloudevents.STRUCTURED):
            return await self._binary(source, request, body, now)
        raw, sure = read_json(body)
        if content == cloudevents.STRUCTURED:
            reported = _or_bad(lambda: cloudevents.read_structured(raw, "event", now, sure=sure))
            return await self._answer(source, [(0, raw, reported)], [])
        if not isinstance(raw, list):
            raise _bad(f"expected a list of events, got {kind_of(raw)}")

        def read(one: Any, place: str) -> Reported:
            return cloudevents.read_structured(one, place, now, sure=sure)

        return await self._take(source, raw, read, "events")  # pyright: ignore[reportUnknownArgumentType] -- JSON

    async def _binary(self, source: str, request: Request, body: bytes, now: datetime) -> Response:
        if "ce-specversion" not in request.headers:
            said = f"send a CloudEvent: {cloudevents.STRUCTURED}, {cloudevents.BATCHED}"
            raise RefusedRequestError(400, "bad_request", f"{said}, or ce- headers")
        headers = dict(request.headers)
        reported = _or_bad(lambda: cloudevents.read_binary(headers, body, now))
        return await self._answer(source, [(0, None, reported)], [])

    # -- both

    async def _take(self, source: str, messages: Sequence[Any], read: Read, name: str) -> Response:
        if len(messages) > MESSAGES_PER_BATCH:
            raise RefusedRequestError(
                413, "too_large", f"{name}: {len(messages)} messages; send {MESSAGES_PER_BATCH}"
            )
        reported: list[tuple[int, Any, Reported]] = []
        refused: list[Refused] = []
        for index, message in enumerate(messages):
            try:
                reported.append((index, message, read(message, f"{name}[{index}]")))
            except RefusedMessageError as refusal:
                refused.append(Refused(index=index, reason=str(refusal), message=message))
        return await self._answer(source, reported, refused)

    async def _answer(
        self, source: str, reported: Sequence[tuple[int, Any, Reported]], refused: list[Refused]
    ) -> Response:
        self._rates.take(source, len(reported) + len(refused))
        taken = await self._intake.take(source, reported, refused)
        answer: dict[str, Any] = {"success": True}
        if taken.refused:
            _log.info("messages_refused", source=source, refused=len(taken.refused))
            answer["refused"] = [
                {"index": one.index, "reason": one.reason} for one in taken.refused
            ]
        return json_response(answer)


def _reader(envelope: dict[str, Any], *, sure: bool, sized: bool) -> SegmentReader:
    context = envelope.get("context")
    return SegmentReader(
        received_at=datetime.now(UTC),
        sent_at=envelope.get("sentAt"),
        context=context if isinstance(context, dict) else None,  # pyright: ignore[reportUnknownArgumentType] -- JSON
        sure=sure,
        sized=sized,
    )


async def _object(request: Request, most: int) -> tuple[dict[str, Any], bool, int]:
    body = await read_body(request, most)
    raw, sure = read_json(body)
    if not isinstance(raw, dict):
        raise _bad(f"expected a JSON object, got {kind_of(raw)}")
    return raw, sure, len(body)  # pyright: ignore[reportUnknownVariableType] -- JSON


def _or_bad(read: Callable[[], Reported]) -> Reported:
    try:
        return read()
    except RefusedMessageError as refusal:
        raise _bad(str(refusal)) from None


def _bad(message: str) -> RefusedRequestError:
    return RefusedRequestError(400, "bad_request", message)
