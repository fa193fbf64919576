"""No address that comes from outside makes us call ourselves, our network, or our cloud."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from activities.message_channel import (
    ProviderBusyError,
    ProviderRefusedError,
    UnknownOutcomeError,
)
from activities.message_data import DataMissingError, read_data
from activities.message_text import DataRead
from activities.service_call import CallRefusedError, ServiceBusyError
from channels.apprise_services import AppriseChannel
from channels.feedback_webhook import ForgedFeedbackError
from channels.http_call import look_up
from channels.link_check import LinkCheck
from channels.public_address import is_public
from channels.sns_message import SnsMessages
from channels.twilio_inbound import TwilioMedia
from channels.vapid import VapidKey, new_pair
from channels.webhook import WebhookChannel
from channels.webpush import WebPushChannel
from tests.integration.channels.called_service import calling, get
from tests.integration.channels.one_message import LINKS, a_message
from tests.integration.channels.providers import now
from tests.integration.channels.vendors.push_service import Browser
from tests.scorecard import keep_part
from tests.security.payloads import corpus
from tests.security.trap import Trap, connections, trap

SOME_AND_ALL = pytest.mark.parametrize(
    "every", [8, pytest.param(1, marks=pytest.mark.faults_full)], ids=["some", "all"]
)
"""One payload in so many: a part of them on every commit."""

PAYLOADS: dict[str, Any] = corpus("ssrf.yaml")
NAMES: dict[str, list[str]] = PAYLOADS["names"]
TOPIC = "arn:aws:sns:eu-west-1:123456789012:out"

Call = Callable[[str], Awaitable[object]]


async def find(host: str, port: int) -> Sequence[str]:
    """Numbers and this machine's own name as the machine finds them; names as the corpus says."""
    if host in NAMES:
        return NAMES[host]
    if host.lower() == "localhost":
        return await look_up(host, port)
    # Whatever this machine takes for an address in any spelling; names of others are not asked for.
    told = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return [str(each[4][0]) for each in told]


@pytest_asyncio.fixture
async def laid() -> AsyncIterator[Trap]:
    async with trap() as laid:
        yield laid


def urls(laid: Trap, kind: str = "urls") -> list[str]:
    filled = [str(each).replace("{port}", str(laid.port)) for each in PAYLOADS[kind]]
    return [each.replace("{hex}", "0" * 32) for each in filled] + (
        [
            f"http://127.0.0.1:{laid.port}/" + "x" * 70_000,
            "http://" + "a." * 3_000 + f"b:{laid.port}/",
        ]
        if kind == "urls"
        else []
    )


async def let_in(payloads: Sequence[str], call: Call, laid: Trap) -> list[str]:
    """The payloads with which somebody was called, whoever that was, or that were not refused."""
    found: list[str] = []
    for payload in payloads:
        with connections() as begun:
            try:
                await call(payload)
                found.append(f"{payload[:80]!r} was taken")
            except (CallRefusedError, ProviderRefusedError, DataMissingError):
                pass
            except UnknownOutcomeError:
                begun.clear()  # Apprise tried, and was stopped at the socket: the trap says whether
            except (ServiceBusyError, ProviderBusyError) as error:
                if "cannot be found" not in str(error):
                    found.append(f"{payload[:80]!r} is tried again: {error}")
        if begun:
            found.append(f"{payload[:80]!r} led to {begun}")
    return [*found, *([f"the trap heard {laid.asked}"] if laid.hits else [])]


def kept(part: str, payloads: int, found: Sequence[str]) -> None:
    keep_part("R14", {f"ssrf {part}": payloads}, hits=len(found))
    assert list(found) == []


async def test_the_trap_and_the_watch_see_a_call_that_is_allowed(laid: Trap) -> None:
    """What the others would see, were somebody called."""
    async with calling("127.0.0.1") as caller:
        with connections() as begun:
            await get(caller, f"http://127.0.0.1:{laid.port}/x")

    assert (laid.hits, laid.asked) == (1, ["GET /x HTTP/1.1"])
    assert begun == [f"127.0.0.1 {laid.port}"]


async def test_no_step_calls_our_own_network(laid: Trap) -> None:
    async with calling("stock.internal", find=find) as caller:
        found = await let_in(urls(laid), lambda url: get(caller, url), laid)
    kept("calls", len(urls(laid)), found)


async def test_no_message_reads_data_of_our_own_network(laid: Trap) -> None:
    async with calling("stock.internal", find=find) as caller:

        async def read(url: str) -> object:
            asked = DataRead(
                name="gate", url=url, take="body", within=timedelta(seconds=2), otherwise=None
            )
            return await read_data([asked], "k", caller)

        found = await let_in(urls(laid), read, laid)
    kept("data", len(urls(laid)), found)


async def found_by_us(url: str) -> bool:
    try:
        await find(httpx2.URL(url).host, 80)
    except httpx2.InvalidURL:
        return True
    except (OSError, UnicodeError):
        return False
    return True


def webhook() -> WebhookChannel:
    return WebhookChannel(b"s" * 32, LINKS, now, allowed=["stock.internal"], find=find)


def web_push() -> WebPushChannel:
    key = VapidKey(new_pair()[0], "mailto:care@air.example")
    return WebPushChannel(key, LINKS, now, allowed=["stock.internal"], find=find)


def apprise() -> AppriseChannel:
    return AppriseChannel(["json", "jsons", "form", "xml"], LINKS, find=find)


def as_apprise(url: str) -> str:
    return url.replace("https://", "jsons://").replace("http://", "json://")


@SOME_AND_ALL
@pytest.mark.parametrize(
    ("making", "written"),
    [(webhook, str), (web_push, str), (apprise, as_apprise)],
    ids=["webhook", "webpush", "apprise"],
)
async def test_no_trait_sends_a_message_into_our_own_network(
    laid: Trap,
    making: Callable[[], WebhookChannel | WebPushChannel | AppriseChannel],
    written: Callable[[str], str],
    every: int,
) -> None:
    channel, keys = making(), Browser().keys

    async def send(url: str) -> object:
        return await channel.send(replace(a_message(to=written(url)), address_keys=keys))

    # By https too, where only that is called.
    payloads = urls(laid) + [
        url.replace("http:", "https:", 1) for url in urls(laid) if url.startswith("http:")
    ]
    if written is as_apprise:
        # What we cannot find may be a token in place of a host, and Apprise is let: not asked of a real DNS here.
        payloads = [url for url in payloads if await found_by_us(url)]
    payloads = payloads[::every]
    found = await let_in(payloads, send, laid)
    await channel.close()
    kept(channel.name, len(payloads), found)


async def test_no_link_of_a_message_is_asked_for_in_our_own_network(laid: Trap) -> None:
    check = LinkCheck(find=find)
    with connections() as begun:
        told = await check.check(urls(laid))
    await check.close()
    # Links may lead anywhere that is public.
    begun = [each for each in begun if not each.startswith("93.184.216.34 ")]
    found = [
        f"{each.url[:80]!r}: {each.state}" for each in told if each.state in ("there", "moved")
    ]
    kept("links", len(told), [*found, *begun, *laid.asked])


@SOME_AND_ALL
async def test_nobody_is_led_on_into_our_own_network(laid: Trap, every: int) -> None:
    """A service that may be called answers with each of them in place of what was asked."""
    places = urls(laid)[::every]
    async with trap() as service, calling("service.internal", find=at_home) as caller:
        webhook = WebhookChannel(b"s" * 32, LINKS, now, allowed=["service.internal"], find=at_home)
        check = LinkCheck(allowed=["service.internal"], find=at_home)
        here = f"http://service.internal:{service.port}/"
        with connections() as begun:
            for status, place in zip([301, 302, 303, 307, 308] * len(places), places, strict=False):
                service.answer = leads_to(place, status)
                with suppress(CallRefusedError, ServiceBusyError):
                    await get(caller, here)
                with suppress(ProviderRefusedError, ProviderBusyError, UnknownOutcomeError):
                    await webhook.send(a_message(to=here))
                await check.check([here])
        heard = service.hits
        await webhook.close()
        await check.close()

    assert heard >= 3 * len(places), "the service that leads on was not called at all"
    elsewhere = [where for where in begun if where != f"127.0.0.1 {service.port}"]
    kept("redirects", 3 * len(places), [*elsewhere, *laid.asked])


async def at_home(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"] if host == "service.internal" else await find(host, port)


def leads_to(place: str, status: int) -> bytes:
    where = "".join(place.splitlines()).encode("utf-8", "replace").replace(b"\0", b"")
    return (
        b"HTTP/1.1 %d Moved\r\nLocation: %b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        % (
            status,
            where,
        )
    )


async def test_a_name_that_leads_elsewhere_the_second_time_is_asked_once(laid: Trap) -> None:
    """DNS rebinding: public while it is looked at, private while it is called."""
    answers: list[str] = []

    async def turning(host: str, port: int) -> Sequence[str]:
        answers.append(host)
        # TEST-NET-like addresses are refused: this one is public, and nobody is there from here.
        return ["93.184.216.34"] if len(answers) % 2 else ["127.0.0.1"]

    found: list[str] = []
    soon = timedelta(seconds=0.3)
    async with calling(find=turning, within=soon) as caller:
        with connections() as begun:
            for n in range(5):
                with suppress(CallRefusedError, ServiceBusyError):
                    await get(caller, f"http://turns-{n}.example:{laid.port}/")
    found += [where for where in begun if not where.startswith("93.184.216.34 ")]
    assert answers == [f"turns-{n}.example" for n in range(5)]
    kept("rebinding", 5, [*found, *laid.asked])


async def test_apprise_goes_nowhere_but_where_we_looked(laid: Trap) -> None:
    """It looks names up by itself, and its library follows whoever leads on."""
    port = laid.port
    async with trap() as service:
        service.answer = leads_to(f"http://127.0.0.1:{port}/", 302)

        async def public(host: str, port: int) -> Sequence[str]:
            return ["93.184.216.34"]

        found: list[str] = []
        for channel, address in (
            (
                AppriseChannel(["json"], LINKS, allowed=["localhost"]),
                f"json://localhost:{service.port}/",
            ),
            (
                AppriseChannel(["json"], LINKS, allowed=["localhost"]),
                f"json://localhost:{service.port}/?redirect=yes",
            ),
            # What was public when we looked, and is this machine when Apprise does.
            (AppriseChannel(["json"], LINKS, find=public), f"json://localhost:{port}/"),
            (AppriseChannel(["json"], LINKS, find=public), f"json://user:word@127.0.0.1:{port}/"),
        ):
            with suppress(ProviderRefusedError, UnknownOutcomeError):
                await channel.send(a_message(to=address))
                found.append(f"{address} was taken")

    assert service.hits == 2
    kept("apprise on its own", 4, [*found, *laid.asked])


async def test_sns_makes_us_fetch_nothing_but_its_own() -> None:
    fetched: list[str] = []

    async def fetch(url: str) -> bytes:
        fetched.append(url)
        return b""

    messages, places = (
        SnsMessages([TOPIC], fetch),
        [str(each).replace("{hex}", "0" * 32) for each in PAYLOADS["sns"]],
    )
    for place in [*places, *PAYLOADS["urls"]]:
        said = {"Type": "Notification", "TopicArn": TOPIC, "SigningCertURL": place}
        with pytest.raises(ForgedFeedbackError):
            await messages.verify(said, now())
        with pytest.raises(ForgedFeedbackError):
            await messages.confirm({"TopicArn": TOPIC, "SubscribeURL": place})
    kept("sns", 2 * len([*places, *PAYLOADS["urls"]]), fetched)


async def test_no_picture_of_a_customer_is_fetched_from_our_own_network(laid: Trap) -> None:
    places = [*urls(laid, "media"), *urls(laid)]
    media = TwilioMedia("AC1", "token", within=5)
    with connections() as begun:
        files, missing = await media.fetch(places)

    assert len(missing) == len(places)
    kept("pictures", len(places), [*begun, *laid.asked, *(str(file) for file in files)])


ALLOWED = {
    "stock.internal": ["stock.internal.evil.example", "xstock.internal", "stock.internal.", "stock_internal",
                       "evil.example/stock.internal", "stock.internal@evil.example", "evil.example#stock.internal"],
    "localhost": ["127.0.0.1", "[::1]", "localhost.", "x.localhost", "2130706433", "localhost.evil.example"],
    "10.0.0.7": ["10.0.0.8", "167772167", "0xa000007", "[::ffff:10.0.0.7]", "10.0.0.7.evil.example"],
}  # fmt: skip


async def test_allowing_a_host_allows_no_other_that_looks_like_it(laid: Trap) -> None:
    async def private(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    found: list[str] = []
    for allowed, others in ALLOWED.items():
        async with calling(allowed, find=private) as caller:
            places = [f"http://{other}:{laid.port}/" for other in others]
            found += await let_in(places, lambda url, caller=caller: get(caller, url), laid)
    kept("allowed", sum(map(len, ALLOWED.values())), found)


def test_no_private_address_passes_for_a_public_one() -> None:
    told = [
        *(address for names in NAMES.values() for address in names if address != "93.184.216.34"),
        *(
            "168.63.129.16",
            "192.88.99.1",
            "3fff::1",
            "5f00::1",
            "64:ff9b:1::a9fe:a9fe",
            "2001:20::1",
        ),
    ]
    kept("addresses", len(told), [address for address in told if is_public(address)])
