"""Providers knock: who is let in, and that what they bring is kept as if it had come by itself."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
import pytest_asyncio

from api.app import create_app
from api.conversation import conversation_router
from api.inbound_mail import InboundSecret, inbound_mail_router
from api.inbound_texts import slack_router, twilio_router
from api.staff_key import StaffKeyCheck
from channels.twilio_inbound import TwilioMedia
from contracts.inbound_message import MOST_FILE_BYTES, InboundFile
from stores.conversations import ConversationStore
from stores.customers import CustomerStore
from tests.integration.conftest import STAFF_TOKEN
from tests.integration.delivery.conftest import ADDRESS, ANNA
from tests.integration.inbound.conftest import NUMBER, REPLIES, Post

SECRET = "an inbound secret of ours"
PUBLIC = "https://journeys.example"
MAILS = Path(__file__).parent / "mails"
STAFF = {"Authorization": f"Bearer {STAFF_TOKEN}"}
KEY = f"journey/flight/{ANNA}:7:1"
OWN_ADDRESS = REPLIES.address(KEY) or ""
FORM = "multipart/form-data; boundary=b"
AUTH_TOKEN, SIGNING = "a twilio token", "a slack secret"


@dataclass
class Places:
    """Where media lies: answers by address, and who came with our login."""

    answers: dict[str, httpx2.Response] = field(default_factory=dict)
    logins: dict[str, bool] = field(default_factory=dict)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.logins[request.url.host] = "authorization" in request.headers
        return self.answers[str(request.url)]


class Transport(httpx2.AsyncBaseTransport):
    def __init__(self, places: Places) -> None:
        self.places = places

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self.places.handle_async_request(request)


class TrustedSns:
    """Lets in whatever says so: what is really signed is for another test."""

    async def notification(self, body: bytes) -> dict[str, Any] | None:
        told = json.loads(body)
        if told["Signature"] != "good":
            raise ValueError("the signature is not Amazon's")
        return json.loads(told["Message"]) if told["Type"] == "Notification" else None


@pytest.fixture
def places() -> Places:
    return Places()


@pytest_asyncio.fixture
async def client(post: Post, places: Places) -> AsyncIterator[httpx2.AsyncClient]:
    staff, customers = StaffKeyCheck(STAFF_TOKEN), CustomerStore(post.desk.pool)
    media = TwilioMedia("AC1", AUTH_TOKEN, transport=Transport(places))
    app = create_app(
        inbound_mail_router(post.inbound, InboundSecret(SECRET), staff, sns=TrustedSns()),
        twilio_router(post.inbound, AUTH_TOKEN, PUBLIC, media, help_text="Air & Co: call 1"),
        slack_router(post.inbound, SIGNING),
        conversation_router(customers, ConversationStore(post.desk.pool), post.store, staff),
    )
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://clew"
    ) as opened:
        yield opened


# -- mail


def postmark(**more: Any) -> dict[str, Any]:
    """https://postmarkapp.com/developer/webhooks/inbound-webhook, with people of our own."""
    return {
        "FromName": "Anna",
        "From": ADDRESS,
        "FromFull": {"Email": ADDRESS, "Name": "Anna", "MailboxHash": ""},
        "To": OWN_ADDRESS,
        "ToFull": [{"Email": OWN_ADDRESS, "Name": "", "MailboxHash": ""}],
        "CcFull": [],
        "OriginalRecipient": OWN_ADDRESS,
        "Subject": "Re: Gate B4",
        "MessageID": "73e6d360-66eb-11e1-8e72-a8904824019b",
        "Date": "Fri, 1 Aug 2014 16:45:32 -04:00",
        "TextBody": "My bag is gone.\n\nOn x, Air wrote:\n> gate",
        "HtmlBody": "<p>My bag is gone.</p>",
        "StrippedTextReply": "My bag is gone.",
        "Tag": "",
        "Headers": [{"Name": "Message-ID", "Value": "<p-1@example.com>"}, {"Name": "X-Spam-Score", "Value": "-0.1"}],
        "Attachments": [
            {"Name": "../bag.png", "Content": base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(),
             "ContentType": "image/jpeg", "ContentLength": 8}
        ],
        **more,
    }  # fmt: skip


async def test_postmark_brings_an_answer(post: Post, client: httpx2.AsyncClient) -> None:
    await post.desk.deliver(1)

    answer = await client.post("/inbound/postmark", json=postmark(), auth=("clew", SECRET))
    again = await client.post(f"/inbound/postmark?key={SECRET}", json=postmark())

    assert (answer.status_code, answer.json()["new"], again.json()["new"]) == (200, True, False)
    (told,) = await post.touchpoints("Message Replied")
    assert (told["properties"]["text"], told["properties"]["delivery"]) == ("My bag is gone.", KEY)
    file = await post.store.file(answer.json()["reply"], 1)
    assert file == InboundFile(name="bag.png", media_type="image/png", content=b"\x89PNG\r\n\x1a\n")


async def test_the_same_mail_by_two_ways_is_one(post: Post, client: httpx2.AsyncClient) -> None:
    raw = (MAILS / "gmail-english.eml").read_bytes()

    first = await client.post("/inbound/mail", content=raw, headers=STAFF)
    whole = postmark(RawEmail=raw.decode())
    second = await client.post("/inbound/postmark", json=whole, auth=("x", SECRET))

    assert first.json()["reply"] == second.json()["reply"]
    assert len(await post.kept()) == 1


async def test_sendgrid_brings_a_mail_whole(post: Post, client: httpx2.AsyncClient) -> None:
    raw = (MAILS / "gmail-german.eml").read_bytes()
    envelope = json.dumps({"to": [OWN_ADDRESS], "from": ADDRESS})
    await post.desk.deliver(1)

    answer = await client.post(
        "/inbound/sendgrid",
        data={"envelope": envelope, "subject": "x"},
        files={"email": (None, raw)},
        auth=("clew", SECRET),
    )

    assert answer.status_code == 200, answer.text
    (kept,) = await post.kept()
    assert (kept["text"], kept["delivery"]) == ("Mein Koffer fehlt! Bitte melden Sie sich.", KEY)


async def test_sendgrid_brings_a_mail_in_parts(post: Post, client: httpx2.AsyncClient) -> None:
    fields = {
        "headers": "Message-ID: <s-1@example.com>\nFrom: Anna <anna@example.com>\nContent-Type: multipart/mixed",
        "from": "Anna <anna@example.com>",
        "subject": "Straße",
        "envelope": json.dumps({"to": ["reply@reply.air.example"], "from": ADDRESS}),
        "charsets": json.dumps({"text": "iso-8859-1", "subject": "UTF-8"}),
        "attachments": "1",
    }
    files = {
        "text": (None, "Größe".encode("iso-8859-1")),
        "attachment1": ("a.pdf", b"%PDF-1\r\n\r\n--x\x00", "message/rfc822"),
    }

    answer = await client.post("/inbound/sendgrid", data=fields, files=files, auth=("clew", SECRET))

    assert answer.status_code == 200, answer.text
    (kept,) = await post.kept()
    assert (kept["text"], kept["subject"], kept["customer"]) == ("Größe", "Straße", ANNA)
    file = await post.store.file(kept["reply"], 1)
    assert file == InboundFile(
        name="a.pdf", media_type="application/pdf", content=b"%PDF-1\r\n\r\n--x\x00"
    )


@pytest.mark.parametrize("encoding", ["BASE64", "UTF-8"])
async def test_amazon_brings_a_mail(post: Post, client: httpx2.AsyncClient, encoding: str) -> None:
    raw = (MAILS / "gmail-french.eml").read_bytes()
    content = base64.b64encode(raw).decode() if encoding == "BASE64" else raw.decode()
    message = {
        "notificationType": "Received",
        "receipt": {"recipients": [OWN_ADDRESS], "action": {"type": "SNS", "encoding": encoding}},
        "mail": {"source": ADDRESS},
        "content": content,
    }
    told = {"Type": "Notification", "Message": json.dumps(message), "Signature": "good"}

    answer = await client.post("/inbound/ses", json=told)
    forged = await client.post("/inbound/ses", json={**told, "Signature": "bad"})
    hello = await client.post("/inbound/ses", json={**told, "Type": "SubscriptionConfirmation"})

    assert (answer.status_code, forged.status_code, hello.status_code) == (200, 403, 200)
    assert [kept["text"] for kept in await post.kept()] == ["Merci, c'est très gentil."]


@pytest.mark.parametrize("door", ["postmark", "sendgrid", "mail"])
async def test_whoever_does_not_know_the_secret_is_sent_away(
    post: Post, client: httpx2.AsyncClient, door: str
) -> None:
    for way in (
        {},
        {"auth": ("clew", "guess")},
        {"params": {"key": "guessé"}},
        {"headers": {"Authorization": "Basic %"}},
    ):
        assert (await client.post(f"/inbound/{door}", content=b"x", **way)).status_code == 401
    assert await post.kept() == []


async def test_doors_without_a_secret_are_shut() -> None:
    app = create_app(inbound_mail_router(None, InboundSecret(None), StaffKeyCheck(None)))  # pyright: ignore[reportArgumentType] -- it is not asked
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://x"
    ) as client:
        shut = await client.post("/inbound/postmark?key=", json={})
        assert (shut.status_code, "CLEW_INBOUND_SECRET" in shut.text) == (403, True)
        assert (await client.post("/inbound/mail", content=b"x")).status_code == 403
        assert (await client.post("/inbound/ses", content=b"x")).status_code == 404
    with pytest.raises(ValueError, match="16 characters"):
        InboundSecret("short")


@pytest.mark.parametrize(
    ("door", "body", "told"),
    [("postmark", b"no json", ""), ("postmark", b"[]", ""), ("sendgrid", b"x", "text/plain"),
     ("sendgrid", b"x", FORM),
     ("sendgrid", b"--b\r\n\r\nx\r\n--b--", FORM)],
)  # fmt: skip
async def test_what_is_no_mail_is_refused_in_words(
    client: httpx2.AsyncClient, door: str, body: bytes, told: str
) -> None:
    answer = await client.post(
        f"/inbound/{door}", content=body, auth=("x", SECRET), headers={"content-type": told}
    )

    assert answer.status_code == 400
    assert "expected" in answer.json()["message"]


# -- text messages


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


# -- Slack


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


# -- for staff


async def test_staff_read_all_that_was_said_in_order(
    post: Post, client: httpx2.AsyncClient
) -> None:
    await post.knows_number()
    await post.desk.deliver(1)
    await post.mail("First", to=OWN_ADDRESS)
    photo = InboundFile(name='B"ag\u00e9.png', media_type="image/png", content=b"\x89PNG")
    heard = await post.text("Second", files=(photo,))

    told = (await client.get(f"/v1/customers/{ADDRESS}/conversation", headers=STAFF)).json()

    assert told["customer"] == ANNA
    assert [(one["way"], one["channel"], one["text"]) for one in told["messages"]] == [
        ("out", "email", ""), ("in", "email", "First"), ("in", "sms", "Second"),
    ]  # fmt: skip
    assert told["messages"][1]["delivery"] == KEY
    assert told["messages"][2]["files"] == [
        {"n": 1, "name": 'B"agé.png', "media_type": "image/png", "bytes": 4}
    ]
    file = await client.get(f"/v1/inbound/{heard.reply}/files/1", headers=STAFF)
    assert file.content == b"\x89PNG"
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["x-content-type-options"] == "nosniff"
    assert file.headers["content-disposition"] == (
        "attachment; filename=\"B_ag_.png\"; filename*=UTF-8''B%22ag%C3%A9.png"
    )


async def test_what_a_stranger_wrote_is_theirs_once_they_are_known(
    post: Post, client: httpx2.AsyncClient
) -> None:
    await post.mail("Do you fly to Oslo?", sender="Ida@Example.net")
    strangers = (await client.get("/v1/inbound/strangers", headers=STAFF)).json()["messages"]
    await post.desk.rows("insert into identities values ('email', 'ida@example.net', %s)", ANNA)

    told = (await client.get(f"/v1/customers/{ANNA}/conversation", headers=STAFF)).json()

    assert [one["address"] for one in strangers] == ["ida@example.net"]
    assert [one["text"] for one in told["messages"]] == ["Do you fly to Oslo?"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/customers/nobody/conversation", 404), ("/v1/customers/c_anna/conversation?most=0", 400),
     ("/v1/inbound/x/files/1", 404), ("/v1/inbound/x/files/99999999999", 404), ("/v1/inbound/strangers?most=1x", 400)],
)  # fmt: skip
async def test_staff_are_told_what_is_not_there(
    client: httpx2.AsyncClient, path: str, status: int
) -> None:
    assert (await client.get(path, headers=STAFF)).status_code == status
    assert (await client.get(path)).status_code == 401


async def test_while_the_database_is_away_providers_are_asked_to_come_again(
    post: Post, client: httpx2.AsyncClient
) -> None:
    await post.desk.pool.close()

    answers: Sequence[httpx2.Response] = [
        await client.post("/inbound/postmark", json=postmark(), auth=("x", SECRET)),
        await texts(client, Body="Hello"),
    ]

    assert [(one.status_code, one.headers["retry-after"]) for one in answers] == [(503, "5")] * 2
