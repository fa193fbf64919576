"""Attempts that were given up for lost and come through after all: what they know is true."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.delivery_ledger import Claimed, DeliveryIntent, Settlement
from activities.message_channel import ProviderAnswer, RenderedMessage
from activities.sent_words import SentWords
from channels.recording import RecordingChannel
from stores.ledger import LEASE
from tests.integration.delivery.conftest import Desk


async def test_an_attempt_that_was_given_up_for_lost_and_comes_through_is_told(desk: Desk) -> None:
    """A slow relay answers after the next attempt already called it unknown: the truth wins."""
    slow = await desk.ledger.claim(intent_of(desk))
    assert isinstance(slow, Claimed)
    desk.wall += LEASE
    assert (await desk.deliver_until_told(purpose="marketing")).state == "unknown"

    await desk.ledger.settle(slow, Settlement(state="accepted", provider_id="<1@air>"))

    row = await desk.row()
    assert (row["state"], row["provider_id"]) == ("accepted", "<1@air>")


async def test_two_attempts_that_both_came_through_are_told(desk: Desk) -> None:
    slow = await desk.ledger.claim(intent_of(desk))
    assert isinstance(slow, Claimed)
    desk.wall += LEASE
    await desk.deliver_until_told()
    before = await desk.row()

    await desk.ledger.settle(slow, Settlement(state="accepted", provider_id="<1@air>"))

    row = await desk.row()
    assert row["uncertain"] is True
    assert row["provider_id"] == before["provider_id"]


async def test_an_attempt_that_lost_its_claim_cannot_refuse_what_another_sent(desk: Desk) -> None:
    slow = await desk.ledger.claim(intent_of(desk))
    assert isinstance(slow, Claimed)
    desk.wall += LEASE
    await desk.deliver_until_told()

    await desk.ledger.settle(slow, Settlement(state="refused", reason="bounced"))
    await desk.ledger.release(slow, "busy")
    await desk.ledger.doubt(slow, "nobody knows", SentWords(subject="Gate", text="Dear Anna"))

    assert (await desk.row())["state"] == "accepted"


def intent_of(desk: Desk) -> DeliveryIntent:
    order = desk.order()
    return DeliveryIntent(
        key="journey/flight/c_anna:7:1",
        run=order.run,
        deliver=order.deliver,
        now=desk.wall,
        channels=frozenset({"email"}),
    )


def test_accepted_without_the_providers_id_cannot_be_said() -> None:
    with pytest.raises(ValueError, match="provider's id"):
        Settlement(state="accepted")
    with pytest.raises(ValueError, match="provider's id"):
        Settlement(state="unknown", provider_id="<1@air>")


async def test_a_channel_that_hangs_is_left_and_doubted(desk: Desk) -> None:
    class Hanging(RecordingChannel):
        async def send(self, message: RenderedMessage) -> ProviderAnswer:
            await asyncio.Event().wait()
            raise AssertionError

    worker = replace(desk.worker(channel=Hanging()), send_within=timedelta(milliseconds=20))

    with pytest.raises(ApplicationError) as caught:
        await worker.deliver_message(desk.order())

    assert caught.value.type == "UnknownOutcome"
