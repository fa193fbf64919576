"""Feedback of one's own programs, such as an app that knows what was opened: Standard Webhooks.

https://www.standardwebhooks.com. The body is {"type": "message.opened", "timestamp": …, "data":
{"delivery": key or mark, "detail", "hard", "machine", "url"}}.
"""

import base64
import hashlib
import hmac
from datetime import timedelta

from channels.feedback_webhook import (
    ForgedFeedbackError,
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

OLDEST = timedelta(minutes=5)
"""As the standard has it: who sends again signs again."""

_KINDS: dict[str, Kind] = {
    "message.delivered": "delivered",
    "message.opened": "opened",
    "message.clicked": "clicked",
    "message.bounced": "bounced",
    "message.complained": "complained",
    "message.unsubscribed": "unsubscribed",
}


class OwnFeedback:
    """Reads one event a request. `secret` is what both sides sign with."""

    largest = 64_000

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    async def read(self, request: WebhookRequest) -> list[Feedback]:
        """What is reported. Raises: `ForgedFeedbackError`, `UnreadableFeedbackError`."""
        webhook = self.verify(request)
        event = read_json(request.body)
        expect_object(event, "the body")
        kind = _KINDS.get(text(event, "type"))
        if kind is None:
            return []
        return [
            Feedback(
                event_id=f"own:{webhook}",
                kind=kind,
                at=instant(event, "timestamp"),
                mark=needed(event, "data", "delivery"),
                detail=text(event, "data", "detail"),
                hard=kind == "bounced" and at(event, "data", "hard") is True,
                machine=at(event, "data", "machine") is True,
                url=text(event, "data", "url"),
            )
        ]

    def verify(self, request: WebhookRequest) -> str:
        """The id of the webhook. Raises: `ForgedFeedbackError`."""
        webhook, stamp = (
            request.headers.get(f"webhook-{each}", "") for each in ("id", "timestamp")
        )
        signed = b".".join((webhook.encode(), stamp.encode(), request.body))
        right = base64.b64encode(hmac.new(self._secret, signed, hashlib.sha256).digest())
        given = request.headers.get("webhook-signature", "").split(" ")[:10]
        fits = [
            hmac.compare_digest(f"v1,{right.decode()}".encode(), each.encode()) for each in given
        ]
        if not any(fits) or not webhook or len(webhook) > 200:
            raise ForgedFeedbackError("the signature of the webhook does not fit")
        if not stamp.isdecimal() or len(stamp) > 11:
            raise ForgedFeedbackError("the timestamp of the signature is none")
        not_too_old(instant(int(stamp)), request.now, OLDEST)
        return webhook
