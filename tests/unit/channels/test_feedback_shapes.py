"""Callbacks of Twilio and one's own programs; and what is of another shape than a provider sends."""

import json
from typing import Any

import pytest

from channels.feedback_webhook import UnreadableFeedbackError, WebhookRequest
from channels.own_feedback import OwnFeedback
from channels.twilio_feedback import TwilioFeedback
from contracts.delivery_feedback import Feedback
from tests.unit.channels.test_feedback_readers import (
    MARK,
    SENDGRID,
    SignedAnyhow,
    asked,
    postmark,
)
from tests.unit.channels.test_feedback_signatures import OWN_SECRET, SENDGRID_KEY

# -- Twilio: https://www.twilio.com/docs/messaging/guides/track-outbound-message-status


class SignedSomehow(TwilioFeedback):
    """Signatures have tests of their own."""

    def verify(self, request: WebhookRequest, fields: object) -> None:
        del request, fields


async def twilio(body: str) -> list[Feedback]:
    url = f"https://x/feedback/twilio?delivery={MARK}"
    form = f"SmsSid=SM2xx&From=%2B15017122661&To=%2B15558675310&AccountSid=ACxx&{body}"
    return await SignedSomehow("12345").read(asked(form.encode(), url))


@pytest.mark.parametrize(
    ("body", "kind", "hard", "detail"),
    [
        ("MessageStatus=delivered&MessageSid=SM2xx", "delivered", False, ""),
        ("SmsStatus=delivered", "delivered", False, ""),
        ("MessageStatus=read&MessageSid=SM2xx", "opened", False, ""),
        (
            "MessageStatus=undelivered&MessageSid=SM2xx&ErrorCode=30005",
            *("bounced", True, "undelivered 30005"),
        ),
        (
            "MessageStatus=failed&MessageSid=SM2xx&ErrorCode=30003&ErrorMessage=off",
            *("bounced", False, "failed 30003 off"),
        ),
        (
            "MessageStatus=failed&MessageSid=SM2xx&ErrorCode=21610",
            *("unsubscribed", False, "failed 21610"),
        ),
    ],
)
async def test_what_twilio_reports(body: str, kind: str, hard: bool, detail: str) -> None:
    (read,) = await twilio(body)

    assert (read.kind, read.hard, read.detail) == (kind, hard, detail)
    assert (read.mark, read.provider_ids) == (MARK, ("SM2xx",))


async def test_what_twilio_reports_that_means_nothing_to_us() -> None:
    for status in ("queued", "sending", "sent", "accepted", "canceled", ""):
        assert await twilio(f"MessageSid=SM2xx&MessageStatus={status}") == []


# -- one's own programs


class SignedByUs(OwnFeedback):
    """Signatures have tests of their own."""

    def verify(self, request: WebhookRequest) -> str:
        return "msg_1"


async def own(event: Any) -> list[Feedback]:
    return await SignedByUs(OWN_SECRET).read(asked(json.dumps(event).encode()))


async def test_what_an_app_of_our_own_reports() -> None:
    said = {"delivery": "journey/flight/c_anna:7:1", "url": "app://gate", "machine": True}
    (read,) = await own(
        {"type": "message.clicked", "timestamp": "2017-08-05T00:41:02Z", "data": said}
    )

    assert (read.kind, read.mark, read.url, read.machine) == (
        *("clicked", "journey/flight/c_anna:7:1", "app://gate"),
        True,
    )
    assert read.event_id == "own:msg_1"
    assert await own({"type": "message.printed", "data": said}) == []


# -- what is of another shape


@pytest.mark.parametrize(
    "body",
    [
        [],
        "words",
        7,
        None,
        {"event": "open"},
        [7],
        [["open"]],
        [{**SENDGRID, "event": "open", "timestamp": "soon"}],
        [{**SENDGRID, "event": "open", "timestamp": None}],
        [{**SENDGRID, "event": "open", "timestamp": True}],
        [{**SENDGRID, "event": "open", "timestamp": 1e300}],
        [{**SENDGRID, "event": "open", "sg_event_id": 7}],
        [{**SENDGRID, "event": "open", "sg_event_id": "x" * 1_001}],
    ],
    ids=lambda body: json.dumps(body)[:40],
)
async def test_what_is_of_another_shape_is_refused_with_its_place(body: Any) -> None:
    raw = json.dumps(body).encode()
    reading = [own(body), postmark(body)] if not isinstance(body, dict) else []
    if body != []:
        reading.append(SignedAnyhow(SENDGRID_KEY).read(asked(raw)))
    for read in reading:
        with pytest.raises(UnreadableFeedbackError, match=r"expected|JSON"):
            await read


async def test_what_is_no_json_and_no_form_is_refused() -> None:
    for body in (b"", b"{", b"\xff\xfe", b'{"a": NaN}'):
        with pytest.raises(UnreadableFeedbackError):
            await SignedAnyhow(SENDGRID_KEY).read(asked(body))
    for body in (b"\xff\xfe", b"&".join(b"a%d=1" % n for n in range(300))):
        with pytest.raises(UnreadableFeedbackError):
            await SignedSomehow("12345").read(asked(body))
