"""Providers bring customers' mail: who is let in, and that it is kept as if it had come by itself."""

import base64
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.app import create_app
from api.inbound_mail import InboundSecret, inbound_mail_router
from api.staff_key import StaffKeyCheck
from contracts.inbound_message import InboundFile
from tests.integration.delivery.conftest import ADDRESS, ANNA
from tests.integration.inbound.conftest import Post
from tests.integration.inbound.doors import KEY, OWN_ADDRESS, SECRET, STAFF, client, places, sns
from tests.unit.channels.sns_sender import CERTIFICATE, CONFIRM, TOPIC, SnsSender

__all__ = ["client", "places", "sns"]

MAILS = Path(__file__).parent / "mails"
FORM = "multipart/form-data; boundary=b"


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
    again = await client.post("/inbound/postmark", json=postmark(), auth=("", SECRET))

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
async def test_amazon_brings_a_mail(
    post: Post, client: httpx2.AsyncClient, sns: SnsSender, encoding: str
) -> None:
    raw = (MAILS / "gmail-french.eml").read_bytes()
    content = base64.b64encode(raw).decode() if encoding == "BASE64" else raw.decode()
    message = {
        "notificationType": "Received",
        "receipt": {"recipients": [OWN_ADDRESS], "action": {"type": "SNS", "encoding": encoding}},
        "mail": {"source": ADDRESS},
        "content": content,
    }

    hello = await client.post("/inbound/ses", json=sns.confirmation())
    answer = await client.post("/inbound/ses", json=sns.message(message))
    words = await client.post("/inbound/ses", json=sns.message("a word by hand"))

    assert (hello.status_code, answer.status_code, words.status_code) == (200, 200, 200)
    assert sns.fetched == [CERTIFICATE, CONFIRM]
    assert [kept["text"] for kept in await post.kept()] == ["Merci, c'est très gentil."]


async def test_what_amazon_did_not_sign_is_no_mail(
    post: Post, client: httpx2.AsyncClient, sns: SnsSender
) -> None:
    message = {"notificationType": "Received", "content": "Subject: x\n\nforged"}
    theirs = sns.message(message, TopicArn=f"{TOPIC}2")
    for forged in (sns.message(message, by="1"), theirs, sns.message() | {"Message": "{}"}, []):
        assert (await client.post("/inbound/ses", json=forged)).status_code == 403
    assert await post.kept() == []


async def test_while_amazons_certificate_cannot_be_had_it_is_asked_to_come_again(
    post: Post, client: httpx2.AsyncClient, sns: SnsSender
) -> None:
    sns.away = True

    answer = await client.post("/inbound/ses", json=sns.message("a mail"))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert await post.kept() == []


@pytest.mark.parametrize("door", ["postmark", "sendgrid", "mail"])
async def test_whoever_does_not_know_the_secret_is_sent_away(
    post: Post, client: httpx2.AsyncClient, door: str
) -> None:
    guesses: list[dict[str, Any]] = [
        {},
        {"auth": ("clew", "guess")},
        {"auth": ("clew", "guessé")},
        {"params": {"key": SECRET}},
        {"headers": {"Authorization": "Basic %"}},
    ]
    for way in guesses:
        assert (await client.post(f"/inbound/{door}", content=b"x", **way)).status_code == 401
    assert await post.kept() == []


async def test_doors_without_a_secret_are_shut() -> None:
    app = create_app(inbound_mail_router(None, InboundSecret(None), StaffKeyCheck(None)))  # pyright: ignore[reportArgumentType] -- it is not asked
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://x"
    ) as client:
        shut = await client.post("/inbound/postmark", json={})
        assert (shut.status_code, "CLEW_INBOUND_SECRET" in shut.text) == (403, True)
        assert (await client.post("/inbound/mail", content=b"x")).status_code == 401
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


async def test_while_the_database_is_away_a_provider_is_asked_to_come_again(
    post: Post, client: httpx2.AsyncClient
) -> None:
    await post.desk.pool.close()

    answer = await client.post("/inbound/postmark", json=postmark(), auth=("x", SECRET))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
