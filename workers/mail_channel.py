"""The channel for mail that the settings name: what it needs is loaded only where it is used."""

from botocore.credentials import ReadOnlyCredentials

from channels.aws_credentials import MachineCredentials
from channels.postmark import PostmarkChannel
from channels.reply_address import ReplyAddresses
from channels.sendgrid import EUROPE, GLOBAL, SendGridChannel
from channels.ses import SesAccount, SesChannel
from channels.smtp import SmtpChannel
from channels.unsubscribe_link import UnsubscribeLinks
from workers.mail_settings import MailSettings, told

MailChannel = SmtpChannel | SesChannel | SendGridChannel | PostmarkChannel


def mail_channel(
    settings: MailSettings, links: UnsubscribeLinks, replies: ReplyAddresses | None = None
) -> MailChannel:
    """The channel that `CLEW_MAIL_BY` names; close it when nothing more is to be sent."""
    sender = settings.mail_sender(replies)
    match settings.mail_by:
        case "smtp":
            return SmtpChannel(settings.smtp_server(), sender, links)
        case "ses":
            return SesChannel(_ses_account(settings), sender, links)
        case "sendgrid":
            url = EUROPE if settings.sendgrid_region == "eu" else GLOBAL
            return SendGridChannel(told(settings.sendgrid_api_key), sender, links, url=url)
        case "postmark":
            return PostmarkChannel(
                told(settings.postmark_token),
                sender,
                links,
                service_stream=settings.postmark_service_stream,
                marketing_stream=settings.postmark_marketing_stream,
            )


def _ses_account(settings: MailSettings) -> SesAccount:
    key, secret = settings.ses_access_key_id, settings.ses_secret_access_key
    assert settings.ses_region is not None
    given = ReadOnlyCredentials(key, secret.get_secret_value(), None) if key and secret else None
    return SesAccount(
        region=settings.ses_region,
        credentials=MachineCredentials() if given is None else lambda: given,
        configuration_set=settings.ses_configuration_set,
    )
