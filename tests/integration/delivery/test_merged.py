"""A run that began under an id of before sends to who the customer is now, and that counts as theirs."""

from dataclasses import replace

import pytest_asyncio

from channels.inbox import InboxChannel
from channels.unsubscribe_link import UnsubscribeLinks
from journey.house_policy import HousePolicy
from journey.preferences import Preferences
from stores.inbox_messages import InboxStore
from stores.ledger import Ledger
from stores.preferences import PreferenceStore
from stores.staff_merges import MergeStore
from tests.integration.delivery.conftest import ADDRESS, ANNA, Desk

NOW = "c_now"
LINKS = UnsubscribeLinks("https://journeys.example", b"s" * 32)


@pytest_asyncio.fixture
async def merged(desk: Desk) -> Desk:
    """Anna turned out to be somebody with a user id, who stays; her run goes on."""
    await desk.rows("insert into customers (customer) values (%s)", NOW)
    await desk.rows("insert into identities values ('user_id', 'anna', %s)", NOW)
    merge = await MergeStore(desk.pool).merge(ANNA, NOW, by="staff", why="it is she")
    assert (merge.stays, merge.goes) == (NOW, ANNA)
    return desk


async def test_a_message_of_a_run_of_before_reaches_the_customer_and_is_in_their_ledger(
    merged: Desk,
) -> None:
    told = await merged.deliver()

    assert told.state == "accepted"
    [mail] = merged.channel.taken
    assert (mail.customer, mail.address) == (NOW, ADDRESS)
    [row] = await merged.rows("select customer, state from deliveries")
    assert (row["customer"], row["state"]) == (NOW, "accepted")


async def test_it_is_in_the_inbox_that_they_look_at(merged: Desk) -> None:
    inbox = InboxStore(merged.pool, merged.now)
    worker = replace(merged.worker(), channels={"inbox": InboxChannel(inbox, LINKS)})

    told = await worker.deliver_message(merged.order(via=("inbox",)))

    assert told.state == "accepted"
    assert [message.subject for message in await inbox.messages(NOW)] == ["Gate B4"]
    assert await inbox.messages(ANNA) == []


async def test_what_either_of_the_two_got_counts_against_their_cap(desk: Desk) -> None:
    await desk.deliver(1, purpose="marketing")
    await desk.rows("insert into customers (customer) values (%s)", NOW)
    await desk.rows("insert into identities values ('user_id', 'anna', %s)", NOW)
    await MergeStore(desk.pool).merge(ANNA, NOW, by="staff", why="it is she")

    policy = HousePolicy.model_validate({"caps": [{"at_most": 1, "within": "24h"}]})
    ledger = Ledger(desk.pool, desk.now, policies=OnePolicy(policy))
    told = await desk.worker(ledger=ledger).deliver_message(desk.order(2, purpose="marketing"))

    assert told.state == "deferred"
    assert told.reason.startswith("capped: ")
    [first, second] = await desk.rows("select customer from deliveries order by n")
    assert first == second == {"customer": NOW}


async def test_what_they_say_now_holds_for_a_run_of_before(merged: Desk) -> None:
    await PreferenceStore(merged.pool).keep(NOW, Preferences(channels_off=frozenset({"email"})))

    told = await merged.deliver(purpose="marketing")

    assert (told.state, told.reason) == ("refused", "no_consent")


class OnePolicy:
    """The policy of this house."""

    def __init__(self, policy: HousePolicy) -> None:
        self._policy = policy

    async def current(self) -> HousePolicy:
        return self._policy
