"""What mail systems report of a mail of ours: not delivered (RFC 3464), or complained of (RFC 5965)."""

import re
from dataclasses import dataclass
from email import message_from_string, policy
from email.message import Message
from typing import Literal

from channels.mail_parts import media_type_told, parts_inside, payload
from channels.mail_words import in_words, raw_header, text_of

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_ID = re.compile(r"<[^<>\s]{1,300}>")
_LARGEST_REPORT = 64_000
_MOST_RECIPIENTS = 20

# Permanent by their first digit, and yet the address will work again: the mailbox is full; they
# do not want this mail of ours (5.7: their policy), which says nothing about the customer.
_PASSING = re.compile(r"5\.(2\.2|7\.\d+)")


@dataclass(slots=True, frozen=True, kw_only=True)
class MailReport:
    """What became of one recipient's mail. `message_ids` are those of the mail it is about."""

    kind: Literal["delivered", "bounced", "complained", "unsubscribed"]
    recipient: str
    message_ids: tuple[str, ...]
    hard: bool = False
    detail: str = ""


def reports_of(mail: Message) -> list[MailReport] | None:
    """What a mail reports, perhaps nothing that counts; None where it is no report at all."""
    if media_type_told(mail) != "multipart/report":
        return None
    parts = parts_inside(mail)
    about = _message_ids(parts)
    for part in parts:
        match media_type_told(part):
            case "message/delivery-status" | "message/global-delivery-status":
                return _of_status(part, about)
            case "message/feedback-report":
                return _of_complaint(part, about)
            case "message/disposition-notification":
                return []  # that it was shown: a robot's word, no answer
            case _:
                continue
    return []


def _blocks(part: Message) -> list[Message]:
    """The groups of fields of a report: one about the mail, one for each recipient."""
    if part.is_multipart():
        return parts_inside(part)
    text = text_of(payload(part)[:_LARGEST_REPORT], None).replace("\r\n", "\n")
    return [
        message_from_string(block, policy=policy.compat32)
        for block in text.split("\n\n")[: _MOST_RECIPIENTS + 1]
    ]


def _of_status(part: Message, about: tuple[str, ...]) -> list[MailReport]:
    found: list[MailReport] = []
    for block in _blocks(part)[: _MOST_RECIPIENTS + 1]:
        action = raw_header(block, "Action").strip().lower().partition(" ")[0]
        if action not in {"failed", "delayed", "delivered"}:
            continue
        status = _STATUS.search(raw_header(block, "Status"))
        code = status[0] if status else ""
        words = in_words(_value(raw_header(block, "Diagnostic-Code")))
        recipient = _value(
            raw_header(block, "Original-Recipient") or raw_header(block, "Final-Recipient")
        )
        hard = action == "failed" and (status is None or status[1] == "5")
        found.append(
            MailReport(
                kind="delivered" if action == "delivered" else "bounced",
                recipient=recipient.strip("<> ").lower(),
                message_ids=about,
                hard=hard and not _PASSING.fullmatch(code),
                detail=" ".join(f"{code} {words}".split())[:500] or action,
            )
        )
    return found


def _of_complaint(part: Message, about: tuple[str, ...]) -> list[MailReport]:
    for block in _blocks(part):
        kind = raw_header(block, "Feedback-Type").strip().lower()
        if kind in {"abuse", "fraud", "virus", "opt-out", "opt-out-list", "other"}:
            who = in_words(raw_header(block, "User-Agent"))
            return [
                MailReport(
                    kind="unsubscribed" if kind.startswith("opt-out") else "complained",
                    recipient=raw_header(block, "Original-Rcpt-To").strip("<> ").lower(),
                    message_ids=about,
                    hard=not kind.startswith("opt-out"),
                    detail=f"{kind}, reported by {who}"[:500] if who else kind,
                )
            ]
    return []


def _message_ids(parts: list[Message]) -> tuple[str, ...]:
    """The id of the mail that a report is about: in the mail itself, or in its headers."""
    for part in parts:
        told = media_type_told(part)
        if told == "message/rfc822" and (inside := parts_inside(part)):
            found = _ID.findall(raw_header(inside[0], "Message-ID"))
        elif told in {"text/rfc822-headers", "message/rfc822-headers", "message/global-headers"}:
            text = text_of(payload(part)[:_LARGEST_REPORT], None)
            head = message_from_string(text.lstrip(), policy=policy.compat32)
            found = _ID.findall(raw_header(head, "Message-ID"))
        else:
            continue
        if found:
            return tuple(found[:1])
    return ()


def _value(field: str) -> str:
    """What stands behind the type of a field, such as `rfc822; anna@example.com`."""
    return field.partition(";")[2].strip() if ";" in field else field.strip()
