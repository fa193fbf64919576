"""SendGrid's Event Webhook: a list of events, signed with ECDSA over the timestamp and the body as sent.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
"""

import base64
from datetime import timedelta
from typing import cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from channels.feedback_webhook import (
    ForgedFeedbackError,
    UnreadableFeedbackError,
    WebhookRequest,
    at,
    expect_object,
    instant,
    needed,
    not_too_old,
    read_json,
    text,
)
from contracts.delivery_feedback import Feedback, Kind
from contracts.delivery_mark import MARK

OLDEST = timedelta(hours=25)
"""SendGrid tries again for a day; whether it then signs anew is not documented."""

_KINDS: dict[str, Kind] = {
    "delivered": "delivered",
    "open": "opened",
    "click": "clicked",
    "bounce": "bounced",
    "dropped": "bounced",
    "spamreport": "complained",
    "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
}
_DROPPED_FOR_GOOD = ("Bounced Address", "Invalid", "Spam Reporting Address")
_DROPPED_UNSUBSCRIBED = "Unsubscribed Address"


class SendGridFeedback:
    """Reads the Event Webhook. `key` is the verification key that SendGrid shows, base64 of DER."""

    largest = 2_000_000
    """SendGrid sends 768 KB at once, as it says."""

    def __init__(self, key: str) -> None:
        try:
            self._key = cast(
                "EllipticCurvePublicKey", load_der_public_key(base64.b64decode(key, validate=True))
            )
            _ = self._key.curve
        except (ValueError, AttributeError):
            raise ValueError("is not SendGrid's verification key: copy it as it stands") from None

    async def read(self, request: WebhookRequest) -> list[Feedback]:
        """What is reported. Raises: `ForgedFeedbackError`, `UnreadableFeedbackError`."""
        self.verify(request)
        events = read_json(request.body)
        if not isinstance(events, list):
            raise UnreadableFeedbackError("the body: expected a list of events")
        read = [_feedback(event) for event in cast("list[object]", events)]
        return [each for each in read if each is not None]

    def verify(self, request: WebhookRequest) -> None:
        """Raises: `ForgedFeedbackError`."""
        stamp = request.headers.get("x-twilio-email-event-webhook-timestamp", "")
        signature = request.headers.get("x-twilio-email-event-webhook-signature", "")
        try:
            self._key.verify(
                base64.b64decode(signature), stamp.encode() + request.body, ECDSA(SHA256())
            )
        except (InvalidSignature, ValueError):
            raise ForgedFeedbackError("the signature of SendGrid does not fit") from None
        if not stamp.isdecimal() or len(stamp) > 11:
            raise ForgedFeedbackError("the timestamp of the signature is none")
        not_too_old(instant(int(stamp)), request.now, OLDEST)


def _feedback(event: object) -> Feedback | None:
    expect_object(event, "an event")
    kind = _KINDS.get(text(event, "event"))
    if kind is None:
        return None
    reason, told = text(event, "reason"), text(event, "event")
    if told == "dropped" and reason == _DROPPED_UNSUBSCRIBED:
        kind = "unsubscribed"
    # `blocked` is a bounce too: refused this time, by a server that knows the address.
    hard = text(event, "type") != "blocked" if told == "bounce" else reason in _DROPPED_FOR_GOOD
    words = reason or text(event, "response") or text(event, "useragent")
    return Feedback(
        event_id=f"sendgrid:{needed(event, 'sg_event_id')}",
        kind=kind,
        at=instant(event, "timestamp"),
        mark=text(event, MARK),
        provider_ids=tuple(filter(None, [text(event, "smtp-id")])),
        detail=f"dropped: {words}" if told == "dropped" else words,
        hard=kind == "bounced" and hard,
        machine=at(event, "sg_machine_open") is True,
        url=text(event, "url"),
    )
