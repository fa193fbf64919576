"""Mail by a named provider's API: the parts of a mail, and how the provider is called."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage

from activities.message_channel import RenderedMessage
from channels.mail import MailSender, build_mail, file_name, media_type
from channels.provider_http import ProviderHttp, Told

_ANSWER_WITHIN = timedelta(seconds=12)
"""Longer than others get: nothing is looked up before, and a mail whose answer is lost stays in doubt."""

_HEADERS = (
    *("Message-ID", "In-Reply-To", "References", "Auto-Submitted"),
    *("List-Unsubscribe", "List-Unsubscribe-Post"),
)


@dataclass(slots=True, frozen=True, kw_only=True)
class MailFile:
    """One file that goes along. `content` is base64, `method` that of an invitation."""

    name: str
    media_type: str
    content: str
    method: str | None


@dataclass(slots=True, frozen=True, kw_only=True)
class MailParts:
    """What `channels.mail` would write, part by part."""

    to: str
    subject: str
    headers: dict[str, str]
    text: str
    html: str | None
    files: tuple[MailFile, ...]

    @property
    def message_id(self) -> str:
        """The mail's own id, the same at every attempt."""
        return self.headers["Message-ID"]


def mail_api(provider: str) -> ProviderHttp:
    """The way to a provider of mail."""
    return ProviderHttp(provider, within=_ANSWER_WITHIN)


def not_sent(http: ProviderHttp, told: Told, said_no: Callable[[Told], Exception]) -> Exception:
    """What it means that a mail was not taken; `said_no` reads the provider's own words."""
    return said_no(told) if told.judged else http.failed(told, away_takes_nothing=True)


def mail_parts(message: RenderedMessage, sender: MailSender, link: str | None) -> MailParts:
    """The parts. Raises: `ProviderRefusedError` where the address is none."""
    mail = build_mail(message, sender, link)
    return MailParts(
        to=mail["To"].addresses[0].addr_spec,
        subject=str(mail["Subject"]),
        headers={name: str(mail[name]) for name in _HEADERS if name in mail},
        text=_body(mail, "plain") or "",
        html=_body(mail, "html"),
        files=tuple(_files(message)),
    )


def _body(mail: EmailMessage, kind: str) -> str | None:
    part = mail.get_body((kind,))
    return part.get_content() if isinstance(part, EmailMessage) else None


def _files(message: RenderedMessage) -> list[MailFile]:
    read = [(each, *media_type(each)) for each in message.attachments]
    return [
        MailFile(
            name=file_name(each),
            media_type=plain,
            content=base64.b64encode(each.content).decode(),
            method=method,
        )
        for each, plain, method in read
    ]
