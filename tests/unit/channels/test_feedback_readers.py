"""What providers report is read as it is in their documentation, and comes to the same words."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.feedback_webhook import WebhookRequest
from channels.postmark_feedback import PostmarkFeedback
from channels.sendgrid_feedback import SendGridFeedback
from channels.ses_feedback import SesFeedback
from channels.sns_message import SnsMessages
from contracts.delivery_feedback import Feedback
from contracts.delivery_mark import delivery_mark
from tests.unit.channels.sns_sender import NOW, TOPIC, SnsSender
from tests.unit.channels.test_feedback_signatures import SENDGRID_KEY

MARK = delivery_mark("journey/flight/c_anna:7:1")


def asked(body: bytes, url: str = "https://x/feedback", **headers: str) -> WebhookRequest:
    return WebhookRequest(url=url, body=body, now=NOW, headers=headers)


# -- SES: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html

SES_MAIL: dict[str, Any] = {
    "timestamp": "2017-08-05T00:40:02.012Z",
    "source": "Sender Name <sender@example.com>",
    "sourceArn": "arn:aws:ses:us-east-1:123456789012:identity/sender@example.com",
    "sendingAccountId": "123456789012",
    "messageId": "EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000",
    "destination": ["recipient@example.com"],
    "headersTruncated": False,
    "headers": [{"name": "From", "value": "Sender Name <sender@example.com>"}],
    "commonHeaders": {"from": ["Sender Name <sender@example.com>"]},
    "tags": {"ses:configuration-set": ["ConfigSet"], "clew_delivery": [MARK]},
}
SES_BOUNCE = {
    "bounceType": "Permanent",
    "bounceSubType": "General",
    "bouncedRecipients": [
        {
            "emailAddress": "recipient@example.com",
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 user unknown",
        }
    ],
    "timestamp": "2017-08-05T00:41:02.669Z",
    "feedbackId": "01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000",
    "reportingMTA": "dsn; mta.example.com",
}
SES_COMPLAINT = {
    "complainedRecipients": [{"emailAddress": "recipient@example.com"}],
    "timestamp": "2017-08-05T00:41:02.669Z",
    "feedbackId": "01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000",
    "userAgent": "Mozilla/5.0",
    "complaintFeedbackType": "abuse",
    "arrivalDate": "2017-08-05T00:41:02.669Z",
}
SES_DELIVERY = {
    "timestamp": "2017-08-05T00:41:02.669Z",
    "processingTimeMillis": 546,
    "recipients": ["recipient@example.com"],
    "smtpResponse": "250 2.6.0 Message received",
    "reportingMTA": "mta.example.com",
}
SES_CLICK = {
    "ipAddress": "192.0.2.1",
    "link": "http://docs.aws.amazon.com/ses/latest/DeveloperGuide/send-email-smtp.html",
    "linkTags": {"samplekey0": ["samplevalue0"]},
    "timestamp": "2017-08-05T00:41:02.669Z",
    "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
}
SES_SUBSCRIPTION: dict[str, Any] = {
    "contactList": "ContactListName",
    "timestamp": "2017-08-05T00:41:02.669Z",
    "source": "UnsubscribeHeader",
    "newTopicPreferences": {
        "unsubscribeAll": True,
        "topicSubscriptionStatus": [{"topicName": "Topic", "subscriptionStatus": "OptOut"}],
    },
    "oldTopicPreferences": {"unsubscribeAll": False},
}


async def ses(event: dict[str, Any]) -> list[Feedback]:
    sns = SnsSender()
    body = json.dumps(sns.message({"mail": SES_MAIL, **event})).encode()
    return await SesFeedback(SnsMessages([TOPIC], sns.fetch)).read(asked(body))


@pytest.mark.parametrize(
    ("event", "kind", "hard", "detail"),
    [
        ({"eventType": "Bounce", "bounce": SES_BOUNCE}, "bounced", True, "550 5.1.1 user unknown"),
        (
            {"notificationType": "Bounce", "bounce": SES_BOUNCE},
            *("bounced", True, "550 5.1.1 user unknown"),
        ),
        (
            {
                "eventType": "Bounce",
                "bounce": {
                    **SES_BOUNCE,
                    "bounceType": "Transient",
                    "bounceSubType": "MailboxFull",
                    "bouncedRecipients": [{"emailAddress": "recipient@example.com"}],
                },
            },
            *("bounced", False, "Transient MailboxFull"),
        ),
        (
            {"eventType": "Reject", "reject": {"reason": "Bad content"}},
            *("bounced", False, "Bad content"),
        ),
        ({"eventType": "Complaint", "complaint": SES_COMPLAINT}, "complained", False, "abuse"),
        (
            {"eventType": "Delivery", "delivery": SES_DELIVERY},
            *("delivered", False, "250 2.6.0 Message received"),
        ),
        (
            {"eventType": "Click", "click": SES_CLICK},
            *("clicked", False, "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"),
        ),
        (
            {
                "eventType": "Open",
                "open": {"timestamp": "2017-08-05T00:41:02.669Z", "userAgent": "Mozilla/5.0"},
            },
            *("opened", False, "Mozilla/5.0"),
        ),
        (
            {"eventType": "Subscription", "subscription": SES_SUBSCRIPTION},
            "unsubscribed",
            False,
            "",
        ),
    ],
    ids=lambda value: next(iter(value.values())) if isinstance(value, dict) else "",
)
async def test_what_ses_reports(event: dict[str, Any], kind: str, hard: bool, detail: str) -> None:
    (read,) = await ses(event)

    assert (read.kind, read.hard, read.detail) == (kind, hard, detail)
    assert read.mark == MARK
    assert read.provider_ids == (f"<{SES_MAIL['messageId']}@email.amazonses.com>",)
    assert read.event_id == "ses:22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"
    assert read.url == (SES_CLICK["link"] if kind == "clicked" else "")
    if "reject" not in event:
        assert read.at == datetime(2017, 8, 5, 0, 41, 2, 669_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "event",
    [
        {"eventType": "Send", "send": {}},
        {"eventType": "DeliveryDelay", "deliveryDelay": {"delayType": "TransientFailure"}},
        {"eventType": "Rendering Failure", "failure": {"errorMessage": "no attribute"}},
        {
            "eventType": "Complaint",
            "complaint": {**SES_COMPLAINT, "complaintFeedbackType": "not-spam"},
        },
        {
            "eventType": "Subscription",
            "subscription": {**SES_SUBSCRIPTION, "newTopicPreferences": {"unsubscribeAll": False}},
        },
    ],
    ids=["sent", "delayed", "no template of ours", "taken out of the spam", "one topic only"],
)
async def test_what_ses_reports_that_means_nothing_to_us(event: dict[str, Any]) -> None:
    assert await ses(event) == []


# -- SendGrid: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event

SENDGRID: dict[str, Any] = {
    "email": "example@test.com",
    "timestamp": 1513299569,
    "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
    "category": ["service"],
    "sg_event_id": "sg_event_id",
    "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
    "clew_delivery": MARK,
}


class SignedAnyhow(SendGridFeedback):
    """Signatures have tests of their own."""

    def verify(self, request: WebhookRequest) -> None:
        del request


async def sendgrid(*events: Any) -> list[Feedback]:
    return await SignedAnyhow(SENDGRID_KEY).read(asked(json.dumps(events).encode()))


@pytest.mark.parametrize(
    ("event", "kind", "hard", "detail"),
    [
        ({"event": "delivered", "response": "250 OK"}, "delivered", False, "250 OK"),
        ({"event": "open", "useragent": "Mozilla/4.0"}, "opened", False, "Mozilla/4.0"),
        (
            {"event": "click", "useragent": "Mozilla/4.0", "url": "http://www.sendgrid.com/"},
            *("clicked", False, "Mozilla/4.0"),
        ),
        (
            {
                "event": "bounce",
                "type": "bounce",
                "reason": "500 unknown recipient",
                "status": "5.0.0",
            },
            *("bounced", True, "500 unknown recipient"),
        ),
        (
            {"event": "bounce", "type": "blocked", "reason": "452 too many", "status": "4.5.2"},
            *("bounced", False, "452 too many"),
        ),
        (
            {"event": "dropped", "reason": "Bounced Address", "status": "5.0.0"},
            *("bounced", True, "dropped: Bounced Address"),
        ),
        (
            {"event": "dropped", "reason": "Recipient List over Package Quota"},
            *("bounced", False, "dropped: Recipient List over Package Quota"),
        ),
        (
            {"event": "dropped", "reason": "Unsubscribed Address"},
            *("unsubscribed", False, "dropped: Unsubscribed Address"),
        ),
        ({"event": "spamreport"}, "complained", False, ""),
        ({"event": "unsubscribe"}, "unsubscribed", False, ""),
        ({"event": "group_unsubscribe", "asm_group_id": 10}, "unsubscribed", False, ""),
    ],
    ids=lambda value: " ".join(map(str, value.values()))[:30] if isinstance(value, dict) else "",
)
async def test_what_sendgrid_reports(
    event: dict[str, Any], kind: str, hard: bool, detail: str
) -> None:
    (read,) = await sendgrid({**SENDGRID, **event})

    assert (read.kind, read.hard, read.detail) == (kind, hard, detail)
    assert (read.mark, read.event_id) == (MARK, "sendgrid:sg_event_id")
    assert read.provider_ids == ("<14c5d75ce93.dfd.64b469@ismtpd-555>",)
    assert read.at == datetime(2017, 12, 15, 0, 59, 29, tzinfo=UTC)
    assert read.url == event.get("url", "")


async def test_a_mail_that_a_machine_opened_is_told_from_one_that_a_person_did() -> None:
    read = await sendgrid(
        {**SENDGRID, "event": "open", "sg_machine_open": True},
        {**SENDGRID, "event": "open", "sg_machine_open": False},
    )

    assert [each.machine for each in read] == [True, False]


async def test_what_sendgrid_reports_that_means_nothing_to_us() -> None:
    told = ("processed", "deferred", "group_resubscribe", "account_status_change", "new")

    assert await sendgrid(*({**SENDGRID, "event": each} for each in told)) == []


# -- Postmark: https://postmarkapp.com/developer/webhooks/webhooks-overview

POSTMARK: dict[str, Any] = {
    "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
    "ServerID": 23,
    "MessageStream": "outbound",
    "Tag": "welcome-email",
    "Metadata": {"clew_delivery": MARK},
}
POSTMARK_BOUNCE = {
    "RecordType": "Bounce",
    "ID": 901542550,
    "Type": "HardBounce",
    "TypeCode": 1,
    "Name": "Hard bounce",
    "Description": "The server was unable to deliver your message (ex: unknown user).",
    "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
    "Email": "bounce@example.com",
    "From": "sender@example.com",
    "BouncedAt": "2014-08-01T13:28:10.2735393-04:00",
    "DumpAvailable": True,
    "Inactive": True,
    "CanActivate": True,
    "Subject": "Postmark event test",
}
POSTMARK_DELIVERY = {
    "RecordType": "Delivery",
    "Recipient": "john@example.com",
    "DeliveredAt": "2014-08-01T13:28:10.2735393-04:00",
    "Details": "Test delivery webhook details",
}
POSTMARK_OPEN = {
    "RecordType": "Open",
    "FirstOpen": True,
    "Client": {"Name": "Gmail", "Company": "Google", "Family": "Gmail"},
    "OS": {"Name": "unknown", "Company": "unknown", "Family": "unknown"},
    "Platform": "Unknown",
    "UserAgent": "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0",
    "Geo": {},
    "ReceivedAt": "2014-08-01T13:28:10.2735393-04:00",
    "Recipient": "john@example.com",
}
POSTMARK_SUBSCRIPTION = {
    "RecordType": "SubscriptionChange",
    "ChangedAt": "2014-08-01T17:28:10.273539Z",
    "Recipient": "john@example.com",
    "Origin": "Recipient",
    "SuppressSending": True,
    "SuppressionReason": "ManualSuppression",
}


async def postmark(event: Any) -> list[Feedback]:
    return await PostmarkFeedback("secret").read(
        asked(json.dumps(event).encode(), **{"x-feedback-secret": "secret"})
    )


@pytest.mark.parametrize(
    ("event", "kind", "hard", "detail"),
    [
        (POSTMARK_DELIVERY, "delivered", False, "Test delivery webhook details"),
        (POSTMARK_OPEN, "opened", False, POSTMARK_OPEN["UserAgent"]),
        (
            {
                **POSTMARK_OPEN,
                "RecordType": "Click",
                "OriginalLink": "https://example.com/click/me",
            },
            *("clicked", False, POSTMARK_OPEN["UserAgent"]),
        ),
        (POSTMARK_BOUNCE, "bounced", True, POSTMARK_BOUNCE["Details"]),
        (
            {**POSTMARK_BOUNCE, "Type": "SoftBounce", "Inactive": False},
            *("bounced", False, POSTMARK_BOUNCE["Details"]),
        ),
        (
            {**POSTMARK_BOUNCE, "RecordType": "SpamComplaint", "Type": "SpamComplaint"},
            *("complained", False, POSTMARK_BOUNCE["Details"]),
        ),
        (
            {**POSTMARK_BOUNCE, "Type": "SpamComplaint"},
            *("complained", False, POSTMARK_BOUNCE["Details"]),
        ),
        (POSTMARK_SUBSCRIPTION, "unsubscribed", False, ""),
    ],
    ids=["delivered", "open", "click", "hard", "soft", "complaint", "bounce by complaint", "left"],
)
async def test_what_postmark_reports(
    event: dict[str, Any], kind: str, hard: bool, detail: str
) -> None:
    (read,) = await postmark({**POSTMARK, **event})

    assert (read.kind, read.hard, read.detail, read.mark) == (kind, hard, detail, MARK)
    assert read.at == datetime(2014, 8, 1, 17, 28, 10, 273_539, tzinfo=UTC)
    assert await postmark({**POSTMARK, **event}) == [read]
    assert read.url == event.get("OriginalLink", "")


@pytest.mark.parametrize(
    "event",
    [
        {**POSTMARK_BOUNCE, "Type": "AutoResponder"},
        {**POSTMARK_SUBSCRIPTION, "SuppressSending": False, "SuppressionReason": None},
        {**POSTMARK_SUBSCRIPTION, "SuppressionReason": "HardBounce"},
        {**POSTMARK_SUBSCRIPTION, "Origin": "Admin"},
        {"RecordType": "Inbound"},
        {"FromFull": {"Email": "from@example.org"}},
    ],
    ids=["out of office", "came back", "told as a bounce", "by staff", "a mail", "no kind"],
)
async def test_what_postmark_reports_that_means_nothing_to_us(event: dict[str, Any]) -> None:
    assert await postmark({**POSTMARK, **event}) == []


async def test_two_events_of_one_mail_at_postmark_are_two() -> None:
    once = await postmark({**POSTMARK, **POSTMARK_OPEN})
    again = await postmark(
        {**POSTMARK, **POSTMARK_OPEN, "ReceivedAt": "2014-08-01T13:29:10.2735393-04:00"}
    )

    assert once[0].event_id != again[0].event_id
