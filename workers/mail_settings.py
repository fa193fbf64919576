"""By what mail goes out: a relay, or one of the named providers, and who writes."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from channels.mail import MailSender
from channels.reply_address import ReplyAddresses
from channels.smtp import SmtpServer
from workers.encrypted_ways import in_the_clear
from workers.process_settings import IN_THE_CLEAR, ProcessSettings

_SENDER = re.compile(r"\s*(?:(?P<name>[^<>]*?)\s*<(?P<quoted>[^<>]+)>|(?P<bare>[^<>\s]+))\s*")
_NEEDED = {
    "smtp_url": "smtp",
    "ses_region": "ses",
    "sendgrid_api_key": "sendgrid",
    "postmark_token": "postmark",
}
"""Which setting is needed for which way."""

_Needed = Field(validate_default=True)


class MailSettings(ProcessSettings):
    """What the mail channel is told."""

    mail_by: Literal["smtp", "ses", "sendgrid", "postmark"] = "smtp"
    """By what mail goes out: smtp, ses, sendgrid or postmark."""
    mail_from: str
    """Who writes to customers, read by somebody: Clew <hello@example.com>."""
    mail_reply_to: str | None = None
    """Where answers go, where that is another mailbox."""
    smtp_url: Annotated[SecretStr | None, _Needed] = None
    """The mail relay: smtps://user:password@host:465 (TLS), smtp+starttls://…:587, or
    smtp://host:25 (plain, no password)."""
    smtp_timeout_seconds: Annotated[float, Field(gt=0, le=12)] = 10.0
    """How long the relay may take for each of its answers; a mail that it has and says nothing of is
    then in doubt."""
    ses_region: Annotated[str | None, _Needed, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")] = None
    """With CLEW_MAIL_BY=ses: the region of Amazon SES, such as eu-west-1."""
    ses_configuration_set: str | None = None
    """The configuration set of SES that publishes what becomes of mails. Without one SES reports by
    mail: to the address of the delivery with CLEW_REPLY_DOMAIN, which must be verified at SES, too."""
    ses_access_key_id: str | None = None
    """Who signs for SES, where it is not whom AWS's own variables, files or the machine's role name."""
    ses_secret_access_key: SecretStr | None = None
    """The secret of CLEW_SES_ACCESS_KEY_ID; both or neither."""
    sendgrid_api_key: Annotated[SecretStr | None, _Needed] = None
    """With CLEW_MAIL_BY=sendgrid: the API key, which may send mail and nothing else."""
    sendgrid_region: Literal["global", "eu"] = "global"
    """Where the account of SendGrid is: global or eu."""
    postmark_token: Annotated[SecretStr | None, _Needed] = None
    """With CLEW_MAIL_BY=postmark: the server's API token."""
    postmark_service_stream: str = "outbound"
    """The message stream of Postmark for service messages."""
    postmark_marketing_stream: str = "broadcast"
    """The message stream of Postmark for marketing."""

    @field_validator(*_NEEDED)
    @classmethod
    def _given_where_needed(
        cls, told: SecretStr | str | None, info: ValidationInfo
    ) -> SecretStr | str | None:
        if told is None and info.data.get("mail_by") == _NEEDED[info.field_name or ""]:
            raise PydanticCustomError("missing", "is needed")
        return told

    @model_validator(mode="after")
    def _mail_usable(self) -> "MailSettings":
        self.mail_sender()
        if self.mail_by == "smtp":
            relay = self.smtp_server()
            heard = in_the_clear([relay.host], self.unencrypted)
            if heard and relay.security == "plain":
                raise ValueError(
                    f'CLEW_SMTP_URL: write smtps:// or smtp+starttls://, or {IN_THE_CLEAR} "{heard[0]}"'
                )
        if (self.ses_access_key_id is None) != (self.ses_secret_access_key is None):
            raise ValueError(
                "CLEW_SES_ACCESS_KEY_ID and CLEW_SES_SECRET_ACCESS_KEY: set both or neither"
            )
        return self

    def smtp_server(self) -> SmtpServer:
        """The relay that `smtp_url` names."""
        answers_within = timedelta(seconds=self.smtp_timeout_seconds)
        return replace(smtp_server(told(self.smtp_url)), timeout=answers_within)

    def mail_sender(self, replies: ReplyAddresses | None = None) -> MailSender:
        """The sender that `mail_from` names, who is answered at `replies`."""
        found = _SENDER.fullmatch(self.mail_from)
        if found is None:
            raise ValueError("CLEW_MAIL_FROM: write it as Clew <hello@example.com>")
        return MailSender(
            address=found["quoted"] or found["bare"],
            name=found["name"] or "",
            reply_to=self.mail_reply_to,
            replies=replies,
        )


def told(secret: SecretStr | None) -> str:
    """A secret that is there, once the settings were checked."""
    assert secret is not None
    return secret.get_secret_value()


def smtp_server(url: str) -> SmtpServer:
    """The relay that a URL names. Raises: `ValueError` in words."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"CLEW_SMTP_URL: {error}") from None
    ways = {
        "smtp": ("plain", 25),
        "smtp+starttls": ("starttls", 587),
        "smtps": ("tls", 465),
    }
    if parts.scheme not in ways or not parts.hostname:
        raise ValueError("CLEW_SMTP_URL: write smtps://, smtp+starttls:// or smtp:// and a host")
    security, usual = ways[parts.scheme]
    if security == "plain" and parts.password:
        raise ValueError(
            "CLEW_SMTP_URL: smtp:// would send the password in the clear; use smtps://"
        )
    return SmtpServer(
        host=parts.hostname,
        port=port or usual,
        security=security,  # pyright: ignore[reportArgumentType]
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )
