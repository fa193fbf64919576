"""A mail taken apart, within bounds: its words, its markup, its files.

Whatever the bytes are, this comes to an end in bounded time and raises nothing: a mail that is a
bomb is kept as its headers and the beginning of its text.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import policy
from email.message import Message
from email.parser import BytesFeedParser, BytesHeaderParser
from typing import Any, TypeVar, cast

from channels.mail_words import text_of
from channels.received_file import received_file
from contracts.inbound_message import (
    MOST_ALL_FILES_BYTES,
    MOST_FILE_BYTES,
    MOST_FILES,
    InboundFile,
)

MOST_PARTS = 300
MOST_BOUNDARIES = 40
"""Each line of a mail is compared with the boundary of each part around it."""

LARGEST_TEXT = 1_000_000
_LONGEST_CONTENT_HEADER = 8_192
_LARGEST_HEAD = 256_000

# What the parser reads by looking at the whole of it again for each semicolon.
_CONTENT_HEADER = re.compile(
    rb"^content-[a-z-]{1,40}:[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE
)
_BOUNDARY = re.compile(rb"boundary[ \t]*(?:\*[0-9]{0,3}\*?)?[ \t]*=")
_SIGNATURES = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
)
Read = TypeVar("Read")


class _TooManyPartsError(Exception):
    """The mail has more parts than any mail of a person."""


@dataclass(slots=True)
class MailParts:
    """What a mail is made of. `left_out` names the files that were over our limits."""

    plain: list[str] = field(default_factory=list[str])
    html: list[str] = field(default_factory=list[str])
    files: list[InboundFile] = field(default_factory=list[InboundFile])
    left_out: list[str] = field(default_factory=list[str])

    def add_file(self, name: str | None, told: str, content: bytes) -> None:
        """Keep a file, or its name where it is one too many or too large."""
        kept = received_file(name, told, content)
        held = sum(len(file.content) for file in self.files)
        if (
            len(self.files) >= MOST_FILES
            or len(content) > MOST_FILE_BYTES
            or held + len(content) > MOST_ALL_FILES_BYTES
        ):
            self.left_out.append(kept.name)
        else:
            self.files.append(kept)


def parse_mail(raw: bytes) -> tuple[Message, bool]:
    """The mail, and whether all of it could be read; otherwise its headers with text below."""
    raw = raw.lstrip(b"\r\n\t ")
    if _is_bomb(raw):
        return _headers_only(raw), False
    made = 0

    def part(*_: Any, **how: Any) -> Message:
        nonlocal made
        made += 1
        if made > MOST_PARTS:
            raise _TooManyPartsError
        return Message(policy=how.get("policy", policy.compat32))

    parser = BytesFeedParser(cast("Any", part), policy=policy.compat32)
    try:
        parser.feed(raw)
        return parser.close(), True
    except (_TooManyPartsError, RecursionError, ValueError, LookupError, TypeError, AttributeError):
        return _headers_only(raw), False


def take_apart(mail: Message, *, whole: bool) -> MailParts:
    """The parts of a mail; of one that could not be read whole, its text only."""
    parts = MailParts()
    if not whole:
        parts.plain.append(text_of(payload(mail)[:LARGEST_TEXT], None))
        return parts
    for leaf in _leaves(mail, depth=0):
        _sort(leaf, parts)
    return parts


def payload(part: Message) -> bytes:
    """The bytes of a part, unpacked; as they stand where they cannot be."""
    found = _safely(lambda: part.get_payload(decode=True))
    if isinstance(found, bytes):
        return found
    raw = _safely(part.get_payload)
    return raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else b""


def parts_inside(part: Message) -> list[Message]:
    """The parts that a part is made of; none of one that is made of text."""
    inside: Any = part.get_payload()
    listed = cast("list[Any]", inside) if isinstance(inside, list) else []
    return [each for each in listed if isinstance(each, Message)]


def media_type_told(part: Message) -> str:
    """The type that a part says it has."""
    return _safely(part.get_content_type) or "text/plain"


def _leaves(part: Message, depth: int) -> Iterator[Message]:
    """Parts that hold something; a mail inside the mail is one, and is not looked into."""
    if media_type_told(part).startswith("message/") or not part.is_multipart():
        yield part
    elif depth < MOST_BOUNDARIES:
        for each in parts_inside(part):
            yield from _leaves(each, depth + 1)


def _sort(part: Message, parts: MailParts) -> None:
    told = media_type_told(part)
    disposition = _safely(part.get_content_disposition)
    name = _safely(part.get_filename)
    if told in _SIGNATURES:
        return
    if told.startswith("message/"):
        parts.add_file(name or "message.eml", told, _written(part))
    elif disposition == "attachment" or name or not told.startswith("text/"):
        parts.add_file(name, told, payload(part))
    elif told in {"text/plain", "text/html"}:
        text = text_of(payload(part)[:LARGEST_TEXT], _safely(part.get_content_charset))
        if told == "text/html":
            parts.html.append(text)
        else:
            parts.plain.append(_unflowed(text, part))
    else:
        parts.add_file(name, told, payload(part))


def _written(part: Message) -> bytes:
    """A mail inside the mail, as a file."""
    inside = parts_inside(part)
    written = [_safely(each.as_bytes) for each in inside]
    return b"\n".join(each for each in written if each is not None) if inside else payload(part)


def _unflowed(text: str, part: Message) -> str:
    """Paragraphs of one line again (RFC 3676)."""
    if _safely(lambda: str(part.get_param("format", "")).lower()) != "flowed":
        return text
    no_space = _safely(lambda: str(part.get_param("delsp", "")).lower()) == "yes"
    lines: list[str] = []
    open_line = False
    for line in text.replace("\r\n", "\n").split("\n"):
        stuffed = line.removeprefix(" ")
        if open_line and not stuffed.startswith(">"):
            lines[-1] += stuffed
        else:
            lines.append(stuffed)
        open_line = stuffed.endswith(" ") and stuffed != "-- " and not stuffed.startswith(">")
        if open_line and no_space:
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines)


def _is_bomb(raw: bytes) -> bool:
    head = raw.find(b"\n\n", 0, _LARGEST_HEAD), raw.find(b"\r\n\r\n", 0, _LARGEST_HEAD)
    if len(raw) > _LARGEST_HEAD and max(head) < 0:
        return True
    small = raw.lower()  # ten times as fast as patterns that do not mind the case
    if small.count(b"boundary") > MOST_BOUNDARIES:
        for count, _ in enumerate(_BOUNDARY.finditer(small), 1):
            if count > MOST_BOUNDARIES:
                return True
    at = 0 if small.startswith(b"content-") else small.find(b"\ncontent-") + 1
    while small.startswith(b"content-", at):
        header = _CONTENT_HEADER.match(raw, at)
        if header is not None and len(header[0]) > _LONGEST_CONTENT_HEADER:
            return True
        at = small.find(b"\ncontent-", at) + 1
        if at == 0:
            break
    return False


def _headers_only(raw: bytes) -> Message:
    """The headers, without what says how the rest is made, and the beginning of the rest as text."""
    head, _, body = raw[:LARGEST_TEXT].replace(b"\r\n", b"\n").partition(b"\n\n")
    head = _CONTENT_HEADER.sub(b"X-Unread: 1", head[:_LARGEST_HEAD])
    try:
        mail = BytesHeaderParser(policy=policy.compat32).parsebytes(head + b"\n\n")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        mail = Message()
    mail.set_payload(body.decode("utf-8", "surrogateescape"))
    return mail


def _safely(read: Callable[[], Read]) -> Read | None:
    """What the standard library reads; it raises several kinds of errors on what is no mail."""
    try:
        return read()
    except Exception:
        return None
