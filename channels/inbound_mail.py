"""A mail that came to us, read: who wrote, what they wrote, what it answers, and what it is."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import Message

from channels.automatic_mail import is_automatic
from channels.delivery_status import MailReport, reports_of
from channels.html_text import own_text_of_html, text_of_html
from channels.mail_parts import MailParts, parse_mail, take_apart
from channels.mail_words import addresses, header, raw_header, readable
from channels.reply_address import ReplyAddresses
from channels.reply_text import own_words
from channels.signed_link import InvalidLinkError
from channels.stop_words import unsubscribes
from channels.unsubscribe_link import UnsubscribeLinks, Unsubscription
from contracts.delivery_feedback import Feedback
from contracts.inbound_message import MOST_SUBJECT, MOST_TEXT, InboundKind, InboundMessage

CHANNEL = "email"
LARGEST_MAIL = 26_214_400
"""Bytes: what the large mail services send at most."""

_ID = re.compile(r"<([^<>\s@]{1,250})(?:@[^<>\s]{1,250})?>")
_MOST_IDS = 10
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_UNSUBSCRIBE = re.compile(r"\s*unsubscribe\s+(\S{10,4000})\s*", re.IGNORECASE)
_RECIPIENT_HEADERS = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")


@dataclass(slots=True, frozen=True, kw_only=True)
class Envelope:
    """How a mail came, beside what it says itself: to whom, from whom, when.

    `sender` is '' where the envelope names nobody, as robots do, and None where it is not known.
    """

    at: datetime
    recipients: Sequence[str] = ()
    sender: str | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class ReadMail:
    """What a mail is, and what it reports of deliveries of ours."""

    message: InboundMessage
    reports: tuple[Feedback, ...] = ()


class MailReader:
    """Reads mails to one installation; `replies` and `links` know what is ours in them.

    Never fails, whatever the bytes are, and takes seconds at most: call it beside the event loop.
    """

    def __init__(self, replies: ReplyAddresses | None, links: UnsubscribeLinks) -> None:
        self._replies, self._links = replies, links

    def read(self, raw: bytes, envelope: Envelope) -> ReadMail:
        """A mail as it came over the wire."""
        mail, whole = parse_mail(raw[:LARGEST_MAIL])
        return self.read_parts(mail, take_apart(mail, whole=whole), envelope, mark=raw)

    def read_parts(
        self, mail: Message, parts: MailParts, envelope: Envelope, *, mark: bytes
    ) -> ReadMail:
        """A mail that a provider took apart. `mark` tells it from others where it has no Message-ID."""
        to = self._recipients(mail, envelope)
        writers = addresses(mail, "From", "Sender") or [envelope.sender or ""]
        subject = header(mail, "Subject")[:MOST_SUBJECT]
        text, whole = _words(parts)
        read = InboundMessage(
            reply=_reply_id(mail, writers[0], mark),
            channel=CHANNEL,
            address=writers[0][:320],
            received_at=envelope.at,
            sent_to=self._ours(to)[:320],
            subject=subject,
            text=text,
            whole=whole,
            files=tuple(parts.files),
            delivery=self._delivery(to),
            answers=_answers(mail),
            names=(("email", writers[0]),) if writers[0] else (),
        )
        leaves = self._unsubscription(mail)
        if leaves is not None and leaves.purpose == "marketing":
            return ReadMail(message=replace(read, kind="stop", customer=leaves.customer))
        reports = reports_of(mail)
        if reports is not None:
            kind: InboundKind = "bounce" if reports else "automatic"
            read = replace(read, kind=kind)
            return ReadMail(message=read, reports=_reported(read, reports))
        if is_automatic(mail, from_nobody=envelope.sender == ""):
            return ReadMail(message=replace(read, kind="automatic"))
        stops = unsubscribes(subject, text)
        return ReadMail(message=replace(read, kind="stop") if stops else read)

    def _recipients(self, mail: Message, envelope: Envelope) -> list[str]:
        told = [address.strip().lower() for address in envelope.recipients]
        return told or addresses(mail, *_RECIPIENT_HEADERS)

    def _ours(self, to: list[str]) -> str:
        replies = self._replies
        ours = (one for one in to if replies is not None and replies.is_ours(one))
        return next(ours, to[0] if to else "")

    def _delivery(self, to: list[str]) -> tuple[int, int] | None:
        if self._replies is None:
            return None
        read = (self._replies.read(one) for one in to)
        return next((found for found in read if found is not None), None)

    def _unsubscription(self, mail: Message) -> Unsubscription | None:
        """What the subject of our List-Unsubscribe asks for; it names the customer, and is signed."""
        found = _UNSUBSCRIBE.fullmatch(header(mail, "Subject"))
        try:
            return self._links.read(found[1]) if found else None
        except (InvalidLinkError, ValueError):
            return None


def _words(parts: MailParts) -> tuple[str, str]:
    """What the customer wrote, and all that stands there."""
    plain = readable("\n".join(parts.plain))
    if plain.strip():
        own, whole = own_words(plain), plain
    else:
        source = "\n".join(parts.html)
        own = own_words(_INDENT.sub("", readable(own_text_of_html(source))))
        whole = _INDENT.sub("", readable(text_of_html(source)))
    whole = whole.strip()[:MOST_TEXT]
    if parts.left_out:
        names = ", ".join(parts.left_out[:20])
        whole += f"\n\n[Over our limits, and not kept: {names}]"
    return own[:MOST_TEXT], whole


def _answers(mail: Message) -> tuple[str, ...]:
    """Ids of what a mail answers, the nearest first, each as it is written and as providers keep it."""
    near = _ID.finditer(raw_header(mail, "In-Reply-To"))
    far = reversed(list(_ID.finditer(raw_header(mail, "References"))))
    found = list(dict.fromkeys((each[0], each[1]) for each in (*near, *far)))[:_MOST_IDS]
    return tuple(spelled for pair in found for spelled in pair)


def _reply_id(mail: Message, writer: str, mark: bytes) -> str:
    told = raw_header(mail, "Message-ID").strip().encode("utf-8", "replace")
    named = b"id " + told if told else b"mail " + hashlib.sha256(mark).digest()
    digest = hashlib.sha256(named + b"\n" + writer.encode("utf-8", "replace"))
    return f"{CHANNEL}-{digest.hexdigest()[:40]}"


def _reported(read: InboundMessage, reports: list[MailReport]) -> tuple[Feedback, ...]:
    return tuple(
        Feedback(
            event_id=f"mail/{read.reply}/{n}",
            kind=report.kind,
            at=read.received_at,
            provider_ids=tuple(
                spelled
                for told in report.message_ids
                for spelled in (told, told[1:].partition("@")[0])
            ),
            hard=report.hard,
            detail=report.detail,
        )
        for n, report in enumerate(reports)
    )
