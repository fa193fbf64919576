"""By which channel a customer is reached, and what happens where one refuses."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from activities.message_channel import ProviderAnswer, ProviderRefusedError, RenderedMessage
from channels.recording import RecordingChannel, RefuseForGood, ScriptedAnswer
from contracts.message_delivery import MessageDelivered
from journey.preferences import Preferences
from stores.database import jsonb
from stores.preferences import PreferenceStore
from tests.integration.delivery.conftest import ADDRESS, ANNA, Desk
from tests.integration.delivery.killing import kill

PHONE = "+420601123456"


class TwoWays:
    """Anna can be reached by e-mail and by SMS."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.sms = RecordingChannel("sms")

    async def deliver(self, n: int = 1, via: Sequence[str] = ("email", "sms")) -> MessageDelivered:
        channels = {"email": self.desk.channel, "sms": self.sms}
        worker = replace(self.desk.worker(), channels=channels)
        return await worker.deliver_message(self.desk.order(n, via=tuple(via)))

    async def had(self, n: int, channel: str, kind: str, days_ago: int) -> None:
        """A message of before, and what became of it."""
        at = self.desk.wall - timedelta(days=days_ago)
        await self.desk.rows(
            "insert into deliveries (key, entry, n, journey, customer, message, purpose, channel, state,"
            " run_time) values (%s, 1, %s, 'old', %s, 'old', 'service', %s, 'accepted', %s)",
            *(f"old{n}", n, ANNA, channel, at),
        )
        await self.desk.rows(
            "insert into delivery_feedback values (%s, %s, %s, %s, %s, '', %s)",
            *(f"f{n}", f"old{n}", ANNA, channel, kind, at),
        )


@pytest_asyncio.fixture
async def ways(desk: Desk) -> TwoWays:
    await desk.with_traits(phone=PHONE)
    return TwoWays(desk)


async def test_a_channel_that_refuses_for_good_is_followed_by_the_next_under_the_same_key(
    ways: TwoWays,
) -> None:
    ways.desk.channel.script(ADDRESS, [RefuseForGood()])

    told = await ways.deliver()

    assert (told.state, told.channel) == ("accepted", "sms")
    row = await ways.desk.row()
    assert row["key"] == ways.sms.taken[0].key
    assert row["tried"] == {"email": "bounced: 550 no such mailbox"}
    assert await ways.deliver() == told
    assert len(ways.sms.taken) == 1


async def test_where_every_channel_refuses_the_customer_is_unreachable_and_it_is_said_why(
    ways: TwoWays,
) -> None:
    script: list[ScriptedAnswer] = [RefuseForGood()]
    ways.desk.channel.script(ADDRESS, script)
    ways.sms.script(PHONE, [RefuseForGood("21211 no such number")])

    told = await ways.deliver()

    assert (told.state, told.reason) == ("refused", "unreachable")
    assert told.words == "email: bounced: 550 no such mailbox; sms: bounced: 21211 no such number"


async def test_a_message_that_may_have_left_is_not_sent_by_another_channel(ways: TwoWays) -> None:
    await kill(ways.desk, "after send")
    ways.desk.channel.script(ADDRESS, [RefuseForGood()])
    ways.desk.later(minutes=1)

    told = await ways.deliver()

    assert (told.state, told.reason) == ("refused", "bounced")
    assert ways.sms.taken == []


async def test_an_address_that_its_provider_calls_dead_gets_nothing_any_more(desk: Desk) -> None:
    class Dead(RecordingChannel):
        async def send(self, message: RenderedMessage) -> ProviderAnswer:
            raise ProviderRefusedError("no such mailbox", suppress=True)

    told = await desk.worker(channel=Dead()).deliver_message(desk.order(1))

    assert (told.state, told.reason) == ("refused", "bounced")
    assert (await desk.deliver(2)).reason == "suppressed"


async def test_what_the_customer_prefers_comes_first_then_what_reaches_them_best(
    ways: TwoWays,
) -> None:
    assert (await ways.deliver(1)).channel == "email"

    await ways.had(101, "email", "bounced", 10)
    await ways.had(102, "sms", "clicked", 10)
    assert (await ways.deliver(2)).channel == "sms"

    await PreferenceStore(ways.desk.pool).keep(ANNA, Preferences(preferred_channel="email"))
    assert (await ways.deliver(3)).channel == "email"


async def test_what_was_long_ago_weighs_less(ways: TwoWays) -> None:
    for n in range(3):
        await ways.had(100 + n, "email", "bounced", 150)
    await ways.had(110, "email", "opened", 1)

    assert (await ways.deliver(via=("sms", "email"))).channel == "email"


@pytest.mark.parametrize("came", ["wrote", "clicked", "never"])
async def test_an_answer_goes_where_the_customer_came(ways: TwoWays, came: str) -> None:
    desk = ways.desk
    if came == "wrote":
        await desk.rows("insert into conversations values (%s, 'sms', %s, now())", ANNA, PHONE)
    if came == "clicked":
        await desk.rows(
            "insert into touchpoints (received_at, message_id, event, customer, occurred_at, context)"
            " values (now(), 'm1', 'Asked', %s, now(), %s)",
            *(ANNA, jsonb({"channel": "sms"})),
        )

    told = await ways.deliver(via=("where_they_came", "email"))

    assert told.channel == ("email" if came == "never" else "sms")
    if came == "never":
        told = await ways.deliver(2, via=("where_they_came",))
        assert (told.reason, told.words) == ("unreachable", "nobody knows where they came from")
