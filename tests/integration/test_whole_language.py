"""The whole language on the real stack: what was asked, offered, called and requested comes about."""

import base64
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from pydantic import JsonValue
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook

from stores.answers import Answer, AnswerStore
from stores.coupons import CouponStore
from stores.customers import CustomerStore
from stores.published import PublishedStore
from stores.requested_entries import RequestedEntryStore
from tests.integration.conftest import CALLS_KEY, SURVEYS, Stack


async def test_an_answer_on_our_page_picks_the_way_and_stays_on_the_profile(stack: Stack) -> None:
    await stack.write(
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
    await stack.until(lambda: stack.told(anna) == ["how-was-it"])
    link = next(mail.text for mail in stack.mails if mail.customer == anna).split()[1]
    invitation = SURVEYS.read(urlsplit(link).fragment)
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
    await stack.write(
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
                # Given and told to the run: what comes before that can use no coupon yet.
                cursor = await connection.execute(
                    "select code from coupons c where customer = %s"
                    " and exists (select from trace t where t.entry = c.entry and t.kind = 'offer')",
                    [customer],
                )
                row = await cursor.fetchone()
            code = row["code"] if row else ""
            return bool(code)

        await stack.until(given)
        said: dict[str, Any] = {"coupon": code} if uses else {}
        await stack.tell("Bought", customer=name, **said)
        assert (await stack.outcome(run.workflow_id))["outcome"] == "bought"
        assert stack.told(ours) == ["bye"]
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
    await stack.write(
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


async def test_a_customer_enters_by_request_once_however_often_it_is_asked(stack: Stack) -> None:
    await stack.write(
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
