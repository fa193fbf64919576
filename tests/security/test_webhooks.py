"""Whatever comes signed: forged, tampered with, signed long ago, played again: refused, or does nothing."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode

import httpx2 as httpx
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from standardwebhooks import Webhook

from api.app import create_app
from api.inbound_mail import InboundSecret, inbound_mail_router
from api.inbound_texts import Media, slack_router, twilio_router
from api.slack_desk import SlackCaseDoor, slack_cases_router
from api.staff_key import StaffKeyCheck
from channels.sns_message import SnsMessages, SnsNotifications
from channels.twilio_signature import signature
from stores.case_desk import CaseDesk
from stores.database import Pool
from stores.members import MemberStore
from stores.slack_requests import SlackRequestStore
from stores.wakeup import Bell
from tests.integration.api.conftest import SilentBell
from tests.integration.api.test_feedback import DELIVERED, OPENED, OWN, PUBLIC, SIGNING, application
from tests.security.conftest import NoBell, every_door
from tests.security.untouched import Untouched, tables
from tests.unit.channels.sns_sender import NOW, TOPIC, SnsSender
from workers.inbound import inbound_desk

TWILIO, SLACK = "a twilio token", "a slack secret"
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
LONG_AGO = timedelta(days=2)
MAIL = b"From: anna@shop.example\r\nMessage-ID: <1@shop.example>\r\nSubject: Hi\r\n\r\nIs it late?"


@dataclass(frozen=True)
class Sent:
    """One request. `mark`: the header that proves it; `stamp`: the one that says when, which is signed too."""

    path: str
    body: bytes
    headers: Mapping[str, str]
    mark: str = ""
    stamp: str = ""

    def with_header(self, name: str, value: str | None) -> "Sent":
        kept = {k: v for k, v in self.headers.items() if k != name}
        return replace(self, headers=kept if value is None else {**kept, name: value})


Sign = Callable[[datetime, bool], Sent]
"""As the provider signs at this instant; or, where it is not, as somebody with another secret."""


def sendgrid(at: datetime, right: bool) -> Sent:
    body, stamp = json.dumps([OPENED]).encode(), str(int(at.timestamp()))
    key = SIGNING if right else OTHER_KEY
    made = base64.b64encode(key.sign(stamp.encode() + body, ec.ECDSA(SHA256()))).decode()
    prefix = "x-twilio-email-event-webhook"
    headers = {f"{prefix}-signature": made, f"{prefix}-timestamp": stamp}
    return Sent("/feedback/sendgrid", body, headers, f"{prefix}-signature", f"{prefix}-timestamp")


def own(at: datetime, right: bool) -> Sent:
    told = {"type": "message.clicked", "timestamp": "2017-08-05T00:41:02Z", "data": {"delivery": "k"}}  # fmt: skip
    body, secret = json.dumps(told), OWN if right else base64.b64encode(b"x" * 24).decode()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(f"whsec_{secret}").sign("msg_1", at, body),
    }
    return Sent("/feedback/own", body.encode(), headers, "webhook-signature", "webhook-timestamp")


def twilio_at(path: str, token: str, fields: dict[str, str]) -> Sign:
    """Twilio signs no time: what it sent once may come again, and is then the same message."""

    def sign(at: datetime, right: bool) -> Sent:
        del at
        made = signature(token if right else "another", f"{PUBLIC}{path}", list(fields.items()))
        headers = {
            "x-twilio-signature": made,
            "content-type": "application/x-www-form-urlencoded",
        }
        return Sent(path, urlencode(fields).encode(), headers, "x-twilio-signature")

    return sign


def slack(at: datetime, right: bool) -> Sent:
    event = {
        "type": "message", "channel_type": "im", "user": "U1A", "channel": "D1A", "ts": "1.1",
        "text": "late?",
    }  # fmt: skip
    body = json.dumps({"type": "event_callback", "team_id": "T1A", "event": event}).encode()
    stamp, secret = str(int(at.timestamp())), SLACK if right else "another"
    made = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
    headers = {
        "x-slack-signature": f"v0={made.hexdigest()}",
        "x-slack-request-timestamp": stamp,
    }
    return Sent("/inbound/slack", body, headers, "x-slack-signature", "x-slack-request-timestamp")


def slack_button(at: datetime, right: bool) -> Sent:
    pressed = {
        "type": "block_actions", "user": {"id": "U1A"}, "channel": {"id": "C1A"},
        "actions": [{"action_id": "clew-claim", "value": '{"case": "1:1"}'}],
    }  # fmt: skip
    event = slack(at, right)
    body = urlencode({"payload": json.dumps(pressed)}).encode()
    stamp, secret = event.headers[event.stamp], SLACK if right else "another"
    made = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
    proved = event.with_header(event.mark, f"v0={made.hexdigest()}")
    return replace(proved, path="/slack/cases", body=body)


def sns_at(path: str, said: object) -> Sign:
    """SNS signs in the body."""

    def sign(at: datetime, right: bool) -> Sent:
        stamp = f"{at:%Y-%m-%dT%H:%M:%S}.700Z"
        message = SnsSender().message(said, Timestamp=stamp, by="0" if right else "1")
        return Sent(path, json.dumps(message).encode(), {})

    return sign


SES_MAIL = {
    "notificationType": "Received",
    "receipt": {"recipients": ["desk@shop.example"]},
    "mail": {"source": "anna@shop.example"},
    "content": base64.b64encode(MAIL).decode(),
}
STATUS = {"MessageSid": "SM1", "MessageStatus": "read"}
TEXT = {
    "MessageSid": "SM0123456789abcdef", "From": "+420601123456", "To": "+14155550100", "NumMedia": "0",
    "Body": "late?",
}  # fmt: skip


HOOKS: dict[str, Sign] = {
    "/feedback/sendgrid": sendgrid,
    "/feedback/own": own,
    "/feedback/twilio": twilio_at("/feedback/twilio?delivery=k", "12345", STATUS),
    "/feedback/ses": sns_at("/feedback/ses", DELIVERED),
    "/inbound/twilio": twilio_at("/inbound/twilio", TWILIO, TEXT),
    "/inbound/slack": slack,
    "/slack/cases": slack_button,
    "/inbound/ses": sns_at("/inbound/ses", SES_MAIL),
}
"""Postmark and SendGrid's inbound door sign nothing: what proves them is a secret of ours."""


class SilentSlack:
    """Takes whatever is said."""

    async def do(self, method: str, body: object, key: str = "") -> dict[str, Any]:
        del method, body, key
        return {"ok": True}


class NoMedia:
    """There are no files."""

    async def fetch(self, urls: object) -> tuple[list[Any], list[str]]:
        del urls
        return [], []


@dataclass
class Installation:
    """Every signed door, on one database. Slack's door has the real clock, the others that of 2017."""

    http: httpx.AsyncClient
    feedback: httpx.AsyncClient
    untouched: Untouched

    async def send(self, sent: Sent) -> httpx.Response:
        client = self.feedback if sent.path.startswith("/feedback") else self.http
        return await client.post(sent.path, content=sent.body, headers=dict(sent.headers))


@pytest_asyncio.fixture
async def installation(pool: Pool) -> AsyncIterator[Installation]:
    sns = SnsSender()
    desk = inbound_desk(
        pool, cast("Bell", NoBell()), every_door(), reply_domain="reply.shop.example", welcome=()
    )
    notified = SnsNotifications(SnsMessages([TOPIC], sns.fetch), lambda: NOW)
    staff = StaffKeyCheck("nobody")
    app = create_app(
        twilio_router(desk, TWILIO, PUBLIC, cast("Media", NoMedia())),
        slack_router(desk, SLACK),
        slack_cases_router(
            SlackCaseDoor(
                desk=CaseDesk(pool),
                members=MemberStore(pool),
                requests=SlackRequestStore(pool),
                slack=SilentSlack(),
                signing_secret=SLACK,
                public_url=PUBLIC,
            )
        ),
        inbound_mail_router(desk, InboundSecret(None), staff, sns=notified),
    )
    transports = (
        httpx.ASGITransport(app=app),
        httpx.ASGITransport(app=application(pool, sns, SilentBell())),
    )
    untouched = Untouched(pool, await tables(pool))
    async with (
        httpx.AsyncClient(transport=transports[0], base_url="http://clew") as http,
        httpx.AsyncClient(transport=transports[1], base_url="http://clew") as feedback,
    ):
        yield Installation(http, feedback, untouched)


def now_of(name: str) -> datetime:
    return datetime.fromtimestamp(time.time(), NOW.tzinfo) if "slack" in name else NOW


def changed(text: str, at: int) -> str:
    """One letter is another."""
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def forged(name: str, sign: Sign) -> Iterator[tuple[str, Sent]]:
    now = now_of(name)
    right, other = sign(now, True), sign(now, False)
    yield "signed with another secret", other
    body = right.body.decode()
    if name.endswith("/ses"):  # SNS signs some fields of the body, and says which
        told = json.loads(body)
        for one in ("Message", "MessageId", "Timestamp", "TopicArn", "Signature", "SigningCertURL"):
            other_body = json.dumps({**told, one: changed(told[one], len(told[one]) // 2)})
            yield f"{one} changed", replace(right, body=other_body.encode())
    else:
        for share in (0.3, 0.6, 0.9):
            place = next(n for n in range(int(len(body) * share), len(body)) if body[n].isalnum())
            yield f"body changed at {place}", replace(right, body=changed(body, place).encode())
    yield "empty", replace(right, body=b"")
    if right.mark:
        proof = right.headers[right.mark]
        yield "unsigned", right.with_header(right.mark, None)
        yield "no signature at all", right.with_header(right.mark, "")
        yield "signature changed", right.with_header(right.mark, changed(proof, len(proof) // 2))
        yield "signature cut", right.with_header(right.mark, proof[: len(proof) // 2])
    if right.stamp:
        later = str(int(right.headers[right.stamp]) + 1)
        yield "another time", right.with_header(right.stamp, later)
        yield "no time", right.with_header(right.stamp, None)
    if "twilio" not in name or name.endswith("sendgrid"):
        yield "signed long ago", sign(now - LONG_AGO, True)
        yield "signed in days to come", sign(now + LONG_AGO, True)


@pytest.mark.parametrize("name", HOOKS)
async def test_what_the_provider_signed_is_taken_once(
    installation: Installation, name: str
) -> None:
    sent = HOOKS[name](now_of(name), True)

    first = await installation.send(sent)
    rows = await installation.untouched.rows()
    again = await installation.send(sent)

    assert first.status_code == 200, first.text
    assert again.status_code == 200, again.text
    assert await installation.untouched.rows() == rows


@pytest.mark.parametrize("name", HOOKS)
async def test_what_it_did_not_sign_just_now_is_refused_and_changes_nothing(
    installation: Installation, name: str
) -> None:
    number, taken = await installation.untouched.number(), list[str]()
    for how, sent in forged(name, HOOKS[name]):
        answer = await installation.send(sent)
        if answer.status_code not in (400, 401, 403):
            taken.append(f"{how}: {answer.status_code} {answer.text[:120]}")
    assert taken == []
    assert await installation.untouched.written_since(number) == []
