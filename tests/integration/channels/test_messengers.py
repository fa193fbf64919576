"""Slack, a customer's own system, and what Apprise reaches."""

import sys
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from activities.message_channel import (
    AddressGoneError,
    ProviderBusyError,
    ProviderRefusedError,
    UnknownOutcomeError,
)
from channels.apprise_services import AppriseChannel, AppriseMissingError
from channels.recording import RefuseForGood
from channels.slack import SlackChannel
from channels.unsubscribe_link import Unsubscription
from channels.webhook import WebhookChannel, address_secret
from contracts.delivery_mark import delivery_mark
from tests.integration.channels.one_message import LINKS, a_message
from tests.integration.channels.providers import now
from tests.integration.channels.vendors.own_system import SECRET, AppriseJson, OwnSystem
from tests.integration.channels.vendors.scripted_http import vendor
from tests.integration.channels.vendors.slack import TOKEN, Slack

IN_SLACK = a_message(to="U012AB3CD")


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[Slack]:
    async with vendor(Slack()) as slack:
        yield slack


@pytest_asyncio.fixture
async def system() -> AsyncIterator[OwnSystem]:
    async with vendor(OwnSystem()) as system:
        yield system


@pytest_asyncio.fixture
async def service() -> AsyncIterator[AppriseJson]:
    async with vendor(AppriseJson()) as service:
        yield service


def unsubscribe(channel: str) -> str:
    return LINKS.url(Unsubscription(customer="c_anna", purpose="marketing", channel=channel))


async def test_nobody_calls_a_whole_channel_through_a_trait(slack: Slack) -> None:
    channel = SlackChannel(TOKEN, LINKS, api=slack.url)

    await channel.send(replace(IN_SLACK, text="Dear <!channel> & <@U1>", purpose="marketing"))
    await channel.close()

    said = slack.taken[0].json
    assert said["text"] == (
        "*Gate B4*\nDear &lt;!channel&gt; &amp; &lt;@U1&gt;\n"
        f"No more of these: {unsubscribe('slack')}"
    )
    assert said["metadata"]["event_payload"] == {"delivery": delivery_mark(IN_SLACK.key)}


async def test_a_correction_stands_under_what_it_corrects(slack: Slack) -> None:
    channel = SlackChannel(TOKEN, LINKS, api=slack.url)

    first = await channel.send(IN_SLACK)
    await channel.send(replace(IN_SLACK, key="k2", corrects_id=first.provider_id))
    await channel.close()

    assert first.provider_id == "U012AB3CD/1503435956.000001"
    assert "thread_ts" not in slack.taken[0].json
    assert slack.taken[1].json["thread_ts"] == "1503435956.000001"


@pytest.mark.parametrize("address", ["", "anna", "#general", "https://hooks.slack.com/x", "U1 U2"])
async def test_what_is_no_id_of_slack_is_not_even_tried(slack: Slack, address: str) -> None:
    channel = SlackChannel(TOKEN, LINKS, api=slack.url)

    with pytest.raises(ProviderRefusedError) as caught:
        await channel.send(replace(IN_SLACK, address=address))
    await channel.close()

    assert caught.value.reason == "unreachable"
    assert slack.seen == []


async def test_a_token_that_slack_does_not_take_is_ours_to_mend(slack: Slack) -> None:
    channel = SlackChannel("revoked", LINKS, api=slack.url)

    with pytest.raises(ProviderBusyError, match="invalid_auth: mend the Slack app"):
        await channel.send(IN_SLACK)
    await channel.close()


async def test_a_system_gets_all_there_is_and_knows_that_it_is_ours(system: OwnSystem) -> None:
    channel = WebhookChannel(SECRET, LINKS, now, allowed=["localhost"])
    message = replace(
        a_message(to=f"{system.url}/hooks"), purpose="marketing", link="https://air.example/b4"
    )

    answer = await channel.send(message)
    await channel.close()

    [request] = system.taken
    assert answer.provider_id == request.headers["webhook-id"]
    assert system.data(request) == {
        "delivery": delivery_mark(message.key),
        "customer": "c_anna",
        "purpose": "marketing",
        "subject": "Gate B4",
        "text": "Your gate is B4.\n",
        "link": "https://air.example/b4",
        "unsubscribe": unsubscribe("webhook"),
    }


def test_no_receiver_can_sign_what_another_takes() -> None:
    one, other = (address_secret(SECRET, f"https://{who}.example/") for who in ("anna", "ben"))

    assert one != other
    assert SECRET not in (one, other)


async def test_a_system_that_wants_no_more_gets_no_more(system: OwnSystem) -> None:
    address = f"{system.url}/hooks"
    system.script(address, [RefuseForGood()])
    channel = WebhookChannel(SECRET, LINKS, now, allowed=["localhost"])

    with pytest.raises(AddressGoneError):
        await channel.send(a_message(to=address))
    await channel.close()


async def test_no_trait_makes_us_call_our_own_network(
    system: OwnSystem, service: AppriseJson
) -> None:
    webhook = WebhookChannel(SECRET, LINKS, now)
    apprise = AppriseChannel(["json"], LINKS)
    where = service.url.removeprefix("http")

    for channel, address in (
        (webhook, f"{system.url}/hooks"),
        (webhook, "https://localhost/hooks"),
        (apprise, f"json{where}/anna"),
    ):
        with pytest.raises(ProviderRefusedError) as caught:
            await channel.send(a_message(to=address))
        assert caught.value.reason == "unreachable"
    await webhook.close()
    assert system.seen == service.seen == []


@pytest.mark.parametrize(
    "address",
    [
        "syslog://",
        "tgram://123456789:abcdefg_hijklmnop/12315544/",
        "json",
        "",
        "json://localhost/a,syslog://",
        "json://localhost/1 syslog://",
        " ".join(["json://localhost/1"] * 6),
    ],
)
async def test_only_services_that_are_switched_on_are_used(
    service: AppriseJson, address: str
) -> None:
    channel = AppriseChannel(["json"], LINKS, allowed=["localhost"])

    # What looks like several in one is one address, at which nobody listens.
    with pytest.raises((ProviderRefusedError, UnknownOutcomeError)) as caught:
        await channel.send(a_message(to=address))

    assert isinstance(caught.value, ProviderRefusedError) or "," in address
    assert service.seen == []


async def test_two_addresses_of_one_customer_are_both_told(service: AppriseJson) -> None:
    channel = AppriseChannel(["json"], LINKS, allowed=["localhost"])
    where = f"json{service.url.removeprefix('http')}"

    await channel.send(replace(a_message(to=f"{where}/1 {where}/2"), purpose="marketing"))

    assert sorted(request.path for request in service.taken) == ["/1", "/2"]
    assert unsubscribe("apprise") in service.taken[0].json["message"]


def test_a_service_that_is_this_machine_is_not_switched_on() -> None:
    with pytest.raises(ValueError, match="syslog: shows messages on this machine"):
        AppriseChannel(["json", "syslog"], LINKS)


def test_without_apprise_the_way_to_have_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)

    with pytest.raises(AppriseMissingError, match="uv sync --extra apprise"):
        AppriseChannel(["json"], LINKS)
