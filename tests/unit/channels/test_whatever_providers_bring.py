"""Whatever a provider's webhook holds, it is read, or refused in words."""

import json
from contextlib import suppress
from datetime import UTC, datetime

from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels.form import FormError, read_form
from channels.given_mail import (
    GivenMail,
    UnreadableMailError,
    of_postmark,
    of_sendgrid,
    of_ses,
)
from channels.inbound_mail import Envelope
from channels.slack_inbound import challenge_of, read_event
from channels.twilio_inbound import UnreadableTextError, read_text, twiml
from tests.unit.channels.test_inbound_mail import AT, READER

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3),
    max_leaves=6,
)  # fmt: skip


def fields(*names: str) -> st.SearchStrategy[dict[str, object]]:
    return st.dictionaries(st.sampled_from(names), VALUES, max_size=8)


def is_read(given_mail: GivenMail) -> None:
    envelope = Envelope(at=AT, recipients=given_mail.recipients, sender=given_mail.sender)
    if given_mail.mail is None:
        READER.read(given_mail.raw, envelope)
    else:
        READER.read_parts(given_mail.mail, given_mail.parts, envelope, mark=given_mail.mark)


@settings(max_examples=60)
@given(fields("From", "FromFull", "ToFull", "OriginalRecipient", "Subject", "TextBody", "HtmlBody", "Headers",
              "Attachments", "RawEmail", "MessageID"))  # fmt: skip
@example(
    {
        "Headers": [
            {"Name": "X", "Value": "a\nBcc: x"},
            {"Name": "\n", "Value": "x"},
            {"Name": "é", "Value": ""},
        ]
    }
)
@example(
    {
        "Attachments": [{"Name": "a", "Content": "%%%", "ContentType": 7}],
        "HtmlBody": "<p>\ud800"[:3],
    }
)
def test_postmark(told: dict[str, object]) -> None:
    is_read(of_postmark(json.dumps(told).encode()))


@settings(max_examples=40)
@given(fields("notificationType", "content", "receipt", "mail"))
@example(
    {
        "notificationType": "Received",
        "content": "x",
        "receipt": {"action": {"encoding": "BASE64"}, "recipients": [1]},
    }
)
def test_amazon(told: dict[str, object]) -> None:
    with suppress(UnreadableMailError):
        is_read(of_ses(told))


PIECES = st.sampled_from([
    b"--b\r\n", b"--b--", b"\r\n", b"\r\n\r\n", b'Content-Disposition: form-data; name="headers"',
    b'Content-Disposition: form-data; name="text"; filename="\x00/x"', b"charsets", b"\xff", b"From: a@b.c\n",
    b'Content-Disposition: form-data; name="envelope"\r\n\r\n{"to": 7}', b"Content-Type: text/plain\r\n",
])  # fmt: skip


@settings(max_examples=60)
@given(st.lists(PIECES | st.binary(max_size=10), max_size=12).map(b"".join), st.text(max_size=20))
def test_sendgrid(body: bytes, content_type: str) -> None:
    with suppress(UnreadableMailError):
        is_read(of_sendgrid("multipart/form-data; boundary=b", body))
    with suppress(FormError):
        read_form(content_type, body)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(["MessageSid", "From", "To", "Body", "NumMedia", "MediaUrl0", "Latitude"]),
                       st.text(max_size=30)))  # fmt: skip
@example({"MessageSid": "SM0123456789", "From": "whatsapp:\x00", "NumMedia": "²"})
def test_twilio(told: dict[str, str]) -> None:
    with suppress(UnreadableTextError):
        read_text(told, datetime.now(UTC))
    assert "\x00" not in twiml(told.get("Body", ""))


@settings(max_examples=40)
@given(
    fields("type", "event", "team_id", "challenge"),
    fields("type", "user", "channel", "ts", "text", "files", "thread_ts"),
)
def test_slack(told: dict[str, object], event: dict[str, object]) -> None:
    challenge_of(told)
    read_event({**told, "type": "event_callback", "event": {"type": "message", **event}}, AT)
