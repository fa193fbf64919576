"""What a customer's own system may do to a message, and what must then be true of it and of our ledger."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest_asyncio

from channels.unsubscribe_link import UnsubscribeLinks
from channels.webhook import WebhookChannel
from journey.effects import Purpose
from stores.database import Pool
from tests.faults.asked_again import AskedAgain, Told
from tests.faults.http_sink import HttpSink, HttpWay

LINKS = UnsubscribeLinks("https://journeys.example", b"s" * 32)
WITHIN = timedelta(seconds=0.5)


@pytest_asyncio.fixture
async def sink() -> AsyncIterator[HttpSink]:
    async with HttpSink() as opened:
        yield opened


async def told_of(
    asked: AskedAgain, sink: HttpSink, purposes: dict[int, Purpose], ways: dict[int, list[HttpWay]]
) -> list[Told]:
    await asked.arrive({n: sink.url(n) for n in purposes})
    for n, script in ways.items():
        sink.script(n, script)
    channel = WebhookChannel(
        b"w" * 32, LINKS, lambda: datetime.now(UTC), allowed=["127.0.0.1"], within=WITHIN
    )
    told = await asked.ask(channel, purposes, at_once=15)
    await channel.close()
    return told


async def test_each_way_of_a_customers_system_leaves_it_with_one_message_or_none(
    pool: Pool, sink: HttpSink
) -> None:
    takes_it: dict[int, list[HttpWay]] = {
        1: ["busy"] * 3,
        2: ["limit", "busy"],
        3: ["drop"],
        4: ["stall"],
        5: ["cut"],
        6: ["slow"],
        7: ["twice"],
        8: [],
    }
    never: dict[int, list[HttpWay]] = {9: ["refuse"], 10: ["gone"], 11: ["leads"]}
    purposes: dict[int, Purpose] = dict.fromkeys(range(1, 12), "marketing")
    told = await told_of(AskedAgain(pool, 11), sink, purposes, takes_it | never)

    answers = {n: each.answer.state for n, each in zip(purposes, told, strict=True)}
    assert {answers[n] for n in takes_it} == {"accepted"}
    assert [len(set(sink.ids(n))) for n in takes_it] == [1] * len(takes_it)
    assert {answers[n] for n in never}.isdisjoint({"accepted", "unknown"})
    assert [sink.ids(n) for n in never] == [[], [], []]
    assert sink.strange == [], "no redirect is followed"


async def test_who_takes_it_and_says_nothing_gets_the_same_again_and_knows_it(
    pool: Pool, sink: HttpSink
) -> None:
    """Also marketing: a receiver that keeps to Standard Webhooks takes one `webhook-id` once."""
    purposes: dict[int, Purpose] = {n: "marketing" if n % 2 else "service" for n in range(1, 31)}
    stalls: dict[int, list[HttpWay]] = {n: ["stall"] for n in purposes}
    asked = AskedAgain(pool, len(purposes))
    told = await told_of(asked, sink, purposes, stalls)

    assert {each.answer.state for each in told} == {"accepted"}
    assert all(len(sink.ids(n)) == 2 and len(set(sink.ids(n))) == 1 for n in purposes)
    rows = await asked.ledger()
    assert all(rows[each.key]["doubts"] == 1 for each in told), (
        "each was marked before it went again"
    )
    ids = {each.webhook_id for each in sink.taken}
    assert len(ids) == len(purposes), "and nobody's is taken for another's"
