"""`clew doctor` on an installation in which something is broken: each thing is named, with its place."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, LiteralString

import pytest
import pytest_asyncio

from cli.living import lags_in_words, open_ports, processes, rules, rules_in_words, secrets_of
from cli.living_rules import LivingRules, Looked
from journey.house_policy import HousePolicy
from journey.publication import read_definition
from stores.customers import CustomerStore
from stores.database import Pool, open_pool
from stores.definitions import DefinitionStore
from stores.lags import Lags
from stores.published import PublishedStore

CART = """
language: 1
journey: cart
title: Help a customer finish
owner: growth
enter: {on: Product Added, again: always}
stages:
  - stage: hesitating
    steps:
      - wait: {any: [{on: Order Completed}, {on: Van Delayed}], until: 2d}
      - finish: lost
"""

WELL: LiteralString = """
with stored as (
    insert into touchpoints (received_at, message_id, event, customer, occurred_at)
    select now() - interval '1 hour' + n * interval '1 minute', 'm' || n, e, %(customer)s, now()
      from (values (1, 'Product Added'), (2, 'Order Completed'), (3, 'Order Completed')) as t(n, e)
    returning *
), named as (
    insert into message_ids (message_id, touchpoint, received_at)
    select message_id, touchpoint, received_at from stored
), came as (
    insert into arrivals (customer, number, touchpoint, received_at, fates)
    select %(customer)s, substr(message_id, 2)::bigint, touchpoint, received_at,
           jsonb_build_array(jsonb_build_object(
               'fate', case when message_id = 'm1' then 'entered' else 'signalled' end,
               'run', 'journey/cart/' || %(customer)s))
      from stored
), sent as (
    insert into deliveries (key, entry, n, journey, customer, message, purpose, channel, state,
                            run_time, intended_at)
    values ('k1', 1, 1, 'cart', %(customer)s, 'come-back', 'marketing', 'email', 'accepted',
            date_trunc('day', now()) - interval '14 hours', now() - interval '1 hour')
)
insert into runs (workflow_id, first_run_id, journey, version, customer, engine, state,
                  entering_message_id, entered_at, began_at, wakes_at, waits_for)
values ('journey/cart/' || %(customer)s, 'r1', 'cart', %(version)s, %(customer)s, 1, 'open', 'm1',
        now() - interval '1 hour', now() - interval '59 minutes', now() + interval '1 day', '["x"]')
"""
"""Anna entered, and heard of two orders; one mail left at ten in the morning."""

BROKEN: list[tuple[str, str, LiteralString]] = [
    ("lost", "m2: never routed to", "delete from arrivals where number = 2"),
    ("lost", "m2: no fate for", "update arrivals set fates = '[]' where number = 2"),
    (
        "lost",
        "m2: run 1 listens and was not told",
        """update arrivals set fates = '[{"fate": "ignored"}]' where number = 2""",
    ),
    ("twice", "m2: given 2 times to", "update arrivals set fates = fates || fates where number = 2"),
    ("stuck", "was to wake at", "update runs set wakes_at = now() - interval '1 hour'"),
    ("stuck", "waits for nothing", "update runs set wakes_at = null, waits_for = '[]'"),
    ("stuck", "the address is wrong", "update runs set needs_attention = 'the address is wrong'"),
    (
        "left",
        "k1: intended, and no word",
        "update deliveries set state = 'intended', claimed_until = now() - interval '1 hour'",
    ),
    (
        "improper",
        "k1: the customer did not agree",
        "insert into consents (customer, purpose, channel, given, source, proof, at)"
        " select customer, 'marketing', 'email', false, 'page', '', now() - interval '5 days' from customers",
    ),
    (
        "improper",
        "k1: left in quiet hours",
        "update deliveries set run_time = date_trunc('day', now()) - interval '1 hour'",
    ),
    (
        "improper",
        "of at most 1",
        "insert into deliveries (key, entry, n, journey, customer, message, purpose, channel, state,"
        " run_time, intended_at) select 'k0', 1, 2, journey, customer, message, purpose, channel,"
        " state, run_time - interval '1 hour', intended_at from deliveries",
    ),
]

POLICY = {
    "language": 1,
    "quiet_hours": [{"from": "21:00", "to": "08:00", "channels": ["email"]}],
    "caps": [{"at_most": 1, "per": "1 day"}],
}
"""What the house allows itself."""


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database, most=4)
    async with opened.connection() as connection:
        anna = await CustomerStore(opened).resolve(connection, [("user_id", "anna")])
    version = await DefinitionStore(opened).publish(read_definition(CART, "cart.yaml"))
    async with opened.connection() as connection:
        await connection.execute(WELL, {"customer": anna, "version": version})
    yield opened
    await opened.close()


async def look(pool: Pool) -> Looked:
    return await LivingRules(pool=pool, pause=timedelta(0)).look(newest=None)


async def test_where_all_is_well_the_doctor_says_what_was_looked_at(pool: Pool) -> None:
    looked = await look(pool)

    assert (looked.customers, looked.runs, looked.touchpoints, looked.deliveries) == (1, 1, 3, 1)
    assert looked.faults == []


@pytest.mark.parametrize(("kind", "words", "breaks"), BROKEN, ids=[f"{k}: {w}" for k, w, _ in BROKEN])
async def test_what_is_broken_is_named(
    pool: Pool, kind: str, words: str, breaks: LiteralString
) -> None:
    policy = HousePolicy.model_validate(POLICY).model_dump(mode="json", by_alias=True)
    await PublishedStore(pool).publish("policy", "house", policy)
    async with pool.connection() as connection:
        await connection.execute("update published set published_at = now() - interval '6 days'")
        await connection.execute(breaks)

    looked = await look(pool)

    assert [(found, told) for found, told in looked.faults if found == kind and words in told]
    named = rules_in_words(looked)
    assert [each.remedy for each in named if each.what == f"rule: {kind}" and each.remedy]
