"""Text messages and WhatsApp, as Twilio takes them."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from activities.message_channel import ProviderBusyError, ProviderRefusedError, ProviderTemplate
from channels.recording import RefuseForGood
from channels.sms import SmsChannel
from channels.unsubscribe_link import Unsubscription
from channels.whatsapp import WhatsAppChannel
from contracts.delivery_mark import delivery_mark
from tests.integration.channels.one_message import LINKS, a_message
from tests.integration.channels.providers import PHONES
from tests.integration.channels.vendors.scripted_http import vendor
from tests.integration.channels.vendors.twilio import SERVICE, Twilio

TEXT = replace(a_message(to=PHONES[0]), text="Your gate is B4.\n")
MARKETING = replace(TEXT, purpose="marketing", text="20 % off today.")


@pytest_asyncio.fixture
async def twilio() -> AsyncIterator[Twilio]:
    async with vendor(Twilio()) as twilio:
        yield twilio


async def test_a_text_names_its_sender_and_where_to_report_on_it(twilio: Twilio) -> None:
    channel = SmsChannel(twilio.account(), LINKS)

    answer = await channel.send(TEXT)
    await channel.close()

    [request] = twilio.taken
    assert answer.provider_id.startswith("SM")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.form == {
        "To": PHONES[0],
        "Body": "Your gate is B4.",
        "MessagingServiceSid": SERVICE,
        "StatusCallback": "https://journeys.example/v1/feedback/twilio?delivery="
        + delivery_mark(TEXT.key),
    }


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("+420 601 123 456", "+420601123456"),
        ("601 123 456", "+420601123456"),
        ("00420 601 123 456", "+420601123456"),
        ("(601) 123-456", "+420601123456"),
        ("+1 415 555 2671", "+14155552671"),
    ],
)
async def test_a_number_is_dialled_however_it_is_written(
    twilio: Twilio, written: str, dialled: str
) -> None:
    channel = SmsChannel(twilio.account(region="CZ"), LINKS)

    await channel.send(replace(TEXT, address=written))
    await channel.close()

    assert twilio.taken[0].form["To"] == dialled


@pytest.mark.parametrize("written", ["", "12", "anna", "601 123 456", "+420601123456 ext. 7"])
async def test_what_is_no_number_anywhere_is_not_even_tried(twilio: Twilio, written: str) -> None:
    channel = SmsChannel(twilio.account(), LINKS)

    with pytest.raises(ProviderRefusedError) as caught:
        await channel.send(replace(TEXT, address=written))
    await channel.close()

    assert caught.value.reason == "unreachable"
    assert twilio.seen == []


@pytest.mark.parametrize(
    ("sender", "locale", "ends"),
    [
        (SERVICE, None, "\nReply STOP to end"),
        ("+420800123456", "cs-CZ", "\nKonec odpovědí STOP"),
        ("AirExample", "de", "\nAbmelden: {link}"),
    ],
)
async def test_marketing_names_the_way_out_that_works_with_this_sender(
    twilio: Twilio, sender: str, locale: str | None, ends: str
) -> None:
    channel = SmsChannel(twilio.account(sender), LINKS)
    said = Unsubscription(customer="c_anna", purpose="marketing", channel="sms")

    await channel.send(replace(MARKETING, locale=locale))
    await channel.close()

    assert twilio.subjects == ["20 % off today." + ends.format(link=LINKS.url(said))]


async def test_who_answered_stop_gets_no_more_and_that_is_the_reason(twilio: Twilio) -> None:
    twilio.refused = 21610
    twilio.script(PHONES[0], [RefuseForGood()])
    channel = SmsChannel(twilio.account(), LINKS)

    with pytest.raises(ProviderRefusedError) as caught:
        await channel.send(TEXT)
    await channel.close()

    assert caught.value.reason == "suppressed"
    assert caught.value.words.startswith("21610 ")


async def test_a_text_that_twilio_would_not_take_is_refused_with_what_it_costs(
    twilio: Twilio,
) -> None:
    channel = SmsChannel(twilio.account(), LINKS)

    with pytest.raises(ProviderRefusedError, match=r"11 text messages \(1601 of 1683 places, GSM"):
        await channel.send(replace(TEXT, text="x" * 1_601))
    await channel.close()


async def test_a_wrong_password_is_ours_to_mend_and_the_message_waits(twilio: Twilio) -> None:
    channel = SmsChannel(twilio.account(password="wrong"), LINKS)

    with pytest.raises(ProviderBusyError, match="20003"):
        await channel.send(TEXT)
    await channel.close()


# -- WhatsApp


async def test_in_a_conversation_whatsapp_takes_words_of_our_own(twilio: Twilio) -> None:
    channel = WhatsAppChannel(twilio.account("+420800123456"), LINKS)

    await channel.send(replace(TEXT, in_conversation=True))
    await channel.close()

    form = twilio.taken[0].form
    assert (form["To"], form["From"]) == (f"whatsapp:{PHONES[0]}", "whatsapp:+420800123456")
    assert form["Body"] == "Your gate is B4."


async def test_outside_of_one_it_takes_only_an_approved_template(twilio: Twilio) -> None:
    channel = WhatsAppChannel(twilio.account(), LINKS)
    template = ProviderTemplate(id="HX" + "3" * 32, values={"1": "Anna", "2": "B4"})

    await channel.send(replace(TEXT, template=template))
    await channel.close()

    form = twilio.taken[0].form
    assert form["ContentSid"] == template.id
    assert form["ContentVariables"] == '{"1":"Anna","2":"B4"}'
    assert form["MessagingServiceSid"] == SERVICE
    assert "Body" not in form


async def test_without_a_template_the_remedy_is_named_and_nothing_is_tried(twilio: Twilio) -> None:
    channel = WhatsAppChannel(twilio.account(), LINKS)

    with pytest.raises(ProviderRefusedError, match="approved template: name one") as caught:
        await channel.send(TEXT)
    await channel.close()

    assert caught.value.reason == "needs_template"
    assert twilio.seen == []
