"""How fast messages leave: never faster than allowed, service first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.sending_rate import Asker, Leaves, Waits
from channels.recording import RecordingChannel
from journey.effects import Purpose
from stores.database import Pool
from stores.house_policy import HousePolicyStore
from stores.published import HOUSE, PublishedStore
from stores.send_rates import SendRateStore
from tests.integration.delivery.conftest import ANNA, Desk, at_once

BEGAN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class Bucket:
    """One rate, its clock moved by the test. Each `process` knows for itself what it was told."""

    def __init__(self, pool: Pool) -> None:
        self.pool, self.now = pool, BEGAN

    def process(self) -> SendRateStore:
        return SendRateStore(self.pool, lambda: self.now, HousePolicyStore(self.pool))

    async def is_allowed(self, rate: str) -> None:
        await PublishedStore(self.pool).publish("policy", HOUSE, {"rates": {"email": rate}})


async def asks(process: SendRateStore, key: str, purpose: Purpose, attempt: int = 1) -> Any:
    return await process.take(["email"], Asker(key=key, purpose=purpose, attempt=attempt))


async def test_turns_are_spaced_evenly_whoever_asks(pool: Pool) -> None:
    bucket = Bucket(pool)
    await bucket.is_allowed("10 per second")
    processes = [bucket.process() for _ in range(4)]

    turns = await at_once(*(asks(processes[n % 4], f"k{n}", "service") for n in range(40)))

    after = sorted(turn.after for turn in turns if isinstance(turn, Leaves))
    assert after == [timedelta(milliseconds=100 * n) for n in range(40)]


async def test_marketing_takes_none_while_a_service_message_waits(pool: Pool) -> None:
    bucket = Bucket(pool)
    await bucket.is_allowed("1 per minute")
    process, other = bucket.process(), bucket.process()
    assert isinstance(await asks(process, "m1", "marketing"), Leaves)
    waits = await asks(process, "s1", "service")
    assert isinstance(waits, Waits)

    bucket.now += timedelta(seconds=60)
    assert isinstance(await asks(other, "m2", "marketing"), Waits)
    bucket.now = BEGAN + max(waits.after, timedelta(seconds=60))
    assert isinstance(await asks(other, "s1", "service", 2), Leaves)


async def test_those_who_wait_come_back_spread_and_are_told_without_a_statement(
    pool: Pool,
) -> None:
    bucket = Bucket(pool)
    await bucket.is_allowed("10 per second")
    process = bucket.process()
    told = [await asks(process, f"k{n}", "marketing") for n in range(200)]
    assert sum(isinstance(turn, Leaves) for turn in told) == 3

    known = await process.known_to_wait([["email"]], Asker(key="k", purpose="marketing"))
    assert isinstance(known, Waits)
    assert await process.known_to_wait([["email"]], Asker(key="k", purpose="service")) is None
    waits = [turn.after for turn in told if isinstance(turn, Waits)]
    assert len({round(wait.total_seconds()) for wait in waits}) > 10
    assert max(waits) < timedelta(seconds=25)


@pytest.mark.parametrize("purpose", ["service", "marketing"])
async def test_a_message_without_a_turn_gives_its_claim_back_and_goes_later(
    desk: Desk, purpose: Purpose
) -> None:
    await PublishedStore(desk.pool).publish("policy", HOUSE, {"rates": {"email": "1 per minute"}})
    rates = SendRateStore(desk.pool, desk.now, HousePolicyStore(desk.pool))

    def worker() -> Any:
        return replace(desk.worker(), rates=rates, channels={"email": desk.channel})

    assert (await worker().deliver_message(desk.order(1))).state == "accepted"
    [refused] = await at_once(worker().deliver_message(desk.order(2, purpose=purpose)))

    assert refused.type == "RateReached"
    row = await desk.row(2)
    assert (row["state"], row["claimed_until"]) == ("intended", None)
    assert "as many as may leave now" in row["words"]

    desk.later(minutes=3)
    assert (await worker().deliver_message(desk.order(2, purpose=purpose))).state == "accepted"
    assert isinstance(desk.channel, RecordingChannel)
    assert len(desk.got) == 2


async def test_channels_of_one_provider_share_its_rate(desk: Desk) -> None:
    await PublishedStore(desk.pool).publish("policy", HOUSE, {"rates": {"twilio": "1 per minute"}})
    await desk.rows("insert into identities values ('phone', '+420800123456', %s)", ANNA)
    names = ("sms", "whatsapp", "email")
    channels = {name: RecordingChannel(name, provider="twilio") for name in names[:2]}
    channels["email"] = RecordingChannel("email", provider="ses")
    worker = replace(
        desk.worker(),
        rates=SendRateStore(desk.pool, desk.now, HousePolicyStore(desk.pool)),
        channels=channels,
    )

    answers = await at_once(
        *(worker.deliver_message(desk.order(n, via=(way,))) for n, way in enumerate(names, 1))
    )

    told = dict(zip(names, answers, strict=True))
    assert told["email"].state == "accepted"
    by_twilio = [told["sms"], told["whatsapp"]]
    [waits] = [each for each in by_twilio if isinstance(each, Exception)]
    assert getattr(waits, "type", None) == "RateReached", waits
    assert "twilio" in str(waits)
