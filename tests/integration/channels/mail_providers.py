"""The named e-mail providers, each channel with the vendor behind it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TypeVar

from channels.mail import MailSender
from channels.postmark import PostmarkChannel
from channels.provider_call import ProviderCaller
from channels.sendgrid import SendGridChannel
from channels.ses import SesAccount, SesChannel
from channels.unsubscribe_link import UnsubscribeLinks
from tests.integration.channels.vendors import postmark, sendgrid, ses
from tests.integration.channels.vendors.scripted_http import ScriptedVendor

LINKS = UnsubscribeLinks("https://journeys.example", b"s" * 32)
SENDER = MailSender(address="care@air.example", name="Air Example", reply_to="desk@air.example")

Vendor = TypeVar("Vendor", bound=ScriptedVendor)


@asynccontextmanager
async def opened(vendor: Vendor) -> AsyncGenerator[tuple[Vendor, ProviderCaller]]:
    caller = ProviderCaller(name=type(vendor).__name__)
    await vendor.open()
    yield vendor, caller
    await caller.close()
    await vendor.close()


async def at_once(seconds: float) -> None:
    """In place of a pause."""


@asynccontextmanager
async def ses_provider(
    sender: MailSender = SENDER, configuration_set: str | None = "journeys"
) -> AsyncGenerator[tuple[SesChannel, ses.Ses]]:
    async with opened(ses.Ses()) as (vendor, caller):
        account = SesAccount(
            region=ses.REGION,
            credentials=lambda: ses.CREDENTIALS,
            configuration_set=configuration_set,
            url=vendor.url,
        )
        yield SesChannel(account, sender, LINKS, caller=caller), vendor


@asynccontextmanager
async def sendgrid_provider(
    sender: MailSender = SENDER,
) -> AsyncGenerator[tuple[SendGridChannel, sendgrid.SendGrid]]:
    async with opened(sendgrid.SendGrid()) as (vendor, caller):
        yield (
            SendGridChannel(sendgrid.API_KEY, sender, LINKS, url=vendor.url, caller=caller),
            vendor,
        )


@asynccontextmanager
async def postmark_provider(
    sender: MailSender = SENDER,
) -> AsyncGenerator[tuple[PostmarkChannel, postmark.Postmark]]:
    async with opened(postmark.Postmark()) as (vendor, caller):
        channel = PostmarkChannel(
            postmark.TOKEN, sender, LINKS, url=vendor.url, caller=caller, pause=at_once
        )
        yield channel, vendor


MailChannel = SesChannel | SendGridChannel | PostmarkChannel

MAIL_PROVIDERS = {
    "ses": ses_provider,
    "sendgrid": sendgrid_provider,
    "postmark": postmark_provider,
}
"""Each opens as (channel, vendor)."""
