"""Whoever opens a case knows who it is, what they went through and what may be done; what they learn goes back."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from contracts.case_brief import CaseBrief
from contracts.journey_run import RunReference
from journey.effects import OfferedDecision, OpenCase
from journey.house_files import HouseKind, read_house_file
from stores.case_brief import CaseBriefStore
from stores.case_desk import CaseDesk
from stores.feelings import UnknownFeelingError
from stores.house import HouseStore
from stores.members import Member, MemberStore
from stores.problem_answers import ProblemAnswers
from stores.problems import NewProblem, ProblemStore
from stores.published import HOUSE, PublishedStore
from stores.staff_figures import StaffFiguresStore
from tests.integration.stores.conftest import Shop, touched

HELP = """
language: 1
journey: help
title: Help
owner: service
enter: {on: Help Asked, again: always}
goal: {outcome: helped, within: 7d}
stages:
  - stage: asked
    feeling: upset
    steps:
      - handoff:
          as: help
          queue: sales
          brief: They asked.
          decisions:
            called: {}
            granted:
              title: A voucher
              fields: {amount: number}
              authority: amount
              do: [{set: {run.amount: help.amount}}, {finish: helped}]
      - finish: not-helped
"""
QUEUES = """
queues:
  - {queue: sales, reopen_within: 14d}
grants: {agent: 50, lead: 500}
"""
FEELINGS = "feelings: [{feeling: upset}, {feeling: glad}]"
OFFERED = {
    "called": OfferedDecision(),
    "granted": OfferedDecision(title="A voucher", fields={"amount": "number"}, authority="amount"),
}
MOST_STATEMENTS = 12


class Desk:
    """A shop with a queue, staff, and a case of a run."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.pool = shop, shop.pool
        self.house = HouseStore(shop.pool)
        self.cases = CaseDesk(shop.pool, lambda: shop.rung.append("case"))
        self.briefs = CaseBriefStore(shop.pool, self.house)
        self.version = ""

    async def publish(self, kind: HouseKind, text: str) -> None:
        told = read_house_file(kind, text, f"{kind}.yaml").model_dump(
            mode="json", by_alias=True, exclude_unset=True
        )
        await PublishedStore(self.pool).publish(kind, HOUSE, told)

    async def opened(self, user: str = "anna", n: int = 1, **traits: Any) -> str:
        customer = await self.shop.known(user, **traits)
        rows = await self.shop.rows(
            "insert into runs (workflow_id, first_run_id, key, journey, version, customer, engine, state,"
            " stage, entered_at, began_at) values (%s, %s, %s, 'help', %s, %s, 3, 'open', 'asked', now(), now())"
            " returning entry",
            f"journey/help/{user}-{n}",
            f"{user}-{n}",
            f"{n}",
            self.version,
            customer,
        )
        run = RunReference(
            workflow_id=f"journey/help/{user}-{n}",
            entry=rows[0]["entry"],
            journey="help",
            version=self.version,
            customer=customer,
            now=datetime.now(UTC),
        )
        case = f"case/journey/help/{user}:{run.entry}:{n}"
        await self.cases.open(
            case, run, OpenCase(n=n, queue="sales", brief="", decisions=OFFERED), "Stuck"
        )
        return case

    async def brief(self, case: str, member: str = "eva") -> CaseBrief:
        found = await self.cases.case(case)
        assert found is not None
        return await self.briefs.of(found, member)


@pytest_asyncio.fixture
async def desk(shop: Shop) -> Desk:
    desk = Desk(shop)
    await desk.publish("queues", QUEUES)
    await desk.publish("feelings", FEELINGS)
    desk.version = await shop.publish(HELP)
    members = MemberStore(shop.pool)
    for name, role in (("eva", "agent"), ("lea", "lead"), ("ada", "analyst")):
        await members.put(
            Member(member=name, name=f"{name.title()} Nova", role=role, queues=("sales",)),  # pyright: ignore[reportArgumentType] -- of the table above
            by="test",
        )
    return desk


@asynccontextmanager
async def counted(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[list[str]]:
    """Every statement that is asked of the database meanwhile."""
    asked: list[str] = []
    real = psycopg.AsyncCursor.execute

    async def execute(self: Any, query: Any, *values: Any, **more: Any) -> Any:
        asked.append(str(query))
        return await real(self, query, *values, **more)

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.AsyncCursor, "execute", execute)
        yield asked


async def test_a_brief_says_who_it_is_what_they_went_through_and_what_each_choice_does(
    desk: Desk,
) -> None:
    case = await desk.opened(first_name="Anna", last_name="Nová", tier="gold", locale="cs-CZ")
    found = await desk.cases.case(case)
    assert found is not None
    await desk.shop.arrives(touched("Payment Failed", "m-1"), found.customer)
    await desk.shop.rows(
        "insert into promises (entry, n, name, by, state, at, sequence)"
        " values (%s, 1, 'call_back', now() - interval '1 hour', 'open', now(), 1) returning 1",
        found.entry,
    )
    await desk.cases.decide(
        await desk.opened(n=2), "called", {}, by="eva", feeling="upset", note="rang"
    )

    brief = await desk.brief(case)

    assert (brief.who.name, brief.who.value, brief.who.locale) == ("Anna Nová", "gold", "cs-CZ")
    assert [(each.feeling, each.why) for each in brief.felt] == [("upset", "rang (staff)")]
    assert [(each.words, each.state) for each in brief.promised] == [("call back", "late")]
    assert brief.failed[0] == "promised call back: late"
    assert brief.failed[1].endswith("Payment Failed")
    assert [each.words for each in brief.passed if each.kind == "failure"] == ["Payment Failed"]
    assert [words for _, words in brief.other_cases] == ["resolved in sales: Stuck"]
    does = {each.decision: (each.does, each.allowed) for each in brief.choices}
    assert does["called"] == ("the journey goes on", "yes")
    assert does["granted"][0].endswith("; finish: helped")
    assert does["granted"][1] == "up to 50"


@pytest.mark.parametrize(
    ("member", "allowed"), [("eva", "up to 50"), ("lea", "up to 500"), ("ada", "no")]
)
async def test_what_a_member_may_decide_is_as_their_authority(
    desk: Desk, member: str, allowed: str
) -> None:
    brief = await desk.brief(await desk.opened(), member)
    assert {each.decision: each.allowed for each in brief.choices}["granted"] == allowed


async def test_a_brief_takes_a_handful_of_statements_however_much_there_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await desk.opened()
    for n in range(2, 8):
        await desk.cases.decide(await desk.opened(n=n), "called", {}, by="eva")
    await desk.brief(case)

    async with counted(monkeypatch) as asked:
        await desk.brief(case)

    assert len(asked) <= MOST_STATEMENTS, asked


async def test_nothing_personal_is_shown_of_whom_nothing_has_proved(desk: Desk) -> None:
    case = await desk.opened(first_name="Anna", phone="+420777000111", tier="gold")
    await desk.shop.rows("update cases set origin = 'staff' where \"case\" = %s returning 1", case)

    brief = await desk.brief(case)

    assert (brief.who.name, brief.who.value, brief.who.assured, brief.traits) == ("", "", "", {})
    assert "Nothing has proved who this is" in brief.who.withheld
    assert "known number, which is a hint" in brief.who.withheld

    await desk.cases.verify(case, "eva", "their bank")
    brief = await desk.brief(case)
    assert brief.who.name == "Anna"
    assert brief.who.withheld == ""
    assert brief.who.assured.startswith("verified by their bank")


async def test_what_worked_before_is_suggested_with_its_count_and_not_before_there_is_one(
    desk: Desk,
) -> None:
    for n in range(9):
        await _decided(desk, n, goal=n < 7)
    case = await desk.opened("zoe", 99)
    assert (await desk.brief(case)).suggested == ()

    await _decided(desk, 10, goal=True)

    [told] = (await desk.brief(case)).suggested
    assert (told.decision, told.worked, told.of, told.rate) == ("called", 8, 10, 0.75)
    assert told.why == "it worked for 8 of 10 customers of sales"


async def _decided(desk: Desk, n: int, *, goal: bool) -> None:
    case = await desk.opened(f"customer-{n}", n)
    await desk.cases.decide(case, "called", {}, by="eva")
    await desk.shop.rows(
        "update runs set state = 'finished', goal = %s where entry = (select entry from cases"
        ' where "case" = %s) returning 1',
        goal,
        case,
    )


async def test_what_staff_learn_is_told_to_the_customer_s_runs_and_to_who_can_mend_it(
    desk: Desk,
) -> None:
    case = await desk.opened()

    await desk.cases.decide(
        case, "called", {}, by="eva", note="Rang twice", feeling="upset", lacked="the price list"
    )

    told = await desk.shop.rows(
        "select event, customer, properties from touchpoints where event in"
        " ('Case Noted', 'Staff Lacked') order by event"
    )
    assert [each["event"] for each in told] == ["Case Noted", "Staff Lacked"]
    noted, lacked = (each["properties"] for each in told)
    assert (noted["note"], noted["feeling"], noted["by"]) == ("Rang twice", "upset", "eva")
    assert (lacked["lacked"], lacked["member"], lacked["decision"]) == (
        "the price list",
        "eva",
        "called",
    )
    [eva] = await desk.shop.rows(
        "select customer from identities where kind = 'staff' and value = 'eva'"
    )
    assert told[1]["customer"] == eva["customer"]
    [who] = await desk.shop.rows(
        "select traits from customers where customer = %s", eva["customer"]
    )
    assert (who["traits"]["kind"], who["traits"]["first_name"]) == ("employee", "Eva")
    [reading] = await desk.shop.rows("select feeling, source, by from feelings")
    assert (reading["feeling"], reading["source"], reading["by"]) == ("upset", "staff", "eva")


async def test_a_feeling_that_the_house_does_not_know_leaves_the_case_undecided(desk: Desk) -> None:
    case = await desk.opened()
    with pytest.raises(UnknownFeelingError, match="glad, upset"):
        await desk.cases.decide(case, "called", {}, by="eva", feeling="cross")
    found = await desk.cases.case(case)
    assert found is not None
    assert found.state == "open"


async def test_one_answer_closes_every_case_of_a_problem_that_offers_it_and_names_the_rest(
    desk: Desk,
) -> None:
    cases = [await desk.opened(f"customer-{n}", n) for n in range(3)]
    await desk.shop.rows(
        "update cases set decisions = '{}' where \"case\" = %s returning 1", cases[2]
    )
    problems = ProblemStore(desk.pool)
    await problems.open(
        NewProblem(problem="power", title="Power", words="out", why="storm", queues=["sales"]),
        by="x",
    )
    for case in cases:
        found = await desk.cases.case(case)
        assert found is not None
        await problems.link("power", found.customer, by="x", case=case)
    answers = ProblemAnswers(desk.pool, desk.cases)

    told = await answers.answer("power", ["explained", "granted"], {"amount": 5}, by="lea")
    again = await answers.answer("power", ["explained", "granted"], {"amount": 5}, by="lea")

    assert list(told.answered.values()) == ["granted", "granted"]
    assert list(told.not_answered.values()) == ["it offers nothing"]
    assert again.answered == {}
    states = [found.state for each in cases if (found := await desk.cases.case(each))]
    assert states == ["resolved", "resolved", "open"]


async def test_figures_of_staff_are_those_of_what_happened(desk: Desk) -> None:
    case = await desk.opened()
    await desk.opened("ben", 2)
    await desk.cases.claim(case, "eva")
    await desk.cases.decide(case, "called", {}, by="eva", lacked="the price list")
    await desk.cases.reopen(case, "customer", why="not solved")
    now = datetime.now(UTC) + timedelta(seconds=1)

    told = await StaffFiguresStore(desk.pool).figures(now - timedelta(days=1), now)

    sales, eva = told.queues["sales"], told.members["eva"]
    assert (sales.opened, sales.resolved, sales.reopened, sales.waiting.count) == (2, 1, 1, 2)
    assert (eva.resolved, eva.reopened, eva.lacked) == (1, 1, ("the price list",))
    assert told.automatable == []
    assert set(told.load) == {"sales"}
