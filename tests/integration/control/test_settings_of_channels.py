"""How channels are set and do, as the delivery process tells it, and one is tried by a real mail to a real relay."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from pydantic import SecretStr

from channels.recording import Busy, RefuseForGood
from stores.channel_tests import ChannelTestStore
from stores.consents import ConsentStore
from stores.erased_hashes import ErasedHashes
from stores.stops import StopStore
from tests.integration.channels.scripted_smtp import ScriptedSmtp
from tests.integration.control.conftest import Control
from tests.integration.inbox.staff_house import HOSTILE, Browser, said
from tests.security.conftest import SECRET
from workers.channels import sending_channels
from workers.delivery_worker import Watching, watching
from workers.settings import DeliverySettings, read_settings

CHANNELS = "/control/settings"
TO = "tester@house.example"
RELAY = "relay-password-that-nobody-sees"
FORM = "a-form-of-this-very-page-"


@dataclass
class Post:
    """The house, its delivery process, and the relay that this hands mails to."""

    control: Control
    delivery: Watching
    relay: ScriptedSmtp

    async def signed_in(self, member: str) -> Browser:
        """Somebody else at the agent's browser."""
        await self.control.house.signed_in(self.control.agent.client, member)
        await self.control.agent.goes("/control")
        return self.control.agent

    async def rounds(self) -> None:
        """The delivery process does what there is to do."""
        while await self.delivery.tests.round():
            pass
        await self.delivery.watch.round()


def settings(control: Control, relay: ScriptedSmtp) -> DeliverySettings:
    told = {
        "database_url": control.house.url, "temporal_address": "127.0.0.1:7233", "public_url": "https://clew.test",
        "secret": SecretStr(SECRET), "mail_from": "Clew <hello@house.example>",
        "smtp_url": SecretStr(f"smtp://127.0.0.1:{relay.port}"), "slack_token": SecretStr(RELAY),
    }  # fmt: skip
    return read_settings(DeliverySettings, told)


@pytest_asyncio.fixture
async def post(control: Control) -> AsyncIterator[Post]:
    relay = ScriptedSmtp()
    await relay.open()
    async with AsyncExitStack() as parts:
        parts.push_async_callback(relay.close)
        told, pool = settings(control, relay), control.house.pool
        ways = await parts.enter_async_context(
            sending_channels(told, pool, lambda: datetime.now(UTC))
        )
        yield Post(control, await watching(pool, told, ways), relay)


async def test_a_test_arrives_and_the_page_says_what_the_relay_answered(post: Post) -> None:
    admin = await post.signed_in("root")

    waits = await admin.sends(CHANNELS, channel="email", to=TO, form=f"{FORM}1")
    assert "waits for a delivery process" in said(waits)
    await post.rounds()

    [mail] = post.relay.taken
    assert mail["To"] == TO
    assert mail["Subject"].startswith("[test]")
    assert "[test]" in mail.get_body(("plain",)).get_content()  # pyright: ignore[reportOptionalMemberAccess]
    page = await admin.goes(CHANNELS)
    assert "the provider took it taken as" in said(page)
    assert "asked for by root" in said(page)
    assert "Delivered last ✓" in said(page)


async def test_where_it_went_is_kept_nowhere_and_the_audit_says_who_asked(post: Post) -> None:
    admin = await post.signed_in("root")
    await admin.sends(CHANNELS, channel="email", to=TO, form=f"{FORM}1")
    await post.rounds()

    [deed] = await post.control.house.rows(
        "select who, did, object, audit::text as whole from audit where object = 'channel email'"
    )
    assert (deed["who"], deed["did"]) == ("root", "asked for a test")
    rows = await post.control.house.rows(
        "select t::text as whole from channel_tests t union all select r::text from channel_reports r"
    )
    page = await admin.goes(CHANNELS)
    assert TO not in f"{deed} {rows}"
    assert TO not in page.text


async def test_what_the_relay_refuses_is_said_without_the_address(post: Post) -> None:
    post.relay.scripts[TO] = [RefuseForGood(f"550 no {TO} here"), Busy(words="451 greylisted")]
    admin = await post.signed_in("root")

    for number in "12":
        await admin.sends(CHANNELS, channel="email", to=TO, form=f"{FORM}{number}")
    await post.rounds()

    page = await admin.goes(CHANNELS)
    words = said(page)
    assert "was refused" in words
    assert "no <address> here" in words
    assert "was not taken: the provider cannot now" in words
    assert "greylisted" in words
    assert "Failed last ! 1" in words
    assert TO not in page.text


async def test_a_form_that_is_sent_twice_sends_one_mail(post: Post) -> None:
    admin = await post.signed_in("root")

    for _ in range(2):
        await admin.sends(CHANNELS, channel="email", to=TO, form=f"{FORM}1")
    await post.rounds()

    assert len(post.relay.taken) == 1


async def test_the_seventh_test_in_ten_minutes_is_refused_and_told_when_to_try_again(
    post: Post,
) -> None:
    admin = await post.signed_in("root")

    answers = [
        await admin.sends(CHANNELS, channel="email", to=TO, form=f"{FORM}{number}")
        for number in range(7)
    ]
    await post.rounds()

    assert [each.status_code for each in answers] == [200] * 6 + [429]
    assert "6 tests in 10 minutes are the most. Try again at " in said(answers[-1])
    assert len(post.relay.taken) == 6


@pytest.mark.parametrize("member", ["lena", "ana"])
async def test_whoever_is_no_admin_sees_how_channels_do_and_tries_none(
    post: Post, member: str
) -> None:
    browser = await post.signed_in(member)

    page = await browser.goes(CHANNELS)
    refused = await browser.sends(CHANNELS, channel="email", to=TO, form=f"{FORM}1")
    await post.rounds()

    assert page.status_code == 200
    assert "Channels that are on 2 of 9" in said(page)
    assert "An admin tries a channel." in said(page)
    assert "Send one message" not in said(page)
    assert refused.status_code == 403
    assert "An admin tries a channel." in said(refused)
    assert post.relay.taken == []


async def test_how_a_channel_is_set_is_shown_and_no_secret_of_it(post: Post) -> None:
    page = await post.control.lead.goes(CHANNELS)

    words = said(page)
    assert f"CLEW_SMTP_URL set: 127.0.0.1:{post.relay.port}, plain" in words
    assert "CLEW_MAIL_FROM set: Clew <hello@house.example>" in words
    assert "CLEW_SLACK_TOKEN set" in words
    assert "CLEW_FCM_ACCOUNT not set" in words
    assert "Delivery processes at work 1" in words
    held = await post.control.house.rows("select r::text as whole from channel_reports r")
    for secret in (RELAY, SECRET):
        assert secret not in page.text
        assert secret not in f"{held}"


async def test_a_stopped_channel_says_so_and_may_be_tried_before_it_is_let_send(post: Post) -> None:
    stops = StopStore(post.control.house.pool)
    await stops.begin("channel", "email", reason=HOSTILE, by="root")
    admin = await post.signed_in("root")

    page = await admin.sends(CHANNELS, channel="email", to=TO, form=f"{FORM}1")
    await post.rounds()

    assert "Stopped by root since" in said(page)
    assert HOSTILE in said(page)
    assert "<script>document" not in page.text
    assert len(post.relay.taken) == 1


async def test_nothing_goes_to_who_was_erased_or_is_suppressed(post: Post) -> None:
    pool, hashes = post.control.house.pool, ErasedHashes(SECRET.encode())
    await ConsentStore(pool).suppress("email", "bounced@shop.example", "bounced")
    async with pool.connection() as connection:
        await connection.execute(
            "insert into erased_addresses (digest, erasure) values (%s, 'e_1')",
            [hashes.of_address("email", "gone@shop.example")],
        )
    admin = await post.signed_in("root")

    for name in ("bounced", "gone"):
        await admin.sends(
            CHANNELS, channel="email", to=f"{name}@shop.example", form=f"{FORM}{name}"
        )
    await post.rounds()

    words = said(await admin.goes(CHANNELS))
    assert "this address is suppressed" in words
    assert "this address was an erased customer's" in words
    assert post.relay.taken == []


@pytest.mark.parametrize(
    ("channel", "to", "words"),
    [
        ("email", "", "write the mail address"),
        ("email", "nobody", "write the mail address"),
        ("email", "a@b.example, c@d.example", "write the mail address"),
        ("fax", TO, "Choose a channel that is on."),
        ("sms", "+420777123456", "Choose a channel that is on."),
        ("slack", "", "write the id of the channel or person in Slack"),
    ],
)
async def test_what_is_no_address_or_no_channel_is_refused_in_words(
    post: Post, channel: str, to: str, words: str
) -> None:
    admin = await post.signed_in("root")

    answer = await admin.sends(CHANNELS, channel=channel, to=to, form=f"{FORM}1")

    assert answer.status_code == 400
    assert words in said(answer)
    assert await post.control.house.rows("select from channel_tests") == []


async def test_a_test_that_nobody_took_in_time_goes_no_more(post: Post) -> None:
    admin = await post.signed_in("root")
    await admin.sends(CHANNELS, channel="email", to=TO, form=f"{FORM}1")
    async with post.control.house.pool.connection() as connection:
        await connection.execute(
            "update channel_tests set asked_at = now() - interval '11 minutes'"
        )

    assert "no delivery process took it in time" in said(await admin.goes(CHANNELS))
    await post.rounds()

    assert post.relay.taken == []
    [row] = await post.control.house.rows("select state, address from channel_tests")
    assert (row["state"], row["address"]) == ("refused", None)


async def test_a_test_whose_process_died_is_told_as_unknown_and_goes_not_again(post: Post) -> None:
    admin = await post.signed_in("root")
    await admin.sends(CHANNELS, channel="email", to=TO, form=f"{FORM}1")
    tests = ChannelTestStore(post.control.house.pool)
    assert await tests.hold(["email"]) is not None
    async with post.control.house.pool.connection() as connection:
        await connection.execute("update channel_tests set held_to = now() - interval '1 second'")

    await post.rounds()

    assert "may have left whoever sent it died over it" in said(await admin.goes(CHANNELS))
    assert post.relay.taken == []


async def test_without_a_delivery_process_the_page_says_what_to_start(control: Control) -> None:
    words = said(await control.lead.goes(CHANNELS))

    assert "No delivery process has begun" in words
    assert "python -m workers delivery" in words
    assert "Channels that are on 0 of 9" in words
