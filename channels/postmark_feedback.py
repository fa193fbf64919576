"""Postmark's webhooks: one event a request, unsigned; a secret in the address or in a header is the proof.

https://postmarkapp.com/developer/webhooks/webhooks-overview
"""

import base64
import hashlib
import hmac

from channels.feedback_webhook import (
    ForgedFeedbackError,
    WebhookRequest,
    at,
    expect_object,
    instant,
    needed,
    read_json,
    text,
)
from contracts.delivery_feedback import Feedback, Kind
from contracts.delivery_mark import MARK

HEADER = "x-feedback-secret"
"""Where the secret may stand, else as the password of the address: https://clew:SECRET@…"""

_FOR_GOOD = ("HardBounce", "BadEmailAddress", "ManuallyDeactivated")
_BOUNCES: dict[str, Kind | None] = {
    "SpamComplaint": "complained",
    "Unsubscribe": "unsubscribed",
    # Not failures: a machine answered, or somebody subscribed.
    "AutoResponder": None,
    "AddressChange": None,
    "ChallengeVerification": None,
    "Subscribe": None,
}


class PostmarkFeedback:
    """Reads the webhooks of delivery, bounces, complaints, opens, clicks and subscriptions."""

    largest = 512_000

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    async def read(self, request: WebhookRequest) -> list[Feedback]:
        """What is reported. Raises: `ForgedFeedbackError`, `UnreadableFeedbackError`."""
        self.verify(request)
        event = read_json(request.body)
        expect_object(event, "the body")
        read = _feedback(event)
        return [] if read is None else [read]

    def verify(self, request: WebhookRequest) -> None:
        """Raises: `ForgedFeedbackError`. Takes as long for a secret that almost fits."""
        given = request.headers.get(HEADER, "").encode()
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if not given and scheme.lower() == "basic":
            try:
                given = base64.b64decode(credentials, validate=True).partition(b":")[2]
            except ValueError:
                given = b""
        if not hmac.compare_digest(given, self._secret):
            raise ForgedFeedbackError(
                f"the secret is missing or wrong: send it as the password, or in {HEADER}"
            )


def _feedback(event: object) -> Feedback | None:
    match text(event, "RecordType"):
        case "Delivery":
            return _of(event, "delivered", "DeliveredAt", text(event, "Details"))
        case "Open":
            return _of(event, "opened", "ReceivedAt", text(event, "UserAgent"))
        case "Click":
            return _of(event, "clicked", "ReceivedAt", text(event, "UserAgent"))
        case "SpamComplaint":
            return _of(event, "complained", "BouncedAt", text(event, "Details"))
        case "Bounce":
            kind = _BOUNCES.get(text(event, "Type"), "bounced")
            words = text(event, "Details") or text(event, "Description")
            return _of(event, kind, "BouncedAt", words) if kind else None
        case "SubscriptionChange":
            # Bounces and complaints suppress too, and are told as what they are.
            manual = text(event, "SuppressionReason") == "ManualSuppression"
            by_them = manual and text(event, "Origin") == "Recipient"
            left = by_them and at(event, "SuppressSending") is True
            return _of(event, "unsubscribed", "ChangedAt", "") if left else None
        case _:
            return None


def _of(event: object, kind: Kind, when: str, words: str) -> Feedback:
    return Feedback(
        event_id=f"postmark:{_event_id(event, when)}",
        kind=kind,
        at=instant(event, when),
        mark=text(event, "Metadata", MARK),
        detail=words,
        hard=kind == "bounced"
        and (text(event, "Type") in _FOR_GOOD or at(event, "Inactive") is True),
        url=text(event, "OriginalLink"),
    )


def _event_id(event: object, when: str) -> str:
    """Its own id where it has one, as bounces do; else one made of what does not change when it is sent again."""
    own = at(event, "ID")
    if isinstance(own, int):
        return f"{own}"  # a complaint is told as a bounce too, under one id
    parts = [
        needed(event, "RecordType"),
        needed(event, "MessageID"),
        text(event, "Recipient"),
        needed(event, when),
        text(event, "OriginalLink"),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]
