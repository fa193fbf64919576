"""Staff at work on a real installation over its HTTP API, whatever is done to its members; and what is then counted.

Customers ask for help at a steady rate. Two of three cases are fought for by claimers, who let go, hand over, decide,
and ask where it is more than they may; a lead approves. The third is left alone: it must be escalated in time.
What is not answered is asked again, as a program would.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx2 as httpx

from journey.business_time import DAYS
from journey.publication import read_definition
from stores.definitions import DefinitionStore
from stores.members import Member, MemberStore
from stores.published import HOUSE, PublishedStore
from tests.faults.shop import AGAIN_SECONDS, Away, Shop, event, known

HELP = """
language: 1
journey: help
title: help
owner: tests
enter: {on: Help Wanted, key: event.properties.matter, again: never}
match: event.properties.matter == run.key
stages:
  - stage: only
    steps:
      - handoff:
          as: help
          queue: desk
          brief: They want help
          first_answer: 8s
          escalate_to: leads
          resolve: 40s
          decisions:
            granted: {fields: {amount: number}, authority: amount, do: [{finish: granted}]}
            refused: {do: [{finish: refused}]}
          late: [{finish: nobody-came}]
"""
ALWAYS = {"week": {day: ["00:00-24:00"] for day in DAYS}}
QUEUES: dict[str, Any] = {
    "queues": [{"queue": "desk", "hours": ALWAYS}, {"queue": "leads", "hours": ALWAYS}],
    "grants": {"agent": 50, "lead": 500},
}
AGENTS = ("eva", "ben", "ida", "max")
LEAD = "lena"
EXPIRED = "nobody-came"
FIRST_ANSWER, RESOLVE = timedelta(seconds=8), timedelta(seconds=40)
"""As the journey says."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What must be nothing, in words; and how much there was."""

    cases: int
    claims: int
    escalated: int
    approved: int
    latest: timedelta
    lost: list[str]
    twice: list[str]
    late: list[str]

    @property
    def holds(self) -> bool:
        """Nothing lost, nothing twice, nothing late."""
        return not (self.lost or self.twice or self.late)


@dataclass
class Desk:
    """Everybody who works here. `claimed`: what the API said they have, by case."""

    shop: Shop
    seed: int
    claimed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    seen: set[str] = field(default_factory=set[str])

    async def open(self) -> None:
        """Publish the journey and the queues, and hire."""
        pool = self.shop.pool
        await PublishedStore(pool).publish("queues", HOUSE, QUEUES)
        for member in AGENTS:
            hired = Member(member=member, name=member, role="agent", queues=("desk",), capacity=500)
            await MemberStore(pool).put(hired, by="the desk")
        lead = Member(member=LEAD, name=LEAD, role="lead", queues=("desk", "leads"), capacity=0)
        await MemberStore(pool).put(lead, by="the desk")
        await DefinitionStore(pool).publish(read_definition(HELP, "help.yaml"))

    async def customers(self, count: int, per_second: float) -> None:
        """So many ask for help, at this rate."""
        began = time.monotonic()
        asking: list[asyncio.Task[None]] = []
        for n in range(count):
            await asyncio.sleep(max(0.0, began + n / per_second - time.monotonic()))
            wanted = [known(n), event(n, "Help Wanted", f"h{n}/wanted", {"matter": f"h{n}"})]
            asking.append(asyncio.create_task(self.shop.tell(wanted)))
        await asyncio.gather(*asking)

    async def work(self, over: asyncio.Event) -> None:
        """Until it is over: each case that is to be worked on is fought for by two who do not know of each other."""
        under_way: set[asyncio.Task[None]] = set()
        while not over.is_set():
            for case in await self._new():
                for agent in random.Random(f"{self.seed} {case}").sample(AGENTS, 2):
                    task = asyncio.create_task(self._fight(case, agent))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
            await asyncio.sleep(AGAIN_SECONDS)
        await asyncio.gather(*under_way)

    async def _new(self) -> Sequence[str]:
        """Cases that nobody saw; every third is left alone."""
        with suppress(*Away):
            async with self.shop.pool.connection() as connection:
                cursor = await connection.execute(
                    "select \"case\", split_part(r.key, 'h', 2)::int as n from cases join runs r using (entry)"
                    " where under_way and queue = 'desk' order by opened_wall"
                )
                rows = await cursor.fetchall()
            new = [row["case"] for row in rows if row["case"] not in self.seen and row["n"] % 3]
            self.seen.update(new)
            return new
        return ()

    async def _fight(self, case: str, agent: str) -> None:
        chance = random.Random(f"{self.seed} {case} {agent}")
        if await self._act(case, "claim", agent) != 200:
            return
        self.claimed.append((case, agent))
        await asyncio.sleep(chance.random())
        if chance.random() < 0.2:
            await self._act(case, "let-go", agent, why="lunch")
            await self._act(case, "claim", agent)
        if chance.random() < 0.2:
            other = next(each for each in AGENTS if each != agent)
            if await self._act(case, "hand-over", agent, to=other, note="yours") == 200:
                agent = other
        amount = chance.choice((10, 120))
        told = {"decision": "granted", "fields": {"amount": amount}, "ask": "they waited"}
        if await self._act(case, "decide", agent, **told) == 202:
            await self._act(case, "approve", LEAD)

    async def _act(self, case: str, act: str, by: str, **said: Any) -> int:
        """Do it; what was not answered is done again, so that it may have been done. The status of the answer."""
        headers = {"Authorization": f"Bearer {self.shop.addresses.staff_token}"}
        address = f"{self.shop.addresses.api}/v1/cases/{case}/{act}"
        while True:
            with suppress(httpx.TransportError):
                answer = await self.shop.http.post(
                    address, json={"by": by, **said}, headers=headers
                )
                if answer.status_code < 500 and answer.status_code != 429:
                    assert answer.status_code in (200, 202, 403, 409), answer.text[:300]
                    return answer.status_code
            await asyncio.sleep(AGAIN_SECONDS)

    async def quiet(self) -> bool:
        """Whether nobody waits any more."""
        async with self.shop.pool.connection() as connection:
            cursor = await connection.execute(
                "select exists (select from outbox) or exists (select from case_bells)"
                " or exists (select from cases where under_way)"
                " or exists (select from runs where state = 'open') as busy"
            )
            row = await cursor.fetchone()
        return row is not None and not row["busy"]

    async def judge(self, customers: int, outage: timedelta) -> Judged:
        """Count what became of every case."""
        cases = await self._rows(
            'select c."case", c.state, c.decision, r.key, r.state as run, r.outcome,'
            "  (select count(*) from touchpoints t where t.event = 'Case Decided'"
            "     and t.properties ->> 'case' = c.\"case\") as told"
            "  from cases c join runs r using (entry)"
        )
        events = await self._rows(
            'select "case", who, did, at, at_wall from case_events order by event'
        )
        of: dict[str, list[Mapping[str, Any]]] = {}
        for each in events:
            of.setdefault(each["case"], []).append(each)
        lost = [
            f"h{n} has no case" for n in set(range(customers)) - {int(c["key"][1:]) for c in cases}
        ]
        twice, late, latest = list[str](), list[str](), timedelta()
        for case in cases:
            did = of[case["case"]]
            lost += _unfinished(case)
            twice += _done_twice(case, did)
            for name, missed_by in _missed(did):
                latest = max(latest, missed_by)
                if missed_by > outage + timedelta(minutes=1):
                    late.append(f"{case['case']} was {name} {missed_by} late")
        have = Counter((each["case"], each["who"]) for each in events if each["did"] == "claimed")
        lost += [
            f"{agent} had {case}, it was said"
            for case, agent in self.claimed
            if not have[case, agent]
        ]
        did = Counter(each["did"] for each in events)
        return Judged(
            cases=len(cases), claims=did["claimed"], escalated=did["escalated"],
            approved=did["approved"], latest=latest, lost=lost, twice=twice, late=late,
        )  # fmt: skip

    async def _rows(self, statement: Any) -> list[dict[str, Any]]:
        async with self.shop.pool.connection() as connection:
            return await (await connection.execute(statement)).fetchall()


def _missed(did: Sequence[Mapping[str, Any]]) -> list[tuple[str, timedelta]]:
    """By how much the deadlines of a case were missed that ran out: nobody had taken it, nobody decided it."""
    opened = did[0]["at"]
    found: list[tuple[str, timedelta]] = []
    for each in did:
        if each["did"] == "claimed":
            break
        if each["did"] == "escalated":
            found.append(("escalated", each["at_wall"] - opened - FIRST_ANSWER))
            break
    return found + [
        ("expired", each["at_wall"] - opened - RESOLVE) for each in did if each["did"] == "expired"
    ]


def _unfinished(case: Mapping[str, Any]) -> list[str]:
    """A case whose run did not take the path that was decided."""
    wanted = case["decision"] or EXPIRED
    if case["run"] == "finished" and case["outcome"] == wanted:
        return []
    return [
        f"{case['case']} is {case['state']} ({wanted}), its run {case['run']} ({case['outcome']})"
    ]


def _done_twice(case: Mapping[str, Any], did: Sequence[Mapping[str, Any]]) -> list[str]:
    """Decided more than once, told more than once, or in the hands of two at the same time."""
    names = [each["did"] for each in did]
    found = [
        f"{case['case']} was {name} {n} times"
        for name, n in Counter(names).items()
        if n > 1 and (name.startswith("decided ") or name in ("opened", "expired", "approved"))
    ]
    if case["told"] > 1:
        found.append(f"{case['case']} was told {case['told']} times")
    holder: str | None = None
    for each in did:
        match each["did"]:
            case "claimed":
                if holder not in (None, each["who"]):
                    found.append(f"{case['case']} was taken by {each['who']} while {holder} had it")
                holder = each["who"]
            case "let go" | "handed over" | "escalated" | "taken back":
                holder = None
            case _:
                pass
    return found
