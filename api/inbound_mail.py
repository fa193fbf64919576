"""`/inbound/postmark`, `/inbound/sendgrid`, `/inbound/ses`, `/inbound/mail`: customers' mail over HTTP.

Postmark and SendGrid sign nothing: they send a secret of ours, as the password of Basic
authentication. `/inbound/mail` takes a mail as it is, from scripts with the staff token.
"""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.inbound import InboundDesk, unavailable
from api.pressure import Pressure
from api.refusals import RefusedRequestError, json_response
from api.request_body import read_body
from api.staff_key import StaffKeyCheck
from channels.given_mail import GivenMail, UnreadableMailError, of_postmark, of_sendgrid, of_ses
from channels.inbound_mail import LARGEST_MAIL
from contracts.inbound_message import Heard
from stores.audit import acting

SHORTEST_SECRET = 16
LARGEST_BODY = LARGEST_MAIL * 3 // 2
"""Bytes: files travel in base64 inside JSON."""

AT_ONCE = 8

Door = Callable[[Request], Awaitable[Response]]


class VerifiedSns(Protocol):
    """Whether a body is a message of Amazon's SNS, and of a topic of ours."""

    async def notification(self, body: bytes) -> dict[str, Any] | None:
        """What is in a verified notification's Message, as JSON; None for others, dealt with then.

        Raises: `ValueError` where it is forged or unreadable; `OSError` where its proof cannot be
        had now.
        """
        ...


class Deeds(Protocol):
    """Where it is written down who did what."""

    async def record(self, who: str, did: str, what: str) -> None: ...


class InboundSecret:
    """What providers that sign nothing must send; without one of ours their doors are shut."""

    def __init__(self, secret: str | None) -> None:
        if secret is not None and len(secret) < SHORTEST_SECRET:
            raise ValueError(f"CLEW_INBOUND_SECRET: {SHORTEST_SECRET} characters or more")
        self._secret = secret

    def check(self, request: Request) -> None:
        """Let the request pass. Raises: `RefusedRequestError` 401, or 403 where it is switched off."""
        if self._secret is None:
            said = "this door is shut: set CLEW_INBOUND_SECRET for the API process"
            raise RefusedRequestError(403, "inbound_off", said)
        if not hmac.compare_digest(_password(request).encode(), self._secret.encode()):
            said = "send the inbound secret as the password of Basic authentication: https://clew:SECRET@…"
            raise RefusedRequestError(401, "invalid_inbound_secret", said)


def inbound_mail_router(
    desk: InboundDesk,
    secret: InboundSecret,
    staff: StaffKeyCheck,
    *,
    sns: VerifiedSns | None = None,
    deeds: Deeds | None = None,
) -> APIRouter:
    """The doors for mail; that of SES only where `sns` can tell whether Amazon sent it."""
    router = APIRouter(tags=["what customers write"])
    pressure = Pressure(AT_ONCE)

    async def postmark(request: Request) -> Response:
        secret.check(request)
        return _kept(await desk.take_given(of_postmark(await read_body(request, LARGEST_BODY))))

    async def sendgrid(request: Request) -> Response:
        secret.check(request)
        content_type = request.headers.get("content-type", "")
        body = await read_body(request, LARGEST_BODY)
        return _kept(await desk.take_given(of_sendgrid(content_type, body)))

    async def ses(request: Request) -> Response:
        assert sns is not None
        body = await read_body(request, LARGEST_BODY)
        try:
            told = await sns.notification(body)
        except ValueError as error:
            raise RefusedRequestError(403, "not_signed", str(error)[:300]) from None
        except OSError as error:
            said = f"what proves it cannot be had now, send it again: {error}"
            raise RefusedRequestError(503, "unavailable", said, retry_after=5) from error
        return (
            json_response({"success": True})
            if told is None
            else _kept(await desk.take_given(of_ses(told)))
        )

    async def plain(request: Request) -> Response:
        origin = await staff.check(request)
        raw = await read_body(request, LARGEST_MAIL)
        heard = await desk.take_given(_as_it_is(request, raw))
        if deeds is not None and heard.new:
            with acting(origin):
                await deeds.record("program", "handed in a mail", f"message {heard.reply}")
        return _kept(heard)

    doors = {"postmark": postmark, "sendgrid": sendgrid, "mail": plain}
    for name, door in (doors if sns is None else {**doors, "ses": ses}).items():
        router.add_route(f"/inbound/{name}", answering(door, pressure), methods=["POST"])
    return router


def answering(door: Door, pressure: Pressure) -> Door:
    """The door, at most so many times at once; what it refuses is answered in words."""

    async def answer(request: Request) -> Response:
        try:
            with pressure.admit():
                return await door(request)
        except UnreadableMailError as error:
            return RefusedRequestError(400, "unreadable", str(error)).response()
        except RefusedRequestError as refusal:
            return refusal.response()
        except Exception as error:
            refusal = unavailable(error)
            if refusal is None:
                raise
            return refusal.response()

    return answer


def _as_it_is(request: Request, raw: bytes) -> GivenMail:
    """A mail and its envelope, which headers tell. Raises: `RefusedRequestError` 400."""
    if {"to", "from"} & set(request.query_params):
        said = "to and from are not sent in an address: X-Envelope-To and X-Envelope-From say them"
        raise RefusedRequestError(400, "personal_address", said)
    told = ",".join(request.headers.getlist("x-envelope-to"))
    recipients = [each.strip() for each in told.split(",") if each.strip()]
    return GivenMail(
        raw=raw, recipients=recipients, sender=request.headers.get("x-envelope-from") or None
    )


def _kept(heard: Heard) -> Response:
    return json_response(
        {"success": True, "reply": heard.reply, "kind": heard.kind, "new": heard.new}
    )


def _password(request: Request) -> str:
    """The password of Basic authentication; empty where there is none."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
