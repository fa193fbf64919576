"""Providers report over HTTP: what is proved is kept before it is answered, and nothing else is."""

import base64
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI
from standardwebhooks import Webhook

from api.app import create_app
from api.feedback import FeedbackSource, feedback_router
from channels.own_feedback import OwnFeedback
from channels.postmark_feedback import PostmarkFeedback
from channels.sendgrid_feedback import SendGridFeedback
from channels.ses_feedback import SesFeedback
from channels.sns_message import SnsMessages
from channels.twilio_feedback import TwilioFeedback, read_form
from channels.twilio_signature import signature
from contracts.delivery_mark import delivery_mark
from stores.database import Pool
from stores.feedback import FeedbackStore
from tests.integration.api.conftest import SilentBell
from tests.unit.channels.sns_sender import NOW, TOPIC, SnsSender

KEY = "journey/flight/c_anna:7:1"
MARK = delivery_mark(KEY)
SECRET = "what postmark was told"
OWN = base64.b64encode(b"what our own programs sign with").decode()
PUBLIC = "https://journeys.example"
SIGNING = ec.generate_private_key(ec.SECP256R1())


@dataclass
class Providers:
    """Sends as each provider does."""

    http: httpx2.AsyncClient
    pool: Pool
    sns: SnsSender
    bell: SilentBell

    async def post(self, path: str, content: bytes, **headers: str) -> httpx2.Response:
        return await self.http.post(path, content=content, headers=headers)

    async def ses(self, event: Any) -> httpx2.Response:
        return await self.post("/feedback/ses", json.dumps(self.sns.message(event)).encode())

    async def sendgrid(self, events: Any, **headers: str) -> httpx2.Response:
        body = events if isinstance(events, bytes) else json.dumps(events).encode()
        stamp = str(int(NOW.timestamp()))
        signature = SIGNING.sign(stamp.encode() + body, ec.ECDSA(SHA256()))
        prefix = "X-Twilio-Email-Event-Webhook"
        signed = {
            f"{prefix}-Signature": base64.b64encode(signature).decode(),
            f"{prefix}-Timestamp": stamp,
        }
        return await self.post("/feedback/sendgrid", body, **signed | headers)

    async def postmark(self, event: Any, secret: str = SECRET) -> httpx2.Response:
        return await self.http.post("/feedback/postmark", json=event, auth=("clew", secret))

    async def twilio(self, form: str) -> httpx2.Response:
        path = f"/feedback/twilio?delivery={KEY}"
        signed = signature("12345", f"{PUBLIC}{path}", read_form(form.encode()))
        return await self.post(path, form.encode(), **{"X-Twilio-Signature": signed})

    async def own(self, event: Any, webhook: str = "msg_1") -> httpx2.Response:
        body = json.dumps(event)
        return await self.post(
            "/feedback/own",
            body.encode(),
            **{
                "webhook-id": webhook,
                "webhook-timestamp": str(int(NOW.timestamp())),
                "webhook-signature": Webhook(f"whsec_{OWN}").sign(webhook, NOW, body),
            },
        )

    async def kept(self) -> list[str]:
        """What was kept, as kinds; and each is a touchpoint too."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "select kind from delivery_feedback order by event_id"
            )
            kinds = [row["kind"] for row in await cursor.fetchall()]
            cursor = await connection.execute("select count(*) as many from touchpoints")
            row = await cursor.fetchone()
        assert row is not None
        assert row["many"] == len(kinds)
        return kinds


@pytest_asyncio.fixture
async def providers(pool: Pool, bell: SilentBell) -> AsyncIterator[Providers]:
    sns = SnsSender()
    transport = httpx2.ASGITransport(app=application(pool, sns, bell))
    async with pool.connection() as connection:
        await connection.execute("insert into customers (customer) values ('c_anna')")
        await connection.execute(
            "insert into deliveries (key, entry, n, journey, customer, message, purpose, channel,"
            " address, state, run_time) values (%s, 7, 1, 'flight', 'c_anna', 'gate', 'service',"
            " 'email', 'anna@example.com', 'accepted', now())",
            [KEY],
        )
    async with httpx2.AsyncClient(transport=transport, base_url="http://inside:8000") as http:
        yield Providers(http, pool, sns, bell)


def application(pool: Pool, sns: SnsSender, bell: SilentBell) -> FastAPI:
    point = SIGNING.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    sources: dict[str, FeedbackSource] = {
        "ses": SesFeedback(SnsMessages([TOPIC], sns.fetch)),
        "sendgrid": SendGridFeedback(base64.b64encode(point).decode()),
        "postmark": PostmarkFeedback(SECRET),
        "twilio": TwilioFeedback("12345"),
        "own": OwnFeedback(base64.b64decode(OWN)),
    }
    store = FeedbackStore(pool, bell.ring)
    return create_app(feedback_router(sources, store, PUBLIC, wall_clock=lambda: NOW))


OPENED = {"event": "open", "sg_event_id": "e1", "timestamp": 1501893662, "clew_delivery": MARK}
DELIVERED = {
    "eventType": "Delivery",
    "delivery": {"timestamp": "2017-08-05T00:41:02.669Z"},
    "mail": {"tags": {"clew_delivery": [MARK]}},
}
BOUNCED = {
    "RecordType": "Bounce",
    "ID": 42,
    "Type": "HardBounce",
    "BouncedAt": "2014-08-01T13:28:10.2735393-04:00",
    "Metadata": {"clew_delivery": MARK},
}
READ = "MessageSid=SM1&MessageStatus=read"
CLICKED = {
    "type": "message.clicked",
    "timestamp": "2017-08-05T00:41:02Z",
    "data": {"delivery": KEY, "url": "https://air.example"},
}


async def test_what_each_provider_reports_is_kept_once(providers: Providers) -> None:
    for new in (1, 0):
        for answer in (
            await providers.ses(DELIVERED),
            await providers.sendgrid([OPENED]),
            await providers.postmark(BOUNCED),
            await providers.twilio(READ),
            await providers.own(CLICKED),
        ):
            assert answer.status_code == 200, answer.text
            assert answer.json() == {"success": True, "new": new, "repeated": 1 - new, "unknown": 0}

    kinds = ["clicked", "bounced", "opened", "delivered", "opened"]
    assert sorted(await providers.kept()) == sorted(kinds)
    assert providers.bell.rung == 5


async def test_a_subscription_of_our_topic_is_confirmed(providers: Providers) -> None:
    body = json.dumps(providers.sns.confirmation()).encode()

    assert (await providers.post("/feedback/ses", body)).status_code == 200
    assert len(providers.sns.fetched) == 2


async def test_what_is_proved_and_about_no_message_of_ours_is_counted(
    providers: Providers,
) -> None:
    other = {**OPENED, "sg_event_id": "e2", "clew_delivery": "7-1-0123456789ab"}

    answer = await providers.sendgrid([OPENED, other, {"event": "processed"}, {"event": "new"}])

    assert answer.json() == {"success": True, "new": 1, "repeated": 0, "unknown": 1}
    assert await providers.kept() == ["opened"]


async def test_what_is_not_the_providers_own_is_refused_and_nothing_kept(
    providers: Providers,
) -> None:
    forged = [
        await providers.post("/feedback/ses", json.dumps(providers.sns.message(by="1")).encode()),
        await providers.post(
            "/feedback/ses",
            json.dumps(providers.sns.message(DELIVERED) | {"TopicArn": f"{TOPIC}2"}).encode(),
        ),
        await providers.sendgrid([OPENED], **{"X-Twilio-Email-Event-Webhook-Timestamp": "1"}),
        await providers.post("/feedback/sendgrid", json.dumps([OPENED]).encode()),
        await providers.postmark(BOUNCED, secret="guessed"),
        await providers.http.post("/feedback/postmark", json=BOUNCED),
        await providers.post("/feedback/twilio", READ.encode(), **{"X-Twilio-Signature": "bm8="}),
        await providers.post("/feedback/own", json.dumps(CLICKED).encode()),
    ]

    assert {answer.status_code for answer in forged} == {401}
    assert {answer.json()["code"] for answer in forged} == {"forged"}
    assert await providers.kept() == []
    assert providers.bell.rung == 0


async def test_what_is_of_another_shape_is_refused_and_nothing_kept(
    providers: Providers,
) -> None:
    for wrong in (b"", b"{", b"[7]", b"{}", b'"words"', b"\xff"):
        signed = await providers.sendgrid(wrong)
        others = [
            await providers.post("/feedback/ses", wrong),
            await providers.post("/feedback/twilio", wrong),
            await providers.http.post("/feedback/postmark", content=wrong, auth=("", SECRET)),
        ]

        assert signed.status_code == 400
        assert all(answer.status_code in (200, 400, 401) for answer in others)
    assert await providers.kept() == []


async def test_what_is_too_large_is_refused_also_packed(providers: Providers) -> None:
    plain = b"[" + b" " * 2_000_001
    packed = gzip.compress(plain)

    for provider in ("ses", "sendgrid", "postmark", "twilio", "own"):
        for body, headers in ((plain, {}), (packed, {"Content-Encoding": "gzip"})):
            answer = await providers.post(f"/feedback/{provider}", body, **headers)
            assert answer.status_code == 413
    assert await providers.kept() == []


async def test_a_provider_that_is_not_set_up_is_told_what_to_set(providers: Providers) -> None:
    answer = await providers.post("/feedback/mailgun", b"{}")

    assert answer.status_code == 404
    assert "CLEW_SES_TOPIC" in answer.json()["message"]
    for method in ("get", "put", "delete"):
        assert (await getattr(providers.http, method)("/feedback/ses")).status_code == 405


async def test_a_provider_is_asked_to_come_again_while_the_database_is_away(
    providers: Providers, pool: Pool
) -> None:
    await pool.close()

    answer = await providers.postmark(BOUNCED)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"


async def test_a_provider_is_asked_to_come_again_while_its_proof_cannot_be_had(
    providers: Providers,
) -> None:
    providers.sns.away = True

    answer = await providers.ses(DELIVERED)

    assert answer.status_code == 503
    assert await providers.kept() == []


async def test_what_only_we_know_cannot_be_sent_from_outside(client: httpx2.AsyncClient) -> None:
    for event in ("Message Opened", "Message Bounced", "Message Replied"):
        answer = await client.post(
            "/v1/track", json={"userId": "anna", "event": event, "messageId": event}
        )

        assert answer.status_code == 400
        assert "name of our own" in answer.text
