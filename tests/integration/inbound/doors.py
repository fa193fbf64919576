"""The doors over HTTP, with secrets of the tests, and the places where media lies."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx2
import pytest
import pytest_asyncio

from api.app import create_app
from api.conversation import conversation_router
from api.inbound_mail import InboundSecret, inbound_mail_router
from api.inbound_texts import slack_router, twilio_router
from api.staff_key import StaffKeyCheck
from channels.sns_message import SnsMessages, SnsNotifications
from channels.twilio_inbound import TwilioMedia
from stores.conversations import ConversationStore
from stores.customers import CustomerStore
from tests.integration.conftest import STAFF_TOKEN
from tests.integration.delivery.conftest import ANNA
from tests.integration.inbound.conftest import REPLIES, Post
from tests.unit.channels.sns_sender import NOW, TOPIC, SnsSender

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


@pytest.fixture
def places() -> Places:
    return Places()


@pytest.fixture
def sns() -> SnsSender:
    return SnsSender()


@pytest_asyncio.fixture
async def client(post: Post, places: Places, sns: SnsSender) -> AsyncIterator[httpx2.AsyncClient]:
    staff, customers = StaffKeyCheck(STAFF_TOKEN), CustomerStore(post.desk.pool)
    media = TwilioMedia("AC1", AUTH_TOKEN, transport=Transport(places))
    verified = SnsNotifications(SnsMessages([TOPIC], sns.fetch), lambda: NOW)
    app = create_app(
        inbound_mail_router(post.inbound, InboundSecret(SECRET), staff, sns=verified),
        twilio_router(post.inbound, AUTH_TOKEN, PUBLIC, media, help_text="Air & Co: call 1"),
        slack_router(post.inbound, SIGNING),
        conversation_router(customers, ConversationStore(post.desk.pool), post.store, staff),
    )
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://clew"
    ) as opened:
        yield opened
