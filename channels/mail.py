"""A message as a mail: headers that cannot be injected, an id that a retry repeats."""

import hashlib
import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from activities.message_channel import Attachment, ProviderRefusedError, RenderedMessage

# 7bit: relays that do not speak 8BITMIME are still about.
_POLICY = SMTP.clone(cte_type="7bit")
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(
    r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_NOBODY = re.compile(r"(do[-_.]?not|no)[-_.]?reply", re.IGNORECASE)


@dataclass(slots=True, frozen=True, kw_only=True)
class MailSender:
    """Who writes. A customer can always answer: a no-reply address is refused."""

    address: str
    name: str = ""
    reply_to: str | None = None

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
    if sender.reply_to:
        mail["Reply-To"] = Address(addr_spec=sender.reply_to)
    mail["Subject"] = one_line(message.subject)
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = message_id(message.key, sender.domain)
    mail["Auto-Submitted"] = "auto-generated"
    if message.corrects is not None:
        mail["In-Reply-To"] = mail["References"] = message_id(message.corrects, sender.domain)
    if unsubscribe_url is not None:
        _add_unsubscribe(mail, sender, unsubscribe_url)
    mail.set_content(_text_with_link(message.text, unsubscribe_url))
    if message.html is not None:
        mail.add_alternative(_html_with_link(message.html, unsubscribe_url), subtype="html")
    for attachment in message.attachments:
        _attach(mail, attachment)
    return mail


def one_line(text: str) -> str:
    """Text that is safe as a header: one line, nothing unprintable."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())


def _mailbox(name: str, address: str) -> Address:
    return Address(display_name=one_line(name), addr_spec=address)


def _add_unsubscribe(mail: EmailMessage, sender: MailSender, url: str) -> None:
    """RFC 8058: one click in the mail client, and a mailbox for clients that only write."""
    token = url.rpartition("/")[2]
    mailbox = sender.reply_to or sender.address
    mail["List-Unsubscribe"] = f"<{url}>, <mailto:{mailbox}?subject=unsubscribe%20{token}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _attach(mail: EmailMessage, attachment: Attachment) -> None:
    """Parameters of the media type, such as `method` of an invitation, are kept (RFC 6047)."""
    media_type, *written = attachment.media_type.split(";")
    maintype, _, subtype = media_type.strip().partition("/")
    params = {name: value for name, _, value in (each.strip().partition("=") for each in written)}
    mail.add_attachment(
        attachment.content,
        maintype=maintype,
        subtype=subtype,
        filename=attachment.name,
        params=params,
    )


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
