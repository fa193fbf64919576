"""Twilio and Slack bring what customers write: what they did not sign is not let in."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from contracts.inbound_message import MOST_FILE_BYTES, InboundFile
from tests.integration.delivery.conftest import ANNA
from tests.integration.inbound.conftest import NUMBER, Post
from tests.integration.inbound.doors import AUTH_TOKEN, PUBLIC, SIGNING, Places, client, places, sns

__all__ = ["client", "places", "sns"]


def signed(fields: dict[str, str], *, url: str = f"{PUBLIC}/inbound/twilio") -> dict[str, str]:
    said = url + "".join(name + fields[name] for name in sorted(fields))
    made = hmac.new(AUTH_TOKEN.encode(), said.encode(), hashlib.sha1).digest()
    return {"X-Twilio-Signature": base64.b64encode(made).decode()}


async def texts(client: httpx2.AsyncClient, **said: str) -> httpx2.Response:
    fields = {
        "MessageSid": "SM0123456789abcdef",
        "From": NUMBER,
        "To": "+14155550100",
        "NumMedia": "0",
        **said,
    }
    return await client.post(
        "/inbound/twilio",
        content=urlencode(fields),
        headers={**signed(fields), "content-type": "application/x-www-form-urlencoded"},
    )


async def test_twilio_brings_a_text_message(post: Post, client: httpx2.AsyncClient) -> None:
    key = await post.was_texted(1)

    answer = await texts(client, Body="Grüße – is it late? 🙂")
    await texts(client, Body="Grüße – is it late? 🙂")

    assert answer.text == '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
    assert answer.headers["content-type"].startswith("text/xml")
    (told,) = await post.touchpoints("Message Replied")
    assert (told["properties"]["text"], told["properties"]["delivery"]) == (
        "Grüße – is it late? 🙂",
        key,
    )


async def test_whatsapp_is_a_channel_of_its_own(post: Post, client: httpx2.AsyncClient) -> None:
    await post.knows_number()

    await texts(client, From=f"whatsapp:{NUMBER}", Body="", Latitude="50.1", Longitude="14.2")

    (kept,) = await post.kept()
    assert (kept["channel"], kept["address"], kept["text"], kept["customer"]) == (
        "whatsapp",
        NUMBER,
        "50.1, 14.2",
        ANNA,
    )


async def test_stop_is_obeyed_and_help_is_answered(post: Post, client: httpx2.AsyncClient) -> None:
    stop = await texts(client, Body="Stop", MessageSid="SM1111111111")
    helped = await texts(client, Body="HELP", MessageSid="SM2222222222")
    again = await texts(client, Body="HELP", MessageSid="SM2222222222")
    by_twilio = await texts(client, Body="x", OptOutType="STOP", MessageSid="SM3333333333")

    assert stop.text == again.text == by_twilio.text
    assert "<Message>Air &amp; Co: call 1</Message>" in helped.text
    assert sorted(kept["kind"] for kept in await post.kept()) == ["help", "stop", "stop"]


async def test_a_forged_text_message_is_refused(post: Post, client: httpx2.AsyncClient) -> None:
    fields = {"MessageSid": "SM0123456789", "From": NUMBER, "Body": "STOP"}
    for headers in (
        {},
        {"X-Twilio-Signature": "x"},
        signed(fields, url="https://evil.example"),
        signed({**fields, "Body": "y"}),
    ):
        answer = await client.post("/inbound/twilio", data=fields, headers=headers)
        assert answer.status_code == 403
    assert await post.kept() == []
    assert (await texts(client, MessageSid="../x")).status_code == 400


async def test_a_photo_is_fetched_and_our_login_stays_with_twilio(
    post: Post, client: httpx2.AsyncClient, places: Places
) -> None:
    first, there = "https://api.twilio.com/2010/Media/ME1", "https://mms.twiliocdn.com/x"
    places.answers[first] = httpx2.Response(307, headers={"location": there})
    places.answers[there] = httpx2.Response(200, content=b"\x89PNG\r\n\x1a\n")

    await texts(client, Body="Look", NumMedia="1", MediaUrl0=first)

    (kept,) = await post.kept()
    assert await post.store.file(kept["reply"], 1) == InboundFile(
        name="file-1.png", media_type="image/png", content=b"\x89PNG\r\n\x1a\n"
    )
    assert places.logins == {"api.twilio.com": True, "mms.twiliocdn.com": False}


@pytest.mark.parametrize(
    ("url", "sends_on", "said"),
    [
        ("https://evil.example/x", None, "none of Twilio's"),
        ("http://api.twilio.com/x", None, "https only"),
        ("https://api.twilio.com@evil.example/x", None, "https only"),
        ("https://api.twilio.com/x", "https://169.254.169.254/latest", "none of Twilio's"),
        ("https://api.twilio.com/x", "https://api.twilio.com/x", "from one place to the next"),
        ("https://api.twilio.com/x", "", "from one place to the next"),
    ],
)
async def test_a_file_that_lies_elsewhere_is_not_fetched(
    post: Post,
    client: httpx2.AsyncClient,
    places: Places,
    url: str,
    sends_on: str | None,
    said: str,
) -> None:
    """The message is heard all the same."""
    if sends_on is not None:
        places.answers[url] = httpx2.Response(302, headers={"location": sends_on})

    await texts(client, Body="Look", NumMedia="1", MediaUrl0=url)

    (kept,) = await post.kept()
    assert kept["text"] == "Look"
    assert said in kept["whole"]
    assert not any(host.endswith("evil.example") for host in places.logins)


async def test_a_file_without_end_is_not_kept(
    post: Post, client: httpx2.AsyncClient, places: Places
) -> None:
    class Endless(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield bytes(1_000_000)

    url = "https://api.twilio.com/x"
    places.answers[url] = httpx2.Response(200, stream=Endless())

    await texts(client, Body="Look", NumMedia="1", MediaUrl0=url)

    assert f"over {MOST_FILE_BYTES:,} bytes" in (await post.kept())[0]["whole"]


async def tells(
    client: httpx2.AsyncClient, told: dict[str, Any], *, at: int = 0
) -> httpx2.Response:
    body, stamp = json.dumps(told).encode(), str(int(time.time()) + at)
    made = hmac.new(SIGNING.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={made}"}
    return await client.post("/inbound/slack", content=body, headers=headers)


async def test_slack_brings_what_somebody_wrote_to_us(
    post: Post, client: httpx2.AsyncClient
) -> None:
    await post.desk.rows("insert into identities values ('slack', 'U012AB3CD', %s)", ANNA)
    event = {
        "type": "message",
        "channel_type": "im",
        "user": "U012AB3CD",
        "channel": "D0123",
        "ts": "1.2",
        "text": "Hi",
    }
    told = {"type": "event_callback", "team_id": "T1", "event": event}

    answers = [await tells(client, told) for _ in range(2)]
    greeting = await tells(client, {"type": "url_verification", "challenge": "3eZ"})
    late = await tells(client, told, at=-400)

    assert [answer.status_code for answer in (*answers, late)] == [200, 200, 403]
    assert greeting.text == "3eZ"
    (said,) = await post.touchpoints("Message Replied")
    assert (said["customer"], said["properties"]["text"]) == (ANNA, "Hi")
