"""Twilio's status callbacks: one status a request, as a form, signed over the address and its fields.

https://www.twilio.com/docs/usage/security#validating-requests
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlsplit

from channels.feedback_webhook import (
    ForgedFeedbackError,
    UnreadableFeedbackError,
    WebhookRequest,
)
from contracts.delivery_feedback import Feedback, Kind

DELIVERY = "delivery"
"""The name of our mark in the query of a StatusCallback."""

_KINDS: dict[str, Kind] = {
    "delivered": "delivered",
    "read": "opened",
    "undelivered": "bounced",
    "failed": "bounced",
}

# https://www.twilio.com/docs/api/errors: no such number, a landline, blocked for good, not on WhatsApp.
_FOR_GOOD = frozenset(
    {"21211", "21214", "21217", "21614", "30004", "30005", "30006", "63003", "63024"}
)
_UNSUBSCRIBED = "21610"

_MOST_FIELDS = 200

Fields = Sequence[tuple[str, str]]


class TwilioFeedback:
    """Reads status callbacks of text messages and WhatsApp. `token` is the account's auth token."""

    largest = 64_000

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    async def read(self, request: WebhookRequest) -> list[Feedback]:
        """What is reported. Raises: `ForgedFeedbackError`, `UnreadableFeedbackError`."""
        fields = read_form(request.body)
        self.verify(request, fields)
        told = dict(fields)
        status = (told.get("MessageStatus") or told.get("SmsStatus") or "").lower()
        kind, sid = _KINDS.get(status), told.get("MessageSid") or told.get("SmsSid", "")
        if kind is None:
            return []
        if not sid:
            raise UnreadableFeedbackError("MessageSid: expected the id of the message")
        code = told.get("ErrorCode", "")
        if code == _UNSUBSCRIBED:
            kind = "unsubscribed"
        words = " ".join(filter(None, [status, code, told.get("ErrorMessage", "")]))
        return [
            Feedback(
                event_id=f"twilio:{sid}:{status}",
                kind=kind,
                at=request.now,  # a callback has no time of its own
                mark=dict(parse_qsl(urlsplit(request.url).query)).get(DELIVERY, ""),
                provider_ids=(sid,),
                detail=words if kind in ("bounced", "unsubscribed") else "",
                hard=kind == "bounced" and code in _FOR_GOOD,
            )
        ]

    def verify(self, request: WebhookRequest, fields: Fields) -> None:
        """Raises: `ForgedFeedbackError`. The address counts as it is from outside, with its port or without."""
        given = request.headers.get("x-twilio-signature", "").encode()
        fits = [
            hmac.compare_digest(self.signature(url, fields), given)
            for url in _with_and_without_port(request.url)
        ]
        if not any(fits):
            raise ForgedFeedbackError("the signature of Twilio does not fit: see CLEW_PUBLIC_URL")

    def signature(self, url: str, fields: Fields) -> bytes:
        """How Twilio signs: the address, then each field and its value, sorted; a pair counts once."""
        signed = url + "".join(name + value for name, value in sorted(set(fields)))
        digest = hmac.new(self._token, signed.encode(errors="replace"), hashlib.sha1).digest()
        return base64.b64encode(digest)


def read_form(body: bytes) -> Fields:
    """The fields of a form. Raises: `UnreadableFeedbackError`."""
    try:
        return parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise UnreadableFeedbackError(f"the body is not a form: {str(error)[:200]}") from None


def _with_and_without_port(url: str) -> tuple[str, ...]:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].partition(":")[0]
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return (
        parts._replace(netloc=f"{host}:{port}").geturl(),
        parts._replace(netloc=host).geturl(),
    )
