"""Notifications on phones and in browsers."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from activities.message_channel import AddressGoneError, ProviderBusyError, ProviderRefusedError
from channels.fcm_access import FcmAccess
from channels.push import PushChannel
from channels.recording import RefuseForGood
from channels.unsubscribe_link import Unsubscription
from channels.vapid import VapidKey, new_pair
from channels.webpush import WebPushChannel
from contracts.delivery_mark import delivery_mark
from tests.integration.channels.one_message import LINKS, a_message
from tests.integration.channels.providers import now
from tests.integration.channels.vendors.fcm import PROJECT, Fcm
from tests.integration.channels.vendors.push_service import Browser, PushService
from tests.integration.channels.vendors.scripted_http import vendor

PRIVATE, PUBLIC = new_pair()
CONTACT = "mailto:care@air.example"
MESSAGE = replace(a_message(to="token-of-annas-phone"), link="https://air.example/b4")


@pytest_asyncio.fixture
async def fcm() -> AsyncIterator[Fcm]:
    async with vendor(Fcm()) as fcm:
        yield fcm


@pytest_asyncio.fixture
async def service() -> AsyncIterator[PushService]:
    async with vendor(PushService(PUBLIC)) as service:
        yield service


def push(fcm: Fcm) -> PushChannel:
    return PushChannel(PROJECT, FcmAccess(fcm.account), LINKS, api=fcm.url)


def webpush(*allowed: str, private: str = PRIVATE) -> WebPushChannel:
    return WebPushChannel(VapidKey(private, CONTACT), LINKS, now, allowed=allowed)


async def test_a_phone_shows_the_message_and_its_app_knows_which_it_is(fcm: Fcm) -> None:
    channel = push(fcm)

    await channel.send(MESSAGE)
    await channel.send(replace(MESSAGE, key="k2", corrects=MESSAGE.key, purpose="marketing"))
    await channel.close()

    first, correction = (request.json["message"] for request in fcm.taken)
    assert first["notification"] == {"title": "Gate B4", "body": "Your gate is B4."}
    assert first["data"]["delivery"] == delivery_mark(MESSAGE.key)
    assert first["data"]["link"] == MESSAGE.link
    assert first["android"]["priority"] == "HIGH"
    assert correction["android"]["priority"] == "NORMAL"
    for platform in ("android", "apns"):
        assert str(first["data"]["tag"]) in str(correction[platform])
    said = Unsubscription(customer="c_anna", purpose="marketing", channel="push")
    assert correction["data"]["unsubscribe"] == LINKS.url(said)
    assert all(isinstance(value, str) for value in correction["data"].values())


async def test_one_token_is_had_for_many_messages_and_another_once_it_is_not_taken(
    fcm: Fcm,
) -> None:
    channel = push(fcm)
    await channel.send(MESSAGE)
    await channel.send(MESSAGE)
    assert fcm.given == 1

    fcm.held.clear()
    with pytest.raises(ProviderBusyError):
        await channel.send(MESSAGE)
    await channel.send(MESSAGE)
    await channel.close()

    assert fcm.given == 2


async def test_a_phone_without_the_app_is_gone(fcm: Fcm) -> None:
    fcm.script(MESSAGE.address, [RefuseForGood()])
    channel = push(fcm)

    with pytest.raises(AddressGoneError, match=r"^UNREGISTERED ") as caught:
        await channel.send(MESSAGE)
    await channel.close()

    assert MESSAGE.address not in str(caught.value)


async def test_only_the_browser_reads_what_goes_to_it(service: PushService) -> None:
    channel, endpoint = webpush("localhost"), f"{service.url}/push/anna"
    message = replace(MESSAGE, address=endpoint, address_keys=service.browser.keys)

    await channel.send(message)
    await channel.send(replace(message, key="k2", corrects=message.key, purpose="marketing"))
    await channel.close()

    first, correction = service.taken
    read = service.browser.read(first.body)
    assert (read["title"], read["body"]) == ("Gate B4", "Your gate is B4.")
    assert (read["delivery"], read["link"]) == (delivery_mark(message.key), MESSAGE.link)
    assert b"Gate" not in first.body
    assert first.headers["ttl"] == "86400"
    assert (first.headers["urgency"], correction.headers["urgency"]) == ("high", "normal")
    assert first.headers["topic"] == correction.headers["topic"] == read["tag"]
    assert len(first.headers["topic"]) <= 32
    assert first.headers["authorization"] == correction.headers["authorization"]


async def test_another_browsers_keys_do_not_open_it(service: PushService) -> None:
    channel, endpoint = webpush("localhost"), f"{service.url}/push/anna"
    await channel.send(replace(MESSAGE, address=endpoint, address_keys=service.browser.keys))
    await channel.close()

    with pytest.raises(Exception, match=r".*"):
        Browser(auth=service.browser.auth).read(service.taken[0].body)


async def test_a_subscription_that_ended_is_gone_and_one_for_another_key_is_not_forgotten(
    service: PushService,
) -> None:
    endpoint = f"{service.url}/push/anna"
    message = replace(MESSAGE, address=endpoint, address_keys=service.browser.keys)
    service.script(endpoint, [RefuseForGood()])
    right, wrong = webpush("localhost"), webpush("localhost", private=new_pair()[0])

    with pytest.raises(AddressGoneError):
        await right.send(message)
    with pytest.raises(ProviderRefusedError, match="another VAPID key") as caught:
        await wrong.send(message)

    assert not isinstance(caught.value, AddressGoneError)
    await right.close()
    await wrong.close()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("{url}/push/anna", "does not begin with https://"),
        ("https://localhost/push", "localhost is at the private address"),
        ("https://10.0.0.7/push", "10.0.0.7 is at the private address"),
        ("https://[::1]/push", "is not the address of a push service"),
        ("https://[", "is not the address of a push service"),
    ],
)
async def test_no_web_page_makes_us_call_our_own_network(
    service: PushService, address: str, words: str
) -> None:
    channel, endpoint = webpush(), address.format(url=service.url)

    with pytest.raises(ProviderRefusedError, match=words) as caught:
        await channel.send(replace(MESSAGE, address=endpoint, address_keys=service.browser.keys))
    await channel.close()

    assert caught.value.reason == "unreachable"
    assert service.seen == []


@pytest.mark.parametrize("keys", [{}, {"p256dh": "x", "auth": "y"}, {"auth": "c2l4dGVlbg"}])
async def test_a_subscription_without_its_keys_is_unreachable(
    service: PushService, keys: dict[str, str]
) -> None:
    channel = webpush("localhost")

    with pytest.raises(ProviderRefusedError, match="not those of a browser") as caught:
        await channel.send(replace(MESSAGE, address=f"{service.url}/push/anna", address_keys=keys))
    await channel.close()

    assert caught.value.reason == "unreachable"
