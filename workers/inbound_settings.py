"""What the processes are told that hear customers: where mail comes in, and who may bring it."""

from pathlib import Path
from typing import Literal, Self

from pydantic import SecretStr, field_validator, model_validator

from channels.reply_address import ReplyAddresses
from workers.process_settings import Port
from workers.signing_settings import SigningSettings


class ReplySettings(SigningSettings):
    """Whether each mail has an address of its own for answers."""

    reply_domain: str | None = None
    """Domain of which each mail gets an address of its own for answers and bounces, such as
    reply.example.com: its MX leads to `python -m workers inbound`, its SPF names the mail relay."""

    @model_validator(mode="after")
    def _a_reply_domain(self) -> Self:
        self.replies()
        return self

    def replies(self) -> ReplyAddresses | None:
        """The addresses that customers answer to. Raises: `ValueError` where it is no domain."""
        if self.reply_domain is None:
            return None
        return ReplyAddresses(self.reply_domain, self.secret.get_secret_value().encode())


class InboundDoorSettings(ReplySettings):
    """The doors of the API for what customers write.

    With CLEW_TWILIO_ACCOUNT and CLEW_TWILIO_AUTH_TOKEN the one for text messages and WhatsApp is open, too.
    """

    inbound_secret: SecretStr | None = None
    """What Postmark and SendGrid send with a customer's mail, as password of Basic authentication:
    16 characters or more. Those doors are shut where unset."""
    inbound_ses_topic: str | None = None
    """The topic of SNS to which a receipt rule of SES publishes mail with its content (its ARN);
    subscribe https://…/inbound/ses to it. That door is shut where unset."""
    inbound_welcomes: list[str] = ["sms", "whatsapp"]
    """Channels on which somebody unknown becomes a customer by writing: JSON ["email", "sms"]."""
    inbound_help: str = ""
    """What a customer who writes HELP by text message is answered; nothing where empty."""
    slack_signing_secret: SecretStr | None = None
    """What Slack signs its events with; the door for them is shut where unset."""

    @field_validator("inbound_secret")
    @classmethod
    def _not_guessed(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < 16:
            raise ValueError("needs 16 characters or more: openssl rand -hex 16")
        return secret

    @field_validator("inbound_ses_topic")
    @classmethod
    def _a_topic(cls, topic: str | None) -> str | None:
        # What checks messages of SNS is loaded only where there is a topic.
        if topic is not None:
            from channels.sns_message import is_topic

            if not is_topic(topic):
                raise ValueError("write arn:aws:sns:region:account:topic")
        return topic


class MailDoorSettings(ReplySettings):
    """Where the mail comes in that customers answer with."""

    reply_domain: str  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues] -- needed here; settings are frozen
    """The domain whose mail is taken, such as reply.example.com; as the delivery process has it."""
    inbound_host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 in a container."""
    inbound_port: Port = 2525
    """Port for mail."""
    inbound_protocol: Literal["smtp", "lmtp"] = "smtp"
    """What relays speak to it: smtp, or lmtp where it stands behind one of our own."""
    inbound_certificate: Path | None = None
    """PEM file with the certificate for STARTTLS; without one mail comes in the clear."""
    inbound_key: Path | None = None
    """PEM file with its key, where that is another file."""
    inbound_welcomes: list[str] = ["sms", "whatsapp"]
    """Channels on which somebody unknown becomes a customer by writing: JSON ["email", "sms"]."""
