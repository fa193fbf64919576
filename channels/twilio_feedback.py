"""Twilio's status callbacks: one status a request, as a form that Twilio signs."""

from urllib.parse import parse_qsl, urlsplit

from channels.feedback_webhook import (
    ForgedFeedbackError,
    UnreadableFeedbackError,
    WebhookRequest,
)
from channels.twilio_signature import Fields, is_signed
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


class TwilioFeedback:
    """Reads status callbacks of text messages and WhatsApp. `token` is the account's auth token."""

    largest = 64_000

    def __init__(self, token: str) -> None:
        self._token = token

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
        given = request.headers.get("x-twilio-signature", "")
        if not is_signed(self._token, request.url, fields, given):
            raise ForgedFeedbackError("the signature of Twilio does not fit: see CLEW_PUBLIC_URL")


def read_form(body: bytes) -> list[tuple[str, str]]:
    """The fields of a form. Raises: `UnreadableFeedbackError`."""
    try:
        return parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise UnreadableFeedbackError(f"the body is not a form: {str(error)[:200]}") from None
