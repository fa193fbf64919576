"""The whole language on the real stack: what was asked, offered, called, held back and begun comes about."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import JsonValue
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook

from stores.answers import Answer, AnswerStore
from stores.coupons import CouponStore
from stores.customers import CustomerStore
from stores.messages import MessageStore
from stores.published import PublishedStore
from stores.requested_entries import RequestedEntryStore
from tests.integration.conftest import CALLS_KEY, SURVEYS, Stack

HEAD = """
language: 1
journey: {journey}
title: A journey of the tests
owner: tests
"""


async def publish(stack: Stack, journey: str, text: str, *messages: str) -> None:
    for message in messages:
        source = f'---\nsubject: "{message}"\n---\nHello {{{{ survey.link | default: "there" }}}}'
        await MessageStore(stack.pool).publish(message, source)
    await stack.publish_text(HEAD.format(journey=journey) + text)


def told(stack: Stack, customer: str) -> list[str]:
    return [mail.subject for mail in stack.mails if mail.customer == customer]


async def test_an_answer_on_our_page_picks_the_way_and_stays_on_the_profile(stack: Stack) -> None:
    await publish(
        stack,
        "asked",
        """
enter: {on: Asked}
stages:
  - stage: only
    steps:
      - ask:
          survey: how-was-it
          type: nps
          as: nps
          purpose: service
          until: 7d
          answers:
            promoter: [{finish: happy}]
            detractor: [{finish: unhappy}]
          late: [{finish: silent}]
      - finish: so-so
""",
        "how-was-it",
    )
    anna = await stack.know("anna-asked", email="anna-asked@example.com")
    await stack.tell("Asked", customer="anna-asked")
    run = await stack.run_of("anna-asked")
    await stack.until(lambda: told(stack, anna) == ["how-was-it"])
    link = next(mail.text for mail in stack.mails if mail.customer == anna).split()[1]
    invitation = SURVEYS.read(urlsplit(link).path.rpartition("/")[2])
    assert invitation.customer == anna

    answers = AnswerStore(stack.pool, stack.heard.set)
    said = Answer(
        ask=invitation.ask,
        survey=invitation.survey,
        customer=anna,
        entry=invitation.entry,
        group="detractor",
        score=3,
        words="Cold coffee",
    )
    assert await answers.keep(said)
    assert not await answers.keep(said)

    assert (await stack.outcome(run.workflow_id))["outcome"] == "unhappy"
    await stack.until(lambda: _trait(CustomerStore(stack.pool), anna, "how_was_it", 3))


async def _trait(customers: CustomerStore, customer: str, name: str, value: object) -> bool:
    found = await customers.customer(customer)
    return found is not None and found.traits.get(name) == value


async def test_a_coupon_is_void_once_the_customer_buys_without_it(stack: Stack) -> None:
    offer: dict[str, JsonValue] = {
        "offer": "ten",
        "kind": "generated",
        "prefix": "TEN-",
        "title": "Ten",
        "owner": "us",
    }
    await PublishedStore(stack.pool).publish("offer", "ten", offer)
    await publish(
        stack,
        "offered",
        """
enter: {on: Offered}
exit: [{on: Bought, outcome: bought}]
on_exit: [{send: {message: bye, purpose: service}}]
stages:
  - stage: only
    steps:
      - offer:
          coupon: ten
          expires: 14d
          redeemed_by: {on: Bought, when: 'has(event.properties.coupon) && event.properties.coupon == ten.code'}
      - wait: 10d
      - finish: over
""",
        "bye",
    )
    coupons = CouponStore(stack.pool)
    ends = dict[str, str]()
    for name, uses in (("ben-offered", True), ("cleo-offered", False)):
        ours = await stack.know(name, email=f"{name}@example.com")
        await stack.tell("Offered", customer=name)
        run = await stack.run_of(name)
        code = ""

        async def given(customer: str = ours) -> bool:
            nonlocal code
            async with stack.pool.connection() as connection:
                cursor = await connection.execute(
                    "select code from coupons where customer = %s", [customer]
                )
                row = await cursor.fetchone()
            code = row["code"] if row else ""
            return bool(code)

        await stack.until(given)
        said: dict[str, Any] = {"coupon": code} if uses else {}
        await stack.tell("Bought", customer=name, **said)
        assert (await stack.outcome(run.workflow_id))["outcome"] == "bought"
        assert told(stack, ours) == ["bye"]
        found = await coupons.look_up(code)
        assert found is not None
        ends[name] = found.state

    assert ends == {"ben-offered": "redeemed", "cleo-offered": "voided"}


async def test_a_call_is_signed_and_only_what_is_taken_is_kept(
    stack: Stack, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/reserve", method="POST").respond_with_json(
        {"gate": "A7", "secret": "not for the history"}
    )
    await publish(
        stack,
        "called",
        f"""
enter: {{on: Called}}
keep: {{item: event.properties.item}}
stages:
  - stage: only
    steps:
      - call:
          url: '{httpserver.url_for("/reserve")}'
          body: {{item: run.item}}
          as: stock
          take: {{gate: response.body.gate}}
      - choose:
          - {{when: 'stock.gate == "A7"', do: [{{finish: at-a7}}]}}
      - finish: nowhere
""",
    )
    await stack.tell("Called", customer="dora-called", item="seat 12")
    run = await stack.run_of("dora-called")

    assert (await stack.outcome(run.workflow_id))["outcome"] == "at-a7"
    [(request, _)] = httpserver.log
    secret = f"whsec_{base64.b64encode(CALLS_KEY).decode()}"
    assert Webhook(secret).verify(request.data, dict(request.headers)) == {"item": "seat 12"}
    handle = stack.client.get_workflow_handle(run.workflow_id)
    events = [event.SerializeToString() async for event in handle.fetch_history_events()]
    assert not any(b"not for the history" in event for event in events)


async def test_marketing_waits_for_the_journey_that_holds_it_and_service_does_not(
    stack: Stack,
) -> None:
    await publish(
        stack,
        "holding",
        """
enter: {on: Complained}
while_running: {hold: marketing}
exit: [{on: Resolved, outcome: resolved}]
stages: [{stage: only, steps: [{wait: 90d}, {finish: forgotten}]}]
""",
    )
    await publish(
        stack,
        "speaking",
        """
enter: {on: Signed Up}
stages:
  - stage: only
    steps:
      - send: {message: welcome, purpose: service}
      - send: {message: buy-more, purpose: marketing}
      - finish: told
""",
        "welcome",
        "buy-more",
    )
    emil = await stack.know("emil-held", email="emil-held@example.com")
    await stack.tell("Complained", customer="emil-held")
    await stack.run_of("emil-held", "holding")
    await stack.tell("Signed Up", customer="emil-held")
    speaking = await stack.run_of("emil-held", "speaking")
    await stack.until(lambda: _held(stack, emil))
    assert told(stack, emil) == ["welcome"]

    await stack.tell("Resolved", customer="emil-held")

    assert (await stack.outcome(speaking.workflow_id))["outcome"] == "told"
    assert told(stack, emil) == ["welcome", "buy-more"]


async def _held(stack: Stack, customer: str) -> bool:
    async with stack.pool.connection() as connection:
        cursor = await connection.execute(
            "select words from deliveries where customer = %s and state = 'deferred'", [customer]
        )
        row = await cursor.fetchone()
    return row is not None and row["words"] == "held_by: the customer is in holding"


async def test_a_run_hears_how_the_one_ended_that_it_began(stack: Stack) -> None:
    await publish(
        stack,
        "inner",
        """
enter: {by: request, again: never}
keep: {what: event.properties.what}
stages:
  - stage: only
    steps:
      - wait: {any: [{on: Settled, do: [{finish: settled}]}], until: 10d}
      - finish: open
""",
    )
    await publish(
        stack,
        "outer",
        """
enter: {on: Began Outer, again: always}
stages:
  - stage: only
    steps:
      - run:
          journey: inner
          with: {what: '"a bag"'}
          as: inner
          until: 20d
          outcomes: {settled: [{finish: well}]}
          late: [{finish: late}]
      - choose: [{when: 'inner.outcome == "not_admitted"', do: [{finish: once-is-enough}]}]
      - finish: badly
""",
    )
    await stack.tell("Began Outer", customer="fay-outer")
    outer = await stack.run_of("fay-outer", "outer")
    await stack.run_of("fay-outer", "inner")
    await stack.tell("Settled", customer="fay-outer")
    assert (await stack.outcome(outer.workflow_id))["outcome"] == "well"

    await stack.tell("Began Outer", customer="fay-outer")
    await stack.until(lambda: _entries(stack, "outer", 2))
    again = (await stack.runs("outer"))[0]

    assert (await stack.outcome(again.workflow_id))["outcome"] == "once-is-enough"


async def _entries(stack: Stack, journey: str, count: int) -> bool:
    return len(await stack.runs(journey)) == count


async def test_a_customer_enters_by_request_once_however_often_it_is_asked(stack: Stack) -> None:
    await publish(
        stack,
        "requested",
        "enter: {by: request, again: always}\n"
        "stages: [{stage: only, steps: [{wait: {until: 30d}}, {finish: over}]}]\n",
    )
    gus = await stack.know("gus-requested")
    entries = RequestedEntryStore(stack.pool, stack.heard.set)
    for _ in range(3):
        now = datetime.now(UTC)
        await entries.request(gus, "requested", {}, message_id="request/one", at=now)

    await stack.run_of("gus-requested", "requested")
    assert len(await stack.runs("requested")) == 1


async def test_who_comes_to_be_of_an_audience_enters_and_who_leaves_it_is_out(stack: Stack) -> None:
    await publish(
        stack,
        "gold",
        """
enter:
  audience: 'customer.tier == "gold" && counts.orders >= 2'
  counts: {orders: {on: Gold Order, within: 30d}}
  again: always
exit: [{leaves_audience: true, outcome: no-longer}]
stages: [{stage: only, steps: [{wait: {until: 300d}}, {finish: over}]}]
""",
    )
    await stack.know("hana-gold", tier="gold")
    for _ in range(2):
        await stack.tell("Gold Order", customer="hana-gold")
    run = await stack.run_of("hana-gold", "gold")

    stack.now.append(datetime.now(UTC) + timedelta(days=31))
    try:
        await stack.scanner.round()
        assert (await stack.outcome(run.workflow_id))["outcome"] == "no-longer"
    finally:
        stack.now.clear()


async def test_who_was_of_the_audience_before_does_not_enter(stack: Stack) -> None:
    await stack.know("ida-old", club="chess")
    await publish(
        stack,
        "club",
        """
enter: {audience: 'customer.club == "chess"'}
stages: [{stage: only, steps: [{wait: {until: 300d}}, {finish: over}]}]
""",
    )
    while await stack.scanner.round():
        pass
    await stack.know("jan-new")
    ours = await stack.know("jan-new", club="chess")
    while await stack.scanner.round():
        pass
    await stack.tell("$identify", customer="jan-new", club="chess")

    await stack.run_of("jan-new", "club")
    assert [run.customer for run in await stack.runs("club")] == [ours]


async def test_the_day_of_a_trait_brings_its_customer_in_and_moves_with_it(stack: Stack) -> None:
    await publish(
        stack,
        "expiring",
        """
enter: {date: customer.renews_on, offset: -30d, at: "09:00", again: always}
stages: [{stage: only, steps: [{wait: {until: 300d}}, {finish: over}]}]
""",
    )
    kim = await stack.know("kim-renews", renews_on="2031-05-31", zone="Europe/Prague")
    await stack.tell("$identify", customer="kim-renews")
    await stack.until(lambda: _looks_at(stack, kim, datetime(2031, 5, 1, 7, 0, tzinfo=UTC)))

    await stack.know("kim-renews", renews_on="2031-07-30")
    await stack.tell("$identify", customer="kim-renews")
    await stack.until(lambda: _looks_at(stack, kim, datetime(2031, 6, 30, 7, 0, tzinfo=UTC)))
    stack.now.append(datetime(2031, 6, 30, 7, 0, 1, tzinfo=UTC))
    try:
        await stack.scanner.round()
        await stack.run_of("kim-renews", "expiring")
        await stack.scanner.round()
    finally:
        stack.now.clear()

    assert len(await stack.runs("expiring")) == 1


async def _looks_at(stack: Stack, customer: str, at: datetime) -> bool:
    async with stack.pool.connection() as connection:
        cursor = await connection.execute(
            "select look_at from entry_looks where customer = %s and journey = 'expiring'",
            [customer],
        )
        row = await cursor.fetchone()
    return row is not None and row["look_at"] == at


async def test_a_schedule_lets_its_audience_enter_and_nobody_twice(stack: Stack) -> None:
    await publish(
        stack,
        "weekly",
        """
enter:
  schedule: 'FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0;BYSECOND=0'
  audience: 'customer.reads == true'
  again: always
stages: [{stage: only, steps: [{wait: {until: 300d}}, {finish: over}]}]
""",
    )
    await stack.know("lea-reads", reads=True)
    await stack.know("max-does-not", reads=False)
    await stack.scanner.round()
    stack.now.append(datetime.now(UTC) + timedelta(days=7))
    try:
        for _ in range(3):
            await stack.scanner.round()
        await stack.run_of("lea-reads", "weekly")
        await stack.scanner.round()
    finally:
        stack.now.clear()

    assert len(await stack.runs("weekly")) == 1


async def test_no_more_than_the_cap_enter_within_an_hour(stack: Stack) -> None:
    await publish(
        stack,
        "capped",
        """
enter: {on: Rushed In, cap: {per_hour: 3}}
stages: [{stage: only, steps: [{wait: {until: 300d}}, {finish: over}]}]
""",
    )
    for number in range(8):
        await stack.tell("Rushed In", customer=f"rushing-{number}")
    await stack.until(lambda: _entries(stack, "capped", 8))

    runs = await stack.runs("capped")
    assert sorted(run.reason or "" for run in runs) == [""] * 3 + ["capped"] * 5
