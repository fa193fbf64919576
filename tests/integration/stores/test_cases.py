"""Customers handed over to staff: decided once, and the customer's runs hear of it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from pydantic import JsonValue

from activities.staff_cases import UnknownCaseError
from contracts.journey_run import RunReference
from journey.decisions import AuthorityExceededError, UnknownDecisionError, WrongFieldError
from journey.effects import CloseCase, EscalateCase, OfferedDecision, OpenCase
from stores.case_decisions import (
    CaseAlreadyClaimedError,
    CaseAlreadyDecidedError,
    CaseClosedError,
)
from tests.integration.stores.conftest import NOW, Shop

CASE = "case/journey/cart/anna:1:2"
COUPON: dict[str, Any] = {"amount": 20, "reason": "late"}


async def opened(shop: Shop, case: str = CASE, **more: Any) -> str:
    customer = await shop.known()
    run = RunReference(
        workflow_id="journey/cart/anna",
        entry=1,
        journey="cart",
        version="v",
        customer=customer,
        now=NOW,
    )
    decisions = {
        "called": OfferedDecision(),
        "gave-coupon": OfferedDecision(
            fields={"amount": "number", "reason": "text"}, authority="amount"
        ),
        "moved": OfferedDecision(fields={"days": "integer", "agreed": "boolean"}),
    }
    order = OpenCase(n=2, queue="sales", brief="", decisions=decisions, **more)
    changed = await shop.cases.open(case, run, order, "Stuck at payment")
    assert changed.state == "open"
    return customer


async def test_a_case_opened_twice_is_opened_once(shop: Shop) -> None:
    await opened(shop)
    await opened(shop)

    [case] = await shop.cases.cases(state="open", queue="sales")

    assert (case.case, case.brief, case.opened_at) == (CASE, "Stuck at payment", NOW)
    assert case.decisions["gave-coupon"].fields == {"amount": "number", "reason": "text"}


async def test_a_decision_is_written_and_told_to_the_customers_runs_at_once(shop: Shop) -> None:
    anna = await opened(shop)

    decided = await shop.cases.decide(CASE, "gave-coupon", COUPON, by="eva")

    assert (decided.state, decided.decision, decided.decided_by) == (
        "resolved",
        "gave-coupon",
        "eva",
    )
    [touchpoint] = await shop.rows("select * from touchpoints")
    assert (touchpoint["customer"], touchpoint["event"]) == (anna, "Case Decided")
    assert touchpoint["properties"] == {
        "case": CASE,
        "decision": "gave-coupon",
        "fields": COUPON,
        "by": "eva",
    }
    assert await shop.pending() == [(f"decision/{CASE}", None)]
    assert shop.rung == ["case"]


async def test_of_two_members_of_staff_deciding_at_once_one_wins(shop: Shop) -> None:
    await opened(shop)

    answers = await asyncio.gather(
        *(shop.cases.decide(CASE, "called", {}, by=f"member {n}") for n in range(5)),
        return_exceptions=True,
    )

    refused = [answer for answer in answers if isinstance(answer, CaseAlreadyDecidedError)]
    assert len(refused) == 4
    case = await shop.cases.case(CASE)
    assert case is not None
    assert {str(error) for error in refused} == {f"{case.decided_by} has decided: called"}
    assert len(await shop.pending()) == 1


@pytest.mark.parametrize(
    ("decision", "fields", "named"),
    [
        ("gave-coupon", {"amount": "20", "reason": "late"}, "amount"),
        ("gave-coupon", {"amount": True, "reason": "late"}, "amount"),
        ("gave-coupon", {"amount": 20}, "reason"),
        ("gave-coupon", {"amount": 20, "reason": None}, "reason"),
        ("gave-coupon", {"amount": 20, "reason": "late", "colour": "red"}, "colour"),
        ("moved", {"days": 1.5, "agreed": True}, "days"),
        ("moved", {"days": 1, "agreed": "yes"}, "agreed"),
        ("called", {"amount": 1}, "amount"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_decided(
    shop: Shop, decision: str, fields: dict[str, JsonValue], named: str
) -> None:
    await opened(shop)

    with pytest.raises(WrongFieldError) as refused:
        await shop.cases.decide(CASE, decision, fields, by="eva")

    assert refused.value.field == named
    assert [case.state for case in await shop.cases.cases()] == ["open"]
    assert await shop.pending() == []


async def test_a_decision_that_is_not_offered_is_refused_with_those_that_are(shop: Shop) -> None:
    await opened(shop)

    with pytest.raises(UnknownDecisionError, match="called, gave-coupon, moved"):
        await shop.cases.decide(CASE, "shrug", {}, by="eva")


async def test_nobody_grants_more_than_they_may(shop: Shop) -> None:
    await opened(shop)

    with pytest.raises(AuthorityExceededError, match="amount: 20"):
        await shop.cases.decide(CASE, "gave-coupon", COUPON, by="eva", authority=10)

    await shop.cases.decide(CASE, "gave-coupon", COUPON, by="petr", authority=20)


async def test_a_case_is_claimed_by_one(shop: Shop) -> None:
    await opened(shop)

    claimed = await shop.cases.claim(CASE, "eva")

    assert await shop.cases.claim(CASE, "eva") == claimed
    assert claimed.answered_at is not None
    with pytest.raises(CaseAlreadyClaimedError, match="eva"):
        await shop.cases.claim(CASE, "petr")
    assert [case.case for case in await shop.cases.cases(claimed_by="eva")] == [CASE]


async def test_a_case_escalates_once_and_only_while_nobody_has_it(shop: Shop) -> None:
    await opened(shop)
    step = EscalateCase(n=5, case=2, queue="leads", reason="nobody answered")

    for _ in range(2):
        changed = await shop.cases.escalate(CASE, step, NOW)
        assert (changed.queue, changed.state) == ("leads", "open")
    [case] = await shop.cases.cases(queue="leads")
    assert [(each["n"], each["from"], each["to"]) for each in case.escalations] == [
        (5, "sales", "leads")
    ]

    await shop.cases.claim(CASE, "eva")
    further = EscalateCase(n=6, case=2, queue="board", reason="nobody answered")
    assert (await shop.cases.escalate(CASE, further, NOW)).queue == "leads"


async def test_a_closed_case_takes_no_decision_and_a_decided_one_is_not_closed(shop: Shop) -> None:
    other = f"{CASE}9"
    await opened(shop)
    await opened(shop, other)
    close = CloseCase(n=7, case=2, reason="the customer paid")
    await shop.cases.decide(other, "called", {}, by="eva")

    assert (await shop.cases.close(CASE, close, NOW)).state == "closed"
    assert (await shop.cases.close(other, close, NOW)).state == "resolved"

    with pytest.raises(CaseClosedError, match="the customer paid"):
        await shop.cases.decide(CASE, "called", {}, by="eva")
    with pytest.raises(UnknownCaseError):
        await shop.cases.close("case/none", close, NOW)


async def test_what_is_to_be_answered_soonest_stands_first(shop: Shop) -> None:
    await opened(shop, "case/later", first_answer_by=NOW + timedelta(hours=2))
    await opened(shop, "case/whenever")
    await opened(shop, "case/soon", resolve_by=NOW + timedelta(hours=1))

    listed = [case.case for case in await shop.cases.cases(queue="sales")]

    assert listed == ["case/soon", "case/later", "case/whenever"]
