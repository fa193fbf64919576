"""Feedback is a provider's own: each signature against what the vendor published, and forged ones refused."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from channels.feedback_webhook import ForgedFeedbackError, WebhookRequest
from channels.own_feedback import OwnFeedback
from channels.postmark_feedback import PostmarkFeedback
from channels.sendgrid_feedback import SendGridFeedback
from channels.twilio_feedback import TwilioFeedback, read_form

# From the tests of sendgrid-python (test/unit/test_eventwebhook.py).
SENDGRID_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw"
    "+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
)
SENDGRID_OTHER_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqTxd43gyp8IOEto2LdIfjRQrIbsd4SXZkLW6jDutdhXSJCWHw8REntlo"
    "7aNDthvj+y7GjUuFDb/R1NGe1OPzpA=="
)
SENDGRID_SIGNATURE = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
SENDGRID_OTHER_SIGNATURE = (
    "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6"
    "BpSzoQsbVRamr2nlxFDWYNH3j/0="
)
SENDGRID_STAMP = "1600112502"
SENDGRID_EVENT = {
    "email": "hello@world.com",
    "event": "dropped",
    "reason": "Bounced Address",
    "sg_event_id": "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",
    "sg_message_id": ("LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0"),
    "smtp-id": "<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>",
    "timestamp": 1600112492,
}
SENDGRID_BODY = json.dumps([SENDGRID_EVENT], sort_keys=True, separators=(",", ":")) + "\r\n"
SENDGRID_NOW = datetime.fromtimestamp(int(SENDGRID_STAMP), UTC)


def sendgrid_request(**other: object) -> WebhookRequest:
    given: dict[str, object] = {
        "signature": SENDGRID_SIGNATURE,
        "timestamp": SENDGRID_STAMP,
        "body": SENDGRID_BODY,
        "now": SENDGRID_NOW,
        **other,
    }
    now = given["now"]
    assert isinstance(now, datetime)
    prefix = "x-twilio-email-event-webhook"
    return WebhookRequest(
        url="https://journeys.example/feedback/sendgrid",
        body=str(given["body"]).encode(),
        now=now,
        headers={f"{prefix}-{name}": str(given[name]) for name in ("signature", "timestamp")},
    )


async def test_what_sendgrid_published_as_signed_is_taken() -> None:
    (read,) = await SendGridFeedback(SENDGRID_KEY).read(sendgrid_request())

    assert (read.kind, read.hard, read.detail) == ("bounced", True, "dropped: Bounced Address")
    assert read.event_id == f"sendgrid:{SENDGRID_EVENT['sg_event_id']}"
    assert read.at == datetime(2020, 9, 14, 19, 41, 32, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "other"),
    [
        (SENDGRID_OTHER_KEY, {}),
        (SENDGRID_KEY, {"body": "payload"}),
        (SENDGRID_KEY, {"body": SENDGRID_BODY.strip()}),
        (SENDGRID_KEY, {"signature": SENDGRID_OTHER_SIGNATURE}),
        (SENDGRID_KEY, {"signature": "no base64"}),
        (SENDGRID_KEY, {"signature": ""}),
        (SENDGRID_KEY, {"timestamp": "timestamp"}),
        (SENDGRID_KEY, {"timestamp": ""}),
        (SENDGRID_KEY, {"now": SENDGRID_NOW + timedelta(hours=26)}),
        (SENDGRID_KEY, {"now": SENDGRID_NOW - timedelta(minutes=6)}),
    ],
    ids=lambda value: next(iter(value), "key") if isinstance(value, dict) else "",
)
async def test_what_sendgrid_did_not_sign_just_now_is_refused(
    key: str, other: dict[str, object]
) -> None:
    with pytest.raises(ForgedFeedbackError):
        await SendGridFeedback(key).read(sendgrid_request(**other))


@pytest.mark.parametrize("key", ["", "no key", base64.b64encode(b"no key").decode()])
def test_a_key_that_is_none_is_refused_at_the_start(key: str) -> None:
    with pytest.raises(ValueError, match="verification key"):
        SendGridFeedback(key)


# From the tests of twilio-python (tests/unit/test_request_validator.py): token 12345.
TWILIO_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
TWILIO_BODY = (
    b"CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212"
    b"&Caller=%2B14158675309"
)


@pytest.mark.parametrize(
    ("url", "body", "signature"),
    [
        (TWILIO_URL, TWILIO_BODY, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (TWILIO_URL.replace(".com", ".com:1234"), TWILIO_BODY, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (
            TWILIO_URL.replace(".com", ".com:1234").replace("https", "http"),
            TWILIO_BODY,
            "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=",
        ),
        (TWILIO_URL, TWILIO_BODY, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        (TWILIO_URL.replace("https", "http"), TWILIO_BODY, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        (
            TWILIO_URL,
            b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234",
            "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
        ),
    ],
    ids=["as signed", "a port that was not signed", "its port", "443", "80", "fields told twice"],
)
def test_what_twilio_published_as_signed_is_taken(url: str, body: bytes, signature: str) -> None:
    twilio = TwilioFeedback("12345")
    request = WebhookRequest(
        url=url, body=body, now=SENDGRID_NOW, headers={"x-twilio-signature": signature}
    )

    twilio.verify(request, read_form(body))

    for forged in ("", "a", signature.lower(), signature[:-2]):
        with pytest.raises(ForgedFeedbackError):
            twilio.verify(
                WebhookRequest(
                    url=url, body=body, now=SENDGRID_NOW, headers={"x-twilio-signature": forged}
                ),
                read_form(body),
            )
    with pytest.raises(ForgedFeedbackError):
        TwilioFeedback("12346").verify(request, read_form(body))


# From the documentation and the libraries of Standard Webhooks.
OWN_SECRET = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
OWN_BODY = b'{"test": 2432232314}'
OWN_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
OWN_NOW = datetime.fromtimestamp(1614265330, UTC)


def own_request(
    signature: str = OWN_SIGNATURE, body: bytes = OWN_BODY, now: datetime = OWN_NOW
) -> WebhookRequest:
    return WebhookRequest(
        url="https://journeys.example/feedback/own",
        body=body,
        now=now,
        headers={
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": signature,
        },
    )


@pytest.mark.parametrize("signature", [OWN_SIGNATURE, f"v1,bm9ldHU= {OWN_SIGNATURE} v2,MzJs"])
def test_what_standard_webhooks_published_as_signed_is_taken(signature: str) -> None:
    assert OwnFeedback(OWN_SECRET).verify(own_request(signature)).startswith("msg_")


@pytest.mark.parametrize(
    "request_",
    [
        own_request(""),
        own_request(OWN_SIGNATURE.removeprefix("v1,")),
        own_request(body=b'{"test": 2432232315}'),
        own_request(now=OWN_NOW + timedelta(minutes=6)),
        own_request(now=OWN_NOW - timedelta(minutes=6)),
    ],
    ids=["unsigned", "no version", "another body", "sent again later", "from the future"],
)
def test_what_our_programs_did_not_sign_just_now_is_refused(request_: WebhookRequest) -> None:
    with pytest.raises(ForgedFeedbackError):
        OwnFeedback(OWN_SECRET).verify(request_)


@pytest.mark.parametrize(
    ("headers", "fits"),
    [
        ({"authorization": "Basic " + base64.b64encode(b"clew:right-secret").decode()}, True),
        ({"x-feedback-secret": "right-secret"}, True),
        ({"authorization": "Basic " + base64.b64encode(b"clew:wrong").decode()}, False),
        ({"authorization": "Basic " + base64.b64encode(b"right-secret").decode()}, False),
        ({"authorization": "Basic %%%"}, False),
        ({"authorization": "Bearer right-secret"}, False),
        ({"x-feedback-secret": "right-secret2"}, False),
        ({}, False),
    ],
    ids=["password", "header", "wrong", "no name", "no base64", "bearer", "longer", "nothing"],
)
def test_postmark_is_who_knows_the_secret(headers: dict[str, str], fits: bool) -> None:
    postmark = PostmarkFeedback("right-secret")
    request = WebhookRequest(url="https://x", body=b"{}", now=OWN_NOW, headers=headers)

    if fits:
        postmark.verify(request)
    else:
        with pytest.raises(ForgedFeedbackError, match="password"):
            postmark.verify(request)
