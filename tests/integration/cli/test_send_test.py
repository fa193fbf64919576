"""`clew send-test` goes by whichever channel the installation has, and says what it has not."""

import json
from pathlib import Path

import pytest

from activities.message_text import MessageInWords, PublishedMessage
from channels.vapid import new_pair
from cli.output import CommandError
from cli.send_test import _send, rendered
from stores.database import open_pool
from tests.integration.channels.vendors.own_system import SECRET, OwnSystem
from tests.integration.channels.vendors.push_service import PushService
from tests.integration.channels.vendors.scripted_http import vendor
from tests.integration.channels.vendors.twilio import ACCOUNT, KEY, SERVICE, Twilio

LATE = PublishedMessage(
    name="late", revision="r", source="---\nsubject: Late\n---\nYour bag is late.\n"
)
WORDS = MessageInWords(subject="Late", text="Your bag is late.")
NUMBER = "+420601123456"


@pytest.fixture(autouse=True)
def _installation(monkeypatch: pytest.MonkeyPatch) -> None:
    told(
        monkeypatch,
        TEMPORAL_ADDRESS="127.0.0.1:1",
        CLEW_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none",
        CLEW_SMTP_URL="smtp://127.0.0.1:1",
        CLEW_MAIL_FROM="Clew <hello@clew.example>",
        CLEW_SECRET="a secret of at least 32 characters",
        CLEW_PUBLIC_URL="https://ours.example",
        CLEW_CALLS_ALLOWED='["localhost"]',
    )


def told(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def twilio(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    told(
        monkeypatch,
        CLEW_TWILIO_ACCOUNT=ACCOUNT,
        CLEW_TWILIO_API_KEY=KEY[0],
        CLEW_TWILIO_API_SECRET=KEY[1],
        CLEW_TWILIO_SMS_FROM=SERVICE,
        CLEW_TWILIO_WHATSAPP_FROM=SERVICE,
        CLEW_TWILIO_URL=url,
    )


async def sent(channel: str, to: str, state: Path) -> str:
    return await _send(rendered(LATE, WORDS, to, channel), channel, state)


async def test_a_text_message_and_whatsapp_go_to_ones_own_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with vendor(Twilio()) as server:
        twilio(monkeypatch, server.url)

        ids = [await sent(each, NUMBER, tmp_path) for each in ("sms", "whatsapp")]

        assert [request.form["To"] for request in server.taken] == [NUMBER, f"whatsapp:{NUMBER}"]
        assert server.subjects == ["[test] Your bag is late."] * 2
        assert all(each.startswith("SM") for each in ids)


async def test_what_a_provider_says_no_to_is_told_without_the_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with vendor(Twilio()) as server:
        twilio(monkeypatch, server.url)

        with pytest.raises(CommandError, match="Refused: is not a phone number"):
            await sent("sms", "me@example.com", tmp_path)


async def test_ones_own_system_gets_it_signed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told(monkeypatch, CLEW_WEBHOOK_SECRET=SECRET.decode(), CLEW_CALLS_HOSTS='["*"]')
    async with vendor(OwnSystem()) as server:
        await sent("webhook", f"{server.url}/hooks/me", tmp_path)

        assert server.subjects == ["[test] Late"]


async def test_ones_own_browser_is_named_by_its_subscription(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    private, public = new_pair()
    told(monkeypatch, CLEW_VAPID_KEY=private, CLEW_VAPID_CONTACT="mailto:care@air.example")
    async with vendor(PushService(public)) as service:
        to = {"endpoint": f"{service.url}/push/me", "keys": service.browser.keys}
        await sent("webpush", json.dumps(to), tmp_path)

        assert service.subjects == ["[test] Late"]
        for wrong in ("https://push.example/me", "{}", "[]", '{"endpoint": "x", "keys": 1}'):
            with pytest.raises(CommandError, match="--to: write the browser's subscription"):
                await sent("webpush", wrong, tmp_path)


async def test_the_inbox_is_that_of_a_customer_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database: str
) -> None:
    told(monkeypatch, CLEW_INBOX="on", CLEW_DATABASE_URL=database)
    pool = await open_pool(database)
    async with pool.connection() as connection:
        await connection.execute("insert into customers (customer) values ('c_me')")

    await sent("inbox", "c_me", tmp_path)
    with pytest.raises(CommandError, match="no such customer"):
        await sent("inbox", "c_nobody", tmp_path)

    async with pool.connection() as connection:
        cursor = await connection.execute("select customer from inbox_messages")
        assert await cursor.fetchall() == [{"customer": "c_me"}]
    await pool.close()


async def test_a_channel_that_is_off_is_told_with_those_that_are_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    twilio(monkeypatch, "http://127.0.0.1:1")

    with pytest.raises(CommandError, match="no channel 'slack'; it has email, sms, whatsapp"):
        await sent("slack", "U012AB3CD", tmp_path)
    with pytest.raises(CommandError, match="Not taken now: no connection to Twilio"):
        await sent("sms", NUMBER, tmp_path)
