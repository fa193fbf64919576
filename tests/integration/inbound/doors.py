"""The doors over HTTP, with secrets of the tests, and the places where media lies."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from api.app import create_app
from api.conversation import conversation_router
from api.inbound_mail import InboundSecret, inbound_mail_router
from api.inbound_texts import slack_router, twilio_router
from api.staff_key import StaffKeyCheck
from channels.twilio_inbound import TwilioMedia
from stores.conversations import ConversationStore
from stores.customers import CustomerStore
from tests.integration.conftest import STAFF_TOKEN
from tests.integration.delivery.conftest import ANNA
from tests.integration.inbound.conftest import REPLIES, Post

SECRET = "an inbound secret of ours"
PUBLIC = "https://journeys.example"
STAFF = {"Authorization": f"Bearer {STAFF_TOKEN}"}
KEY = f"journey/flight/{ANNA}:7:1"
OWN_ADDRESS = REPLIES.address(KEY) or ""
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
