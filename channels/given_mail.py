"""Mails as providers hand them over by webhook, in the shapes that they document.

Postmark: https://postmarkapp.com/developer/user-guide/inbound/parse-an-email
SendGrid: https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook
Amazon SES by SNS: https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, cast

import orjson

from channels.form import FormError, read_form
from channels.mail_parts import LARGEST_TEXT, MailParts, parse_mail
from channels.mail_words import LONGEST_HEADER, text_of

MOST_FIELDS = 300
"""Headers, or attachments, that are looked at."""


class UnreadableMailError(ValueError):
    """What came is not what the provider documents; the message says what was expected."""


@dataclass(slots=True, frozen=True, kw_only=True)
class GivenMail:
    """A mail as given: whole (`raw`), or taken apart by the provider (`mail` with its headers, `parts`).

    `mark` tells one that was taken apart from others, where it has no Message-ID.
    """

    raw: bytes = b""
    mail: Message | None = None
    parts: MailParts = field(default_factory=MailParts)
    recipients: Sequence[str] = ()
    sender: str | None = None
    mark: bytes = b""


def of_postmark(body: bytes) -> GivenMail:
    """Postmark's JSON, whole where "Include raw email" is on. Raises: `UnreadableMailError`."""
    told = _object(body, "Postmark's JSON")
    recipients = [
        *filter(None, [_text(told.get("OriginalRecipient"))]),
        *(
            _text(each.get("Email"))
            for name in ("ToFull", "CcFull")
            for each in _list(told.get(name))
        ),
    ]
    raw = _text(told.get("RawEmail"))
    if raw:
        return GivenMail(raw=raw.encode("utf-8", "surrogateescape"), recipients=recipients)
    headers = [
        (_text(each.get("Name")), _text(each.get("Value"))) for each in _list(told.get("Headers"))
    ]
    full = told.get("FromFull")
    sender = _text(cast("dict[str, Any]", full).get("Email")) if isinstance(full, dict) else ""
    mail = _mail(
        [
            *headers,
            ("From", sender or _text(told.get("From"))),
            ("Subject", _text(told.get("Subject"))),
            ("Message-ID", _text(told.get("MessageID"))),
        ]
    )
    parts = MailParts(plain=[_text(told.get("TextBody"))], html=[_text(told.get("HtmlBody"))])
    for each in _list(told.get("Attachments")):
        content = _unpacked(_text(each.get("Content")))
        parts.add_file(_text(each.get("Name")), _text(each.get("ContentType")), content)
    recipients = [one for one in recipients if one]
    return GivenMail(mail=mail, parts=parts, recipients=recipients, mark=body)


def of_sendgrid(content_type: str, body: bytes) -> GivenMail:
    """SendGrid's form, whole where "POST the raw, full MIME message" is on. Raises: `UnreadableMailError`."""
    try:
        fields, files = read_form(content_type, body)
    except FormError as error:
        raise UnreadableMailError(str(error)) from None
    envelope = _lenient_object(fields.get("envelope", b""))
    to = envelope.get("to")
    recipients = [_text(one) for one in cast("list[Any]", to)] if isinstance(to, list) else []
    sender = _text(envelope.get("from")) if "from" in envelope else None
    if "email" in fields:
        return GivenMail(raw=fields["email"], recipients=recipients, sender=sender)
    if "headers" not in fields and "from" not in fields:
        raise UnreadableMailError(
            "expected SendGrid's fields: email, or headers, from, text and html"
        )
    charsets = _lenient_object(fields.get("charsets", b""))

    def words(name: str) -> str:
        return text_of(fields.get(name, b"")[:LARGEST_TEXT], _text(charsets.get(name)) or "utf-8")

    head = fields.get("headers", b"")[:256_000].rstrip() + b"\n\n"
    given, _ = parse_mail(head)
    headers = [
        (name, str(value))
        for name, value in given.items()
        if not name.lower().startswith("content-")
    ]
    mail = _mail([*headers, ("From", words("from")), ("Subject", words("subject"))])
    parts = MailParts(plain=[words("text")], html=[words("html")])
    for part in files:
        parts.add_file(part.name, part.told, part.content)
    return GivenMail(mail=mail, parts=parts, recipients=recipients, sender=sender, mark=body)


def of_ses(notification: Mapping[str, Any]) -> GivenMail:
    """What SES says by SNS of a mail that it received, with the mail in it. Raises: `UnreadableMailError`."""
    if notification.get("notificationType") != "Received":
        raise UnreadableMailError("expected a notification of the type Received")
    content = notification.get("content")
    if not isinstance(content, str) or not content:
        raise UnreadableMailError(
            "no content: let the receipt rule publish the mail to SNS with it"
        )
    receipt = _dictionary(notification.get("receipt"))
    encoding = _text(_dictionary(receipt.get("action")).get("encoding")).upper()
    raw = _unpacked(content) if encoding == "BASE64" else content.encode("utf-8", "surrogateescape")
    to: Any = receipt.get("recipients")
    recipients = [_text(one) for one in cast("list[Any]", to)] if isinstance(to, list) else []
    source = _dictionary(notification.get("mail")).get("source")
    return GivenMail(
        raw=raw, recipients=recipients, sender=_text(source) if source is not None else None
    )


def _mail(headers: Sequence[tuple[str, str]]) -> Message:
    """Headers as a mail; of those that a mail has once, the first counts."""
    mail = Message()
    for name, value in headers[:MOST_FIELDS]:
        if name and value and name.isascii() and name.isprintable() and ":" not in name:
            mail[name] = " ".join(value[:LONGEST_HEADER].split())
    return mail


def _object(body: bytes, what: str) -> dict[str, Any]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnreadableMailError(f"expected {what}: {str(error)[:100]}") from None
    if not isinstance(told, dict):
        raise UnreadableMailError(f"expected {what}: an object")
    return cast("dict[str, Any]", told)


def _lenient_object(body: bytes) -> dict[str, Any]:
    try:
        return _object(body, "JSON")
    except UnreadableMailError:
        return {}


def _dictionary(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    """The objects in a list, as many as any mail has."""
    listed = cast("list[Any]", value)[:MOST_FIELDS] if isinstance(value, list) else []
    return [cast("dict[str, Any]", each) for each in listed if isinstance(each, dict)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""
