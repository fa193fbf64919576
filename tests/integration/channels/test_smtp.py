"""SMTP alone: connections kept, lost and opened again, and what the mail says on the wire."""

from dataclasses import replace

import pytest

from activities.message_channel import ProviderBusyError, ProviderRefusedError
from channels.unsubscribe_link import Unsubscription
from tests.integration.channels.one_message import LINKS, a_message
from tests.integration.channels.providers import smtp_channel
from tests.integration.channels.scripted_smtp import ScriptedSmtp


async def test_a_connection_is_kept_from_mail_to_mail(relay: ScriptedSmtp) -> None:
    channel = smtp_channel(relay.port)
    for n in range(5):
        await channel.send(a_message(n))
    await channel.close()

    assert len(relay.taken) == 5
    assert relay.connections == 1


async def test_a_kept_connection_that_died_is_opened_again_unnoticed(relay: ScriptedSmtp) -> None:
    channel = smtp_channel(relay.port)
    await channel.send(a_message(1))
    relay.hang_up()

    await channel.send(a_message(2))
    await channel.close()

    assert len(relay.taken) == 2


async def test_a_relay_that_is_down_is_busy_and_comes_back(relay: ScriptedSmtp) -> None:
    channel = smtp_channel(relay.port)
    await relay.close()
    with pytest.raises(ProviderBusyError, match="no connection"):
        await channel.send(a_message())

    await relay.open()
    await channel.send(a_message())
    await channel.close()

    assert len(relay.taken) == 1


async def test_a_relay_that_refuses_our_sender_refuses_no_customer(relay: ScriptedSmtp) -> None:
    """Wrong settings can be mended; a customer must not be marked as bounced for them."""
    relay.sender_refused = "550 5.7.1 we do not relay for you"
    channel = smtp_channel(relay.port)

    with pytest.raises(ProviderBusyError, match="does not take our mail"):
        await channel.send(a_message())

    relay.sender_refused = None
    await channel.send(a_message())
    await channel.close()


async def test_what_is_no_address_never_reaches_the_relay(relay: ScriptedSmtp) -> None:
    channel = smtp_channel(relay.port)

    with pytest.raises(ProviderRefusedError) as caught:
        await channel.send(a_message(to="anna@example.com>\r\nRCPT TO:<all@example.com"))

    assert caught.value.reason == "unreachable"
    assert relay.connections == 0


async def test_a_mail_arrives_as_it_was_written(relay: ScriptedSmtp) -> None:
    channel = smtp_channel(relay.port)
    text = (
        "Dobrý den, Anno –\n\n.a line that begins with a dot\nFrom here on: 😀\n"
        + "x" * 2000
        + "\n"
    )
    await channel.send(replace(a_message(), subject="Odlet v 19:05 ✈", text=text))
    await channel.close()

    (mail,) = relay.taken
    assert mail["Subject"] == "Odlet v 19:05 ✈"
    assert mail.get_content().replace("\r\n", "\n") == text
    assert str(mail["From"]) == "Air Example <care@air.example>"
    assert str(mail["Reply-To"]) == "desk@air.example"


async def test_marketing_leaves_with_its_way_out(relay: ScriptedSmtp) -> None:
    channel = smtp_channel(relay.port)
    await channel.send(replace(a_message(), purpose="marketing"))
    await channel.close()

    (mail,) = relay.taken
    url = LINKS.url(Unsubscription(customer="c_anna", purpose="marketing", channel="email"))
    assert f"<{url}>" in mail["List-Unsubscribe"]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "c_anna" not in str(mail["List-Unsubscribe"])
    assert url in mail.get_content()
