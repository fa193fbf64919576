"""However often, late and out of order providers report, it comes to the same in the end."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, LiteralString

import pytest

from contracts.delivery_feedback import Feedback, Kind
from stores.feedback import FeedbackStore
from tests.integration.delivery.conftest import ANNA, Desk
from tests.integration.delivery.test_feedback import AT, told

KINDS: tuple[Kind, ...] = (
    *("delivered", "opened", "clicked", "bounced", "complained", "unsubscribed"),
)
STATES = ("intended", "unknown", "accepted", "refused")
MESSAGES = 4

_STANDS: tuple[tuple[str, str], ...] = (
    ("ledger", "select n, state, reason from deliveries order by n"),
    ("closed", "select channel, address, reason, marketing_only from suppressed_addresses"),
    (
        "consents",
        "select distinct on (purpose, channel) purpose, channel, given from consents"
        " order by purpose, channel, consent desc",
    ),
    (
        "feedback",
        "select event_id, delivery, kind, detail, at from delivery_feedback order by event_id",
    ),
    (
        "touchpoints",
        "select message_id, event, properties, occurred_at from touchpoints order by message_id",
    ),
)


_EMPTIED: tuple[LiteralString, ...] = (
    "delete from deliveries",
    "delete from delivery_feedback",
    "delete from suppressed_addresses",
    "delete from consents",
    "delete from touchpoints",
    "delete from message_ids",
    "delete from outbox",
)


@dataclass
class Story:
    """What happened to some messages, and how their deliveries stood before."""

    states: Sequence[tuple[str, str]]
    happened: Sequence[Feedback]


def story(chance: random.Random) -> Story:
    states = [
        (chance.choice(STATES), chance.choice(("service", "marketing"))) for _ in range(MESSAGES)
    ]
    happened = [
        told(
            chance.choice(KINDS),
            number,
            n=chance.randint(1, MESSAGES),
            # Some at the same instant.
            at=AT + timedelta(seconds=chance.randint(0, 5)),
            hard=chance.random() < 0.5,
            machine=chance.random() < 0.3,
            detail=chance.choice(("", "550 unknown", "mailbox full")),
        )
        for number in range(chance.randint(1, 12))
    ]
    return Story(states, happened)


def as_reported(chance: random.Random, happened: Sequence[Feedback]) -> list[list[Feedback]]:
    """In some order, in some batches, some of it several times; all of it at least once."""
    reported = [*happened, *chance.choices(happened, k=chance.randint(0, 6))]
    chance.shuffle(reported)
    batches: list[list[Feedback]] = []
    while reported:
        size = chance.randint(1, 5)
        batches.append(reported[:size])
        reported = reported[size:]
    return batches


async def begin(desk: Desk, states: Sequence[tuple[str, str]]) -> None:
    for table in _EMPTIED:
        await desk.rows(table)
    for n, (state, purpose) in enumerate(states, 1):
        await desk.rows(
            "insert into deliveries (key, entry, n, journey, customer, message, purpose, channel,"
            " address, state, run_time) values (%s, 7, %s, 'flight', %s, 'gate', %s, 'email',"
            " 'anna@example.com', %s, %s)",
            *(f"journey/flight/c_anna:7:{n}", n, ANNA, purpose, state, AT),
        )


async def stands(desk: Desk) -> dict[str, list[dict[str, Any]]]:
    return {name: await desk.rows(statement) for name, statement in _STANDS}


@pytest.mark.parametrize(
    "seeds", [range(20), pytest.param(range(1_000, 1_500), marks=pytest.mark.faults_full)]
)
async def test_any_order_of_reports_comes_to_the_same(desk: Desk, seeds: range) -> None:
    for seed in seeds:
        await in_any_order(desk, seed)


async def in_any_order(desk: Desk, seed: int) -> None:
    chance = random.Random(seed)
    told_of, store = story(chance), FeedbackStore(desk.pool)
    await begin(desk, told_of.states)
    await store.take(told_of.happened)
    once = await stands(desk)

    for at_once in (False, True):
        await begin(desk, told_of.states)
        batches = as_reported(chance, told_of.happened)
        if at_once:
            await asyncio.gather(*(store.take(batch) for batch in batches))
        else:
            for batch in batches:
                await store.take(batch)
        assert await stands(desk) == once, f"seed {seed}"
