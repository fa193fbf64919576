"""Staff share the work: nobody has a case twice, nothing is forgotten, and what is beyond somebody is asked for."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from contracts.journey_run import RunReference
from journey.business_time import DAYS
from journey.decisions import AuthorityExceededError
from journey.effects import OfferedDecision, OpenCase
from journey.house_files import read_house_file
from journey.staff_roles import MemberRole
from stores.case_clocks import CaseClockStore
from stores.case_decisions import (
    ApprovalRefusedError,
    CaseAlreadyClaimedError,
    CaseAlreadyDecidedError,
    NotYoursError,
)
from stores.case_desk import CaseDesk
from stores.case_events import CaseEventStore
from stores.members import Member, MemberStore, TakenError, UnknownMemberError
from stores.published import HOUSE, PublishedStore
from tests.integration.stores.conftest import Shop

ALWAYS = f"{{week: {{{', '.join(f'{day}: 00:00-24:00' for day in DAYS)}}}}}"
QUEUES = f"""
queues:
  - queue: sales
    hours: {ALWAYS}
    first_answer: 2 business hours
    next_answer: 1 business hours
    escalate_to: leads
    pending_for: 7d
  - queue: shared
    hours: {ALWAYS}
    assign: least-loaded
    skills: [refunds]
    silent_after: 2 business hours
  - queue: leads
    hours: {ALWAYS}
grants: {{agent: 50, lead: 500}}
"""
GRANT = {"granted": OfferedDecision(fields={"amount": "number"}, authority="amount")}


class Desk:
    """A shop with queues and staff."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.pool = shop, shop.pool
        self.cases = CaseDesk(shop.pool, lambda: shop.rung.append("case"))
        self.members = MemberStore(shop.pool)
        self.clocks = CaseClockStore(shop.pool)
        self.events = CaseEventStore(shop.pool)

    async def hire(
        self,
        *names: str,
        role: MemberRole = "agent",
        queues: Sequence[str] = ("sales",),
        **more: Any,
    ) -> None:
        for name in names:
            member = Member(member=name, name=name.title(), role=role, queues=tuple(queues), **more)
            await self.members.put(member, by="test")

    async def opened(self, n: int, queue: str = "sales", *, ago: timedelta = timedelta()) -> str:
        customer = await self.shop.known()
        now = datetime.now(UTC) - ago
        workflow_id = "journey/cart/anna"
        run = RunReference(
            workflow_id=workflow_id,
            entry=1,
            journey="cart",
            version="v",
            customer=customer,
            now=now,
        )
        case = f"case/{workflow_id}:1:{n}"
        order = OpenCase(n=n, queue=queue, brief="", decisions=GRANT)
        await self.cases.open(case, run, order, "Stuck at payment")
        return case

    async def happened(self, case: str) -> list[str]:
        return [each.did for each in await self.events.of(case)]

    async def state(self, case: str) -> tuple[str, str | None]:
        found = await self.cases.case(case)
        assert found is not None
        return found.state, found.claimed_by


@pytest_asyncio.fixture
async def desk(shop: Shop) -> Desk:
    read = read_house_file("queues", QUEUES, "queues.yaml")
    told = read.model_dump(mode="json", by_alias=True, exclude_unset=True)
    await PublishedStore(shop.pool).publish("queues", HOUSE, told)
    return Desk(shop)


async def test_of_sixteen_who_claim_at_once_one_has_it_and_the_others_are_told_who(
    desk: Desk,
) -> None:
    names = [f"member-{n}" for n in range(16)]
    await desk.hire(*names)
    for n in range(10):
        case = await desk.opened(n)
        answers = await asyncio.gather(
            *(desk.cases.claim(case, name) for name in names), return_exceptions=True
        )
        [has] = [each for each in answers if not isinstance(each, BaseException)]
        told = [str(each) for each in answers if isinstance(each, CaseAlreadyClaimedError)]
        assert told == [f"{has.claimed_by} has claimed this case"] * 15


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize(
    ("members", "cases"),
    [(4, 22), pytest.param(200, 20_000, marks=pytest.mark.faults_full)],
    ids=["few", "many"],
)
async def test_work_is_shared_evenly_however_many_cases_come_at_once(
    desk: Desk, members: int, cases: int
) -> None:
    names = [f"member-{n}" for n in range(members)]
    await desk.hire(*names, queues=["shared"], skills=("refunds",), capacity=1_000)
    await desk.hire("unskilled", queues=["shared"])
    given = cases // members * 19 // 20 * members  # most are there before, shared as evenly
    async with desk.pool.connection() as connection:
        await connection.execute(
            'insert into cases ("case", entry, n, workflow_id, journey, customer, queue, brief, decisions, state,'
            " claimed_by, opened_at, opened_wall)"
            " select 'case/before:' || n, 1, n + 1000000, '', 'cart', 'c_before_' || n, 'shared', '', '{}',"
            " 'claimed', 'member-' || n %% %(members)s, now(), now() from generate_series(0, %(given)s - 1) n",
            {"members": members, "given": given},
        )
    numbers = iter(range(cases - given))

    async def come() -> None:
        for n in numbers:
            await desk.opened(n, "shared")

    await asyncio.gather(*(come() for _ in range(16)))
    rows = await desk.shop.rows("select claimed_by, count(*) as n from cases group by 1")
    counts = {row["claimed_by"]: row["n"] for row in rows}
    assert sum(counts.values()) == cases
    assert set(counts) == set(names)
    assert max(counts.values()) - min(counts.values()) <= 1


async def test_nobody_is_given_more_than_they_have_room_for_and_the_rest_follows(
    desk: Desk,
) -> None:
    await desk.hire("eva", queues=["shared"], skills=("refunds",), capacity=1)
    first, second = await desk.opened(1, "shared"), await desk.opened(2, "shared")
    assert [await desk.state(each) for each in (first, second)] == [
        ("claimed", "eva"),
        ("open", None),
    ]

    await desk.cases.decide(first, "granted", {"amount": 1}, by="eva")

    rung = {each.case for each in await desk.clocks.rung(10)}
    assert second in rung
    await desk.clocks.mind(second)
    assert await desk.state(second) == ("claimed", "eva")


async def test_who_is_absent_loses_what_they_have_to_somebody_who_is_there(desk: Desk) -> None:
    await desk.hire("eva", "jan", queues=["shared"], skills=("refunds",))
    case = await desk.opened(1, "shared")
    _, has = await desk.state(case)
    assert has is not None
    now = datetime.now(UTC)
    await desk.members.absent(
        has, now - timedelta(minutes=1), now + timedelta(days=1), "ill", by="test"
    )

    minded = await desk.clocks.mind(case)

    other = {"eva": "jan", "jan": "eva"}[has]
    assert await desk.state(case) == ("claimed", other)
    assert await desk.happened(case) == ["opened", "given", "taken back", "given"]
    assert f"{other} has it" in minded.words


async def test_a_case_nobody_answers_goes_to_the_leads_once(desk: Desk) -> None:
    case = await desk.opened(1, ago=timedelta(hours=2, minutes=1))
    await desk.clocks.mind(case)
    await desk.clocks.mind(case)
    found = await desk.cases.case(case)
    assert found is not None
    assert found.queue == "leads"
    assert (await desk.happened(case)).count("escalated") == 1


async def test_a_decision_above_authority_waits_for_somebody_who_may(desk: Desk) -> None:
    await desk.hire("eva")
    await desk.hire("lea", role="lead")
    case = await desk.opened(1)
    with pytest.raises(AuthorityExceededError, match="more than the 50"):
        await desk.cases.decide(case, "granted", {"amount": 120}, by="eva")

    asked = await desk.cases.decide(case, "granted", {"amount": 120}, by="eva", ask="She is upset")

    assert (asked.state, asked.claimed_by) == ("claimed", "eva")
    with pytest.raises(ApprovalRefusedError, match="it was you"):
        await desk.cases.approve(case, "eva")
    decided = await desk.cases.approve(case, "lea", why="yes")
    assert (decided.state, decided.decided_by, decided.fields) == (
        "resolved",
        "eva",
        {"amount": 120},
    )
    [told] = await desk.shop.rows(
        "select properties from touchpoints where event = 'Case Decided' and properties ->> 'case' = %s",
        case,
    )
    assert told["properties"]["approved_by"] == "lea"
    with pytest.raises(CaseAlreadyDecidedError):
        await desk.cases.decide(case, "granted", {"amount": 1}, by="eva")


async def test_a_lead_cannot_approve_what_is_beyond_them_too_and_may_say_no(desk: Desk) -> None:
    await desk.hire("eva")
    await desk.hire("lea", role="lead")
    case = await desk.opened(1)
    await desk.cases.decide(case, "granted", {"amount": 900}, by="eva", ask="please")
    with pytest.raises(AuthorityExceededError, match="more than the 500"):
        await desk.cases.approve(case, "lea")
    refused = await desk.cases.disapprove(case, "lea", why="too much")
    assert (refused.approval, refused.state, refused.claimed_by) == (None, "claimed", "eva")


async def test_while_the_customer_is_to_answer_no_deadline_runs(desk: Desk) -> None:
    await desk.hire("eva")
    case = await desk.opened(1)
    await desk.cases.claim(case, "eva")
    pending = await desk.cases.wait_for_customer(case, "eva")
    assert (pending.state, pending.next_answer_by) == ("pending", None)
    minded = await desk.clocks.mind(case)
    assert minded.look_at is not None
    assert minded.look_at - datetime.now(UTC) > timedelta(days=6)
    assert (await desk.cases.go_on(case, "eva")).state == "claimed"


async def test_a_case_of_somebody_else_is_left_alone_but_a_lead_may_pass_it_on(desk: Desk) -> None:
    await desk.hire("eva", "jan")
    await desk.hire("lea", role="lead")
    case = await desk.opened(1)
    await desk.cases.claim(case, "eva")
    with pytest.raises(NotYoursError, match="eva has claimed"):
        await desk.cases.snooze(case, "jan", until=datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(UnknownMemberError):
        await desk.cases.hand_over(case, "lea", to="nobody", note="yours")
    passed = await desk.cases.hand_over(case, "lea", to="jan", note="She asked for you")
    assert (passed.state, passed.claimed_by) == ("claimed", "jan")
    [event] = [each for each in await desk.events.of(case) if each.did == "handed over"]
    assert (event.who, event.why) == ("lea", "She asked for you")


async def test_what_is_put_off_comes_back_by_itself(desk: Desk) -> None:
    await desk.hire("eva")
    case = await desk.opened(1)
    await desk.cases.claim(case, "eva")
    with pytest.raises(ValueError, match="has passed"):
        await desk.cases.snooze(case, "eva", until=datetime.now(UTC) - timedelta(hours=1))
    await desk.cases.snooze(case, "eva", until=datetime.now(UTC) + timedelta(hours=1))
    await desk.shop.rows(
        "update cases set snoozed_until = now() - interval '1 minute' where \"case\" = %s returning 1",
        case,
    )
    await desk.clocks.mind(case)
    assert await desk.state(case) == ("claimed", "eva")
    assert "woke" in await desk.happened(case)


async def test_a_case_that_was_decided_too_soon_is_opened_again_and_decided_anew(
    desk: Desk,
) -> None:
    await desk.hire("eva")
    case = await desk.opened(1)
    await desk.cases.decide(case, "granted", {"amount": 5}, by="eva")
    again = await desk.cases.reopen(case, "eva", why="It was not mended")
    assert (again.state, again.claimed_by) == ("reopened", None)
    await desk.cases.decide(case, "granted", {"amount": 10}, by="eva")
    rows = await desk.shop.rows(
        "select count(*) as n from touchpoints where event = 'Case Decided' and properties ->> 'case' = %s",
        case,
    )
    assert rows == [{"n": 2}]


async def test_every_change_rings_its_clock_once_until_it_was_told(desk: Desk) -> None:
    await desk.hire("eva")
    case = await desk.opened(1)
    [rung] = await desk.clocks.rung(10)
    assert (rung.case, rung.clock) == (case, "case/journey/cart/anna/1/1")
    assert await desk.clocks.rung(10) == []  # it is held

    await desk.cases.claim(case, "eva")
    await desk.clocks.told([rung])

    [again] = await desk.clocks.rung(10)  # what changed meanwhile is told too
    await desk.clocks.told([again])
    assert await desk.clocks.rung(10) == []


async def test_an_absence_noted_while_a_router_tells_a_clock_is_told_after_it(desk: Desk) -> None:
    await desk.hire("eva")
    await desk.opened(1)
    rung = await desk.clocks.rung(10)
    now = datetime.now(UTC)

    await desk.members.absent("eva", now, now + timedelta(days=1), "ill", by="test")
    await desk.clocks.told(rung)

    assert [each.case for each in await desk.clocks.rung(10)] == [each.case for each in rung]


async def test_no_two_members_have_the_same_address(desk: Desk) -> None:
    await desk.hire("eva", email="eva@example.com")
    with pytest.raises(TakenError, match="eva"):
        await desk.hire("jan", email="EVA@example.com")
