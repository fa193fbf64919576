"""`clew doctor` on an installation in which something is broken: each thing is named, with its place."""

import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import LiteralString

import pytest
import pytest_asyncio

from cli.living import lags_in_words, open_ports, processes, rules_in_words, secrets_of
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
    (
        "twice",
        "m2: given 2 times to",
        "update arrivals set fates = fates || fates where number = 2",
    ),
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
        "k1: number 2 of",
        "insert into deliveries (key, entry, n, journey, customer, message, purpose, channel, state,"
        " run_time, intended_at) select 'k0', 1, 2, journey, customer, message, purpose, channel,"
        " state, run_time - interval '1 hour', intended_at from deliveries",
    ),
]

POLICY = {
    "consent": {"marketing": {"others": "opt_out"}},
    "quiet_hours": [{"from": "21:00", "to": "08:00"}],
    "caps": [{"at_most": 1, "within": "1d", "purpose": "marketing"}],
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


async def publish_policy(pool: Pool) -> None:
    policy = HousePolicy.model_validate(POLICY).model_dump(mode="json", by_alias=True)
    await PublishedStore(pool).publish("policy", "house", policy)
    async with pool.connection() as connection:
        await connection.execute("update published set published_at = now() - interval '6 days'")


async def look(pool: Pool) -> Looked:
    return await LivingRules(pool=pool, pause=timedelta(0)).look(newest=None)


async def test_where_all_is_well_the_doctor_says_what_was_looked_at(pool: Pool) -> None:
    await publish_policy(pool)

    looked = await look(pool)

    assert (looked.customers, looked.runs, looked.touchpoints, looked.deliveries) == (1, 1, 3, 1)
    assert looked.faults == []


@pytest.mark.parametrize(
    ("kind", "words", "breaks"), BROKEN, ids=[f"{k}: {w}" for k, w, _ in BROKEN]
)
async def test_what_is_broken_is_named(
    pool: Pool, kind: str, words: str, breaks: LiteralString
) -> None:
    await publish_policy(pool)
    async with pool.connection() as connection:
        await connection.execute(breaks)

    looked = await look(pool)

    assert [(found, told) for found, told in looked.faults if found == kind and words in told]
    named = rules_in_words(looked)
    assert [each.remedy for each in named if each.what == f"rule: {kind}" and each.remedy]


async def test_a_customer_to_whom_something_is_on_its_way_is_left_out_and_counted(
    pool: Pool,
) -> None:
    async with pool.connection() as connection:
        await connection.execute("update runs set wakes_at = null, waits_for = '[]'")
        await connection.execute(
            "insert into outbox (unit, touchpoint, received_at)"
            " select 'c/' || customer, touchpoint, received_at from arrivals limit 1"
        )

    looked = await look(pool)

    assert (looked.customers, looked.on_their_way, looked.faults) == (0, 1, [])
    assert "1 customers left out" in rules_in_words(looked)[0].words


async def test_where_nobody_is_at_work_the_doctor_says_who_is_missing(pool: Pool) -> None:
    found = await processes(pool)

    missing = [each.what for each in found if each.state == "wrong"]
    assert missing == ["journey at work", "delivery at work", "router at work", "api at work"]
    assert "python -m workers router" in [each.remedy for each in found]


def test_who_waits_too_long_is_a_finding() -> None:
    well = lags_in_words(Lags(ingest=0.1, routing=0.2, pending=3, overdue=-40))
    late = lags_in_words(Lags(ingest=0.1, routing=400, pending=90_000, overdue=300))

    assert [each.state for each in well] == ["ok", "ok"]
    assert [each.state for each in late] == ["wrong", "wrong"]
    assert "90,000 touchpoints wait, the oldest 400 s" in late[0].words


def test_a_secret_that_anybody_would_try_is_a_finding() -> None:
    names = [each.what for each in secrets_of({"CLEW_SECRET": "short", "PGPASSWORD": "clew"})]

    assert names == ["CLEW_SECRET", "PGPASSWORD"]
    assert secrets_of({"CLEW_SECRET": "9f" * 32, "CLEW_STAFF_TOKEN": "a-long-one-of-its-own"}) == []


def test_a_port_that_others_reach_is_a_finding() -> None:
    with socket.socket() as everywhere, socket.socket() as here:
        everywhere.bind(("0.0.0.0", 0))
        here.bind(("127.0.0.1", 0))
        for each in (everywhere, here):
            each.listen()
        port = everywhere.getsockname()[1]

        [found] = open_ports({port: "api", here.getsockname()[1]: "temporal"})

    assert found.what == f"port {port}"
    assert "api listens on every address" in found.words
