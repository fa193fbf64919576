"""`/inbound/twilio`, `/inbound/slack`: what customers write by text message, WhatsApp and Slack."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from api.inbound import InboundDesk
from api.inbound_mail import answering
from api.pressure import Pressure
from api.refusals import RefusedRequestError, json_response
from api.request_body import read_body, read_json
from channels.slack_inbound import challenge_of, is_slacks, read_event
from channels.twilio_inbound import ReceivedText, UnreadableTextError, read_text, twiml
from channels.twilio_signature import is_signed
from contracts.inbound_message import InboundFile, InboundMessage

LARGEST_FORM = 64 * 1024
LARGEST_EVENT = 512 * 1024
AT_ONCE = 64
_MOST_FIELDS = 300


class Media(Protocol):
    """Fetches the files of a message."""

    async def fetch(self, urls: Sequence[str]) -> tuple[list[InboundFile], list[str]]:
        """The files, and why those are missing that could not be fetched."""
        ...


def twilio_router(
    desk: InboundDesk, auth_token: str, public_url: str, media: Media, *, help_text: str = ""
) -> APIRouter:
    """The door that Twilio knocks at. `public_url` is our address as Twilio was told it."""
    router = APIRouter(tags=["what customers write"])

    async def twilio(request: Request) -> Response:
        body = await read_body(request, LARGEST_FORM)
        pairs = _fields(body)
        query = request.url.query
        address = f"{public_url.rstrip('/')}/inbound/twilio{'?' + query if query else ''}"
        signature = request.headers.get("x-twilio-signature", "")
        if not is_signed(auth_token, address, pairs, signature):
            said = f"not signed by Twilio for {address}: see CLEW_PUBLIC_URL and CLEW_TWILIO_AUTH_TOKEN"
            raise RefusedRequestError(403, "not_signed", said)
        try:
            received = read_text(dict(pairs), datetime.now(UTC))
        except UnreadableTextError as error:
            raise RefusedRequestError(400, "unreadable", str(error)) from None
        heard = await desk.take(await _with_files(received, media))
        words = help_text if heard.new and heard.kind == "help" else ""
        return Response(twiml(words), media_type="text/xml")

    router.add_route("/inbound/twilio", answering(twilio, Pressure(AT_ONCE)), methods=["POST"])
    return router


def slack_router(desk: InboundDesk, signing_secret: str) -> APIRouter:
    """The door that Slack's events come to."""
    router = APIRouter(tags=["what customers write"])

    async def slack(request: Request) -> Response:
        body = await read_body(request, LARGEST_EVENT)
        now = datetime.now(UTC)
        stamp = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        if not is_slacks(signing_secret, stamp, body, signature, now):
            said = "not signed by Slack, or too long ago: see CLEW_SLACK_SIGNING_SECRET"
            raise RefusedRequestError(403, "not_signed", said)
        told, _ = read_json(body)
        if not isinstance(told, dict):
            raise RefusedRequestError(400, "bad_request", "expected a JSON object")
        event = cast("dict[str, Any]", told)
        challenge = challenge_of(event)
        if challenge is not None:
            return PlainTextResponse(challenge)
        message = read_event(event, now)
        if message is not None:
            await desk.take(message)
        return json_response({"success": True})

    router.add_route("/inbound/slack", answering(slack, Pressure(AT_ONCE)), methods=["POST"])
    return router


async def _with_files(received: ReceivedText, media: Media) -> InboundMessage:
    message = received.message
    if not received.media:
        return message
    files, missing = await media.fetch(received.media)
    whole = message.whole
    if missing:
        whole = f"{whole}\n\n[Not fetched: {'; '.join(missing)}]".strip()
    return replace(message, files=tuple(files), whole=whole)


def _fields(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise RefusedRequestError(400, "bad_request", "expected a form of Twilio's") from None
