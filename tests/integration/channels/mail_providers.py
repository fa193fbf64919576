"""The named e-mail providers, each channel with the vendor behind it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from channels.mail import MailSender
from channels.postmark import PostmarkChannel
from channels.sendgrid import SendGridChannel
from channels.ses import SesAccount, SesChannel
from tests.integration.channels.one_message import LINKS, SENDER
from tests.integration.channels.vendors import postmark, sendgrid, ses
from tests.integration.channels.vendors.scripted_http import vendor


async def at_once(seconds: float) -> None:
    """In place of a pause."""


@asynccontextmanager
async def ses_provider(
    sender: MailSender = SENDER, configuration_set: str | None = "journeys"
) -> AsyncGenerator[tuple[SesChannel, ses.Ses]]:
    async with vendor(ses.Ses()) as server:
        account = SesAccount(
            region=ses.REGION,
            credentials=lambda: ses.CREDENTIALS,
            configuration_set=configuration_set,
            url=server.url,
        )
        channel = SesChannel(account, sender, LINKS)
        yield channel, server
        await channel.close()


@asynccontextmanager
async def sendgrid_provider(
    sender: MailSender = SENDER,
) -> AsyncGenerator[tuple[SendGridChannel, sendgrid.SendGrid]]:
    async with vendor(sendgrid.SendGrid()) as server:
        channel = SendGridChannel(sendgrid.API_KEY, sender, LINKS, url=server.url)
        yield channel, server
        await channel.close()


@asynccontextmanager
async def postmark_provider(
    sender: MailSender = SENDER,
) -> AsyncGenerator[tuple[PostmarkChannel, postmark.Postmark]]:
    async with vendor(postmark.Postmark()) as server:
        channel = PostmarkChannel(postmark.TOKEN, sender, LINKS, url=server.url, pause=at_once)
        yield channel, server
        await channel.close()


MailChannel = SesChannel | SendGridChannel | PostmarkChannel

MAIL_PROVIDERS = {
    "ses": ses_provider,
    "sendgrid": sendgrid_provider,
    "postmark": postmark_provider,
}
"""Each opens as (channel, vendor)."""
