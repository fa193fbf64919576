"""What each named e-mail provider is given, and what its own words of refusal mean."""

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from activities.message_channel import (
    Attachment,
    ProviderBusyError,
    ProviderRefusedError,
    UnknownOutcomeError,
)
from channels.mail import MailSender, message_id
from channels.recording import Busy, RefuseForGood, StallAfterAccept, StallBeforeAccept
from channels.reply_address import ReplyAddresses
from channels.sendgrid import SendGridChannel
from contracts.delivery_mark import delivery_mark
from tests.integration.channels.mail_providers import (
    MAIL_PROVIDERS,
    postmark_provider,
    sendgrid_provider,
    ses_provider,
)
from tests.integration.channels.one_message import LINKS, SENDER, a_message
from tests.integration.channels.vendors.scripted_http import Answer, Request
from tests.integration.channels.vendors.ses import error

ANNA = "anna@example.com"
ICS = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"
INVITATION = Attachment(name="gate.ics", media_type="text/calendar; method=REQUEST", content=ICS)
MARKETING = replace(
    a_message(2),
    purpose="marketing",
    html="<p>Come back</p>",
    corrects="journey/flight/c_anna:7:1",
    attachments=(
        INVITATION,
        Attachment(name="map.pdf", media_type="application/pdf", content=b"%"),
    ),
)
KEY = MARKETING.key
OUR_ID = message_id(KEY, "air.example")
REPLIES = ReplyAddresses("reply.air.example", b"s" * 32)
OWN = replace(SENDER, replies=REPLIES)
OWN_ADDRESS = REPLIES.address(KEY)


def has_one_click(headers: dict[str, str]) -> bool:
    link = headers["List-Unsubscribe"]
    return (
        link.startswith("<https://journeys.example/u/")
        and "<mailto:desk@air.example?subject=unsubscribe" in link
        and headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    )


async def test_ses_is_given_the_mail_as_it_is_and_our_mark_as_a_tag() -> None:
    async with ses_provider() as (channel, vendor):
        answer = await channel.send(MARKETING)

        (request,) = vendor.taken
        mail = vendor.mail(request)
        assert has_one_click({name: str(value) for name, value in mail.items()})
        assert mail["Message-ID"] == OUR_ID
        assert mail["In-Reply-To"] == message_id("journey/flight/c_anna:7:1", "air.example")
        assert mail["Reply-To"] == "desk@air.example"
        kinds = [part.get_content_type() for part in mail.walk() if not part.is_multipart()]
        assert kinds == [
            *("text/plain", "text/html", "text/calendar"),
            *("text/calendar", "application/pdf"),
        ]
        assert request.json["ConfigurationSetName"] == "journeys"
        assert request.json["FromEmailAddress"] == "care@air.example"
        assert {"Name": "clew_delivery", "Value": delivery_mark(KEY)} in request.json["EmailTags"]
        assert answer.provider_id.endswith("@eu-west-1.amazonses.com>")


async def test_sendgrid_is_given_the_parts_and_our_mark_as_an_argument() -> None:
    async with sendgrid_provider() as (channel, vendor):
        answer = await channel.send(MARKETING)

        said = vendor.taken[0].json
        assert has_one_click(said["headers"])
        assert said["headers"]["Message-ID"] == answer.provider_id == OUR_ID
        assert said["headers"]["In-Reply-To"].startswith("<")
        assert said["reply_to"] == {"email": "desk@air.example"}
        assert said["from"] == {"email": "care@air.example", "name": "Air Example"}
        assert [each["type"] for each in said["content"]] == ["text/plain", "text/html"]
        assert "Unsubscribe: https://journeys.example/u/" in said["content"][0]["value"]
        assert said["custom_args"] == {"clew_delivery": delivery_mark(KEY)}
        assert said["categories"] == ["marketing"]
        assert [(each["type"], each["filename"]) for each in said["attachments"]] == [
            ("text/calendar", "gate.ics"),
            ("application/pdf", "map.pdf"),
        ]
        assert base64.b64decode(said["attachments"][0]["content"]) == ICS


async def test_postmark_is_given_the_parts_in_the_stream_of_the_purpose() -> None:
    async with postmark_provider() as (channel, vendor):
        answer = await channel.send(MARKETING)
        await channel.send(a_message(1))

        said, service = (request.json for request in vendor.taken)
        headers = {each["Name"]: each["Value"] for each in said["Headers"]}
        assert has_one_click(headers)
        assert headers["Message-ID"] == answer.provider_id == OUR_ID
        assert headers["X-PM-KeepID"] == "true"
        assert said["ReplyTo"] == "desk@air.example"
        assert said["From"] == '"Air Example" <care@air.example>'
        assert (said["MessageStream"], service["MessageStream"]) == ("broadcast", "outbound")
        assert said["Metadata"] == {"clew_delivery": delivery_mark(KEY)}
        assert "Unsubscribe" in said["HtmlBody"]
        assert "HtmlBody" not in service
        kinds = [each["ContentType"] for each in said["Attachments"]]
        assert kinds == ["text/calendar; method=REQUEST", "application/pdf"]


async def test_an_answer_to_any_providers_mail_leads_to_its_delivery() -> None:
    async with ses_provider(OWN) as (channel, vendor):
        await channel.send(MARKETING)
        mail = vendor.mail(vendor.taken[0])
        assert mail["Reply-To"] == OWN_ADDRESS
        assert f"<mailto:{OWN_ADDRESS}?subject=unsubscribe" in mail["List-Unsubscribe"]
    async with sendgrid_provider(OWN) as (channel, vendor):
        await channel.send(MARKETING)
        said = vendor.taken[0].json
        assert said["reply_to"] == {"email": OWN_ADDRESS}
        assert f"<mailto:{OWN_ADDRESS}?" in said["headers"]["List-Unsubscribe"]
    async with postmark_provider(OWN) as (channel, vendor):
        await channel.send(MARKETING)
        assert vendor.taken[0].json["ReplyTo"] == OWN_ADDRESS


@pytest.mark.parametrize(
    ("sender", "configuration_set", "reports"),
    [(OWN, None, OWN_ADDRESS), (OWN, "journeys", None), (SENDER, None, None)],
)
async def test_ses_reports_by_mail_to_the_address_of_the_delivery_where_it_publishes_nothing(
    sender: MailSender, configuration_set: str | None, reports: str | None
) -> None:
    async with ses_provider(sender, configuration_set) as (channel, vendor):
        await channel.send(MARKETING)

        assert vendor.taken[0].json.get("FeedbackForwardingEmailAddress") == reports


async def test_a_correction_answers_to_the_id_that_the_first_mail_arrived_with() -> None:
    async with ses_provider() as (channel, vendor):
        first = await channel.send(a_message(1))
        await channel.send(
            replace(a_message(2), corrects=a_message(1).key, corrects_id=first.provider_id)
        )

        mail = vendor.mail(vendor.taken[1])
        assert mail["In-Reply-To"] == mail["References"] == first.provider_id


@pytest.mark.parametrize(
    ("kind", "words", "meant"),
    [
        ("LimitExceededException", "Maximum sending rate exceeded", ProviderBusyError),
        ("SendingPausedException", "Sending is paused", ProviderBusyError),
        ("AccountSuspendedException", "Suspended", ProviderBusyError),
        ("MailFromDomainNotVerifiedException", "not verified", ProviderBusyError),
        (
            "MessageRejected",
            "Email address is not verified. The following identities failed",
            ProviderBusyError,
        ),
        ("NotFoundException", "Configuration set <journeys> does not exist.", ProviderBusyError),
        ("MessageRejected", "Message content contains a virus", "bounced"),
        ("BadRequestException", "Missing final '@domain'", "unreachable"),
        ("BadRequestException", "Message too long", "bounced"),
    ],
)
async def test_what_ses_refuses_for_our_account_is_not_the_customers_fault(
    kind: str, words: str, meant: Any
) -> None:
    async with ses_provider() as (channel, vendor):
        vendor.refused = kind
        vendor.script(ANNA, [RefuseForGood(words)])

        await refuses(channel, meant)


@pytest.mark.parametrize(
    ("status", "field", "meant"),
    [
        (400, "personalizations.0.to.0.email", "unreachable"),
        (400, "content", "bounced"),
        (413, None, "bounced"),
        (400, "from.email", ProviderBusyError),
        (403, "from", ProviderBusyError),
        (401, None, ProviderBusyError),
        (503, None, ProviderBusyError),
        (500, None, UnknownOutcomeError),
    ],
)
async def test_what_sendgrid_refuses_for_our_account_is_not_the_customers_fault(
    status: int, field: str | None, meant: Any
) -> None:
    async with sendgrid_provider() as (channel, vendor):
        vendor.status, vendor.field = status, field
        vendor.script(ANNA, [RefuseForGood("does not fit")])

        await refuses(channel, meant)


@pytest.mark.parametrize(
    ("code", "words", "meant"),
    [
        (406, "You tried to send to recipient(s) that have been marked as inactive", "suppressed"),
        (300, "Error parsing 'To': Illegal email address 'a..b@example.com'.", "unreachable"),
        (300, "Invalid 'From' address: 'nobody'.", ProviderBusyError),
        (400, "The 'From' address you supplied is not a Sender Signature", ProviderBusyError),
        (405, "Not allowed to send: ran out of credits", ProviderBusyError),
        (412, "Your account is pending approval", ProviderBusyError),
        (1235, "The message stream provided does not exist", ProviderBusyError),
        (411, "You tried to send an e-mail with a forbidden attachment type", "bounced"),
    ],
)
async def test_what_postmark_refuses_for_our_account_is_not_the_customers_fault(
    code: int, words: str, meant: Any
) -> None:
    async with postmark_provider() as (channel, vendor):
        vendor.code = code
        vendor.script(ANNA, [RefuseForGood(words)])

        await refuses(channel, meant)


async def refuses(channel: Any, meant: Any) -> None:
    if isinstance(meant, str):
        with pytest.raises(ProviderRefusedError) as caught:
            await channel.send(a_message())
        assert caught.value.reason == meant
    else:
        with pytest.raises(meant):
            await channel.send(a_message())


@pytest.mark.parametrize("name", MAIL_PROVIDERS)
async def test_a_provider_that_asks_for_a_pause_is_given_it(name: str) -> None:
    async with MAIL_PROVIDERS[name]() as (channel, vendor):
        vendor.script(ANNA, [Busy(retry_after=timedelta(seconds=30))])

        with pytest.raises(ProviderBusyError) as caught:
            await channel.send(a_message())

        assert caught.value.retry_after == timedelta(seconds=30)


@pytest.mark.parametrize("name", MAIL_PROVIDERS)
async def test_what_is_no_address_is_told_without_asking_the_provider(name: str) -> None:
    async with MAIL_PROVIDERS[name]() as (channel, vendor):
        with pytest.raises(ProviderRefusedError) as caught:
            await channel.send(a_message(to="anna@@example..com"))

        assert caught.value.reason == "unreachable"
        assert vendor.seen == []


async def test_a_provider_that_is_not_there_took_nothing() -> None:
    channel = SendGridChannel("key", SENDER, LINKS, url="http://127.0.0.1:1")
    with pytest.raises(ProviderBusyError, match="no connection to SendGrid"):
        await channel.send(a_message())
    await channel.close()


async def test_a_wrong_signature_is_ours_to_mend() -> None:
    async with ses_provider() as (channel, vendor):

        def refused(request: Request) -> Answer:
            del request
            return error("SignatureDoesNotMatch", "The request signature does not match", 403)

        vendor.other = refused  # as if our key had been taken away

        with pytest.raises(ProviderBusyError, match="signature does not match"):
            await channel.send(a_message())


@pytest.mark.parametrize(
    ("stall", "there"), [(StallAfterAccept(), True), (StallBeforeAccept(), False)]
)
@pytest.mark.parametrize("lags", [0, 2])
async def test_postmark_says_what_became_of_a_mail_whose_answer_was_lost(
    stall: StallAfterAccept | StallBeforeAccept, there: bool, lags: int
) -> None:
    async with postmark_provider() as (channel, vendor):
        await channel.send(a_message(3))
        vendor.script(ANNA, [stall])
        with pytest.raises(UnknownOutcomeError):
            await channel.send(MARKETING)
        vendor.lags = lags  # both streams are asked

        found = await channel.look_up(KEY)

        assert (found is not None) is there
        assert found is None or found.provider_id == OUR_ID


async def test_postmark_that_cannot_be_asked_has_not_said_no() -> None:
    async with postmark_provider() as (channel, vendor):
        vendor.other = lambda request: Answer(401, {"ErrorCode": 10})

        with pytest.raises(ProviderBusyError, match="cannot be asked"):
            await channel.look_up(KEY)


@pytest.mark.parametrize("name", MAIL_PROVIDERS)
async def test_a_provider_whose_service_is_away_took_nothing(name: str) -> None:
    async with MAIL_PROVIDERS[name]() as (channel, vendor):
        vendor.other = lambda request: Answer(503, "away", {"Retry-After": "90"})

        with pytest.raises(ProviderBusyError) as caught:
            await channel.send(a_message())

        assert caught.value.retry_after == timedelta(seconds=90)


async def test_a_mail_that_ses_took_without_an_id_stays_in_doubt() -> None:
    async with ses_provider() as (channel, vendor):
        vendor.other = lambda request: Answer(200, "<html>")

        with pytest.raises(UnknownOutcomeError, match="did not say under which id"):
            await channel.send(a_message())


@pytest.mark.parametrize("name", MAIL_PROVIDERS)
async def test_what_a_provider_says_of_an_address_is_told_without_it(name: str) -> None:
    async with MAIL_PROVIDERS[name]() as (channel, vendor):
        vendor.script(ANNA, [RefuseForGood(f"{ANNA} is not to our liking")])

        with pytest.raises(ProviderRefusedError, match="… is not to our liking"):
            await channel.send(a_message())
