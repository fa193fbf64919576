"""A message as a mail: headers that cannot be injected, an id that a retry repeats, files that go along."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from activities.message_channel import Attachment, ProviderRefusedError, RenderedMessage
from channels.reply_address import ReplyAddresses

# 7bit: relays that do not speak 8BITMIME are still about.
_POLICY = SMTP.clone(cte_type="7bit")
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(
    r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,900}@[!-;=?-~]{1,255}>")
_NOBODY = re.compile(r"(do[-_.]?not|no)[-_.]?reply", re.IGNORECASE)


@dataclass(slots=True, frozen=True, kw_only=True)
class MailSender:
    """Who writes. A customer can always answer: a no-reply address is refused.

    With `replies` each mail has an address of its own for answers, and for what mail systems report.
    """

    address: str
    name: str = ""
    reply_to: str | None = None
    replies: ReplyAddresses | None = None

    def __post_init__(self) -> None:
        for address in filter(None, (self.address, self.reply_to)):
            if mail_address(address) is None:
                raise ValueError(f"{address!r} is not an e-mail address to send from")
            if _NOBODY.match(address):
                raise ValueError(
                    f"{address!r}: customers must be able to answer; name a mailbox that is read"
                )

    @property
    def domain(self) -> str:
        """The domain of the sender's address; our message ids end in it."""
        return self.address.rpartition("@")[2]

    def answers_to(self, key: str) -> str | None:
        """Where answers to this delivery go; None: to the sender's address."""
        own = self.replies.address(key) if self.replies is not None else None
        return own or self.reply_to

    def returns_to(self, key: str) -> str:
        """The envelope's sender: where mail systems report that they could not deliver."""
        own = self.replies.address(key) if self.replies is not None else None
        return own or self.address


def mail_address(text: str) -> str | None:
    """The address in the form that goes on the wire, or None where it is none."""
    local, _, domain = text.strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode()
    except UnicodeError:
        return None
    if len(local) > 64 or len(domain) > 253:
        return None
    if not _LOCAL_PART.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        return None
    return f"{local}@{domain}"


def message_id(key: str, domain: str) -> str:
    """The id of the mail of a delivery key, the same at every attempt."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{domain}>"


def build_mail(
    message: RenderedMessage, sender: MailSender, unsubscribe_url: str | None
) -> EmailMessage:
    """The mail. Raises: `ProviderRefusedError` where the address is none."""
    to = mail_address(message.address)
    if to is None:
        raise ProviderRefusedError("is not an e-mail address", reason="unreachable")
    if message.purpose == "marketing" and unsubscribe_url is None:
        raise ValueError("a marketing mail needs its unsubscribe link")
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = _mailbox(sender.name, sender.address)
    mail["To"] = Address(addr_spec=to)
    answers_to = sender.answers_to(message.key)
    if answers_to:
        mail["Reply-To"] = Address(addr_spec=answers_to)
    mail["Subject"] = one_line(message.subject)
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = message_id(message.key, sender.domain)
    mail["Auto-Submitted"] = "auto-generated"
    if message.corrects is not None:
        mail["In-Reply-To"] = mail["References"] = _corrected(
            message.corrects, message.corrects_id, sender.domain
        )
    if unsubscribe_url is not None:
        _add_unsubscribe(mail, answers_to or sender.address, unsubscribe_url)
    mail.set_content(_text_with_link(message.text, unsubscribe_url))
    if message.html is not None:
        mail.add_alternative(_html_with_link(message.html, unsubscribe_url), subtype="html")
    _attach(mail, message.attachments)
    return mail


def _corrected(key: str, provider_id: str | None, domain: str) -> str:
    """The Message-ID that the customer's mail program has: a provider may have put its own in our place."""
    if provider_id is not None and _MESSAGE_ID.fullmatch(provider_id):
        return provider_id
    return message_id(key, domain)


def media_type(attachment: Attachment) -> tuple[str, str | None]:
    """Its plain media type, and the `method` of an invitation; what is no type is plain bytes."""
    said: Message[str, str] = Message()
    said["Content-Type"] = one_line(attachment.media_type)
    plain, method = said.get_content_type(), said.get_param("method")
    if one_line(attachment.media_type).partition(";")[0].strip().lower() != plain:
        return "application/octet-stream", None  # what cannot be read is taken for text/plain
    if not _MEDIA_TYPE.fullmatch(plain) or plain.startswith(("multipart/", "message/")):
        return "application/octet-stream", None  # those would be parsed as a part of this mail
    invites = isinstance(method, str) and method.isalpha() and plain == "text/calendar"
    return plain, method.upper() if invites and isinstance(method, str) else None


def file_name(attachment: Attachment) -> str:
    """A name that is safe as a header and leads to no folder."""
    return re.sub(r'[/\\"]', "_", one_line(attachment.name)) or "attachment"


def _attach(mail: EmailMessage, attachments: Sequence[Attachment]) -> None:
    """The files. An invitation is an alternative too: only so do mail programs offer to accept it."""
    read = [(each, *media_type(each)) for each in attachments]
    for each, _, method in read:
        if method is not None:
            words = each.content.decode(errors="replace")
            mail.add_alternative(words, subtype="calendar", params={"method": method})
    for each, plain, method in read:
        main, _, sub = plain.partition("/")
        said = {"method": method} if method else {}
        if main == "text":
            said["charset"] = "utf-8"
        mail.add_attachment(
            each.content, maintype=main, subtype=sub, filename=file_name(each), params=said
        )


def one_line(text: str) -> str:
    """Text that is safe as a header: one line, nothing unprintable, no encoded word.

    The standard library takes an encoded word in it for one of its own, and writes what that holds as it
    is: a line end and a second header (CVE-2024-6923, in Python before 3.11.10).
    """
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split()).replace("=?", "= ?")


def _mailbox(name: str, address: str) -> Address:
    return Address(display_name=one_line(name), addr_spec=address)


def _add_unsubscribe(mail: EmailMessage, mailbox: str, url: str) -> None:
    """RFC 8058: one click in the mail client, and a mailbox for clients that only write."""
    clicked = url.partition("#")[0]  # what stands behind it is for browsers, and opens more
    token = clicked.rpartition("/")[2]
    mail["List-Unsubscribe"] = f"<{clicked}>, <mailto:{mailbox}?subject=unsubscribe%20{token}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _text_with_link(text: str, url: str | None) -> str:
    clean = text.replace("\x00", "").rstrip() + "\n"
    return clean if url is None else f"{clean}\n-- \nUnsubscribe: {url}\n"


def _html_with_link(html: str, url: str | None) -> str:
    clean = html.replace("\x00", "")
    if url is None:
        return clean
    link = f'<p><a href="{escape(url)}">Unsubscribe</a></p>'
    end = clean.lower().rfind("</body>")
    return clean + link if end < 0 else clean[:end] + link + clean[end:]
