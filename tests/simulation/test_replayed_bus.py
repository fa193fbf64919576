"""The bus plays everything again, doubled and shuffled: the customer ends where they would have, and gets nothing more.

Touchpoints are numbered by arrival, so what may be in any order is what waits for the router in one go; what
comes again may come anywhere. Both go through the router's own batch into the machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random

import pytest
from pydantic import JsonValue

from contracts.routing import PendingBatch, PendingTouchpoint
from journey.effects import Effect
from journey.happenings import AlarmFired, Arrived, EffectFinished, Entered
from journey.machine import advance
from journey.program import Program
from journey.standing import next_alarm
from journey.state import State, dump_state
from journey.touchpoint import read_touchpoint
from routing.customer_batch import CustomerBatch
from routing.signals import RunStart, Told
from routing.told_run import ToldRun
from tests.scorecard import keep
from tests.simulation.people import BEGINS
from tests.simulation.post import done_at_once
from tests.simulation.written_by_chance import EVENTS, published
from tests.unit.journey.story import touched, usual_answer

RUN = "journey/any/anna"
DAYS_PER_JOURNEY = 20
Drain = list[PendingTouchpoint]


@dataclass
class Replayed:
    """One run, told by a router that may tell everything several times. What it asks for is done at once."""

    program: Program
    now: datetime
    state: State = field(default_factory=State)
    asked: list[Effect] = field(default_factory=list[Effect])

    def enter(self) -> None:
        said: dict[str, JsonValue] = {"n": 1, "due": "2026-03-02T18:00:00Z", "list": [1, 2]}
        first = touched(self.program.entry_event, "m-0", self.now, **said)
        self._happens(Entered(entry=1, customer="anna", entering=first))

    def route(self, rows: Sequence[PendingTouchpoint], times: int) -> None:
        """What waits is read by number, and told once for each router that tries."""
        for _ in range(times):
            told = ToldRun(RUN, "any", "v", None, self.program, entry=1)
            batch = CustomerBatch("anna", runs=[told], live=[], profile=_nobody, signals=self)
            in_order = tuple(sorted(rows, key=lambda row: row.number))
            done_at_once(batch.route(PendingBatch(touchpoints=in_order)))

    async def signal(self, workflow_id: str, touchpoints: Sequence[Told]) -> None:
        came = tuple(read_touchpoint(dict(each), self.now, "unused") for each in touchpoints)
        self._happens(Arrived(touchpoints=came))

    async def start(self, start: RunStart) -> str:
        raise NotImplementedError  # nobody enters here

    def until(self, moment: datetime) -> None:
        while (alarm := next_alarm(self.state)) is not None and alarm <= moment:
            self.now = max(self.now, alarm)
            self._happens(AlarmFired(at=alarm))
        self.now = moment

    def _happens(self, happening: Entered | Arrived | AlarmFired | EffectFinished) -> None:
        advanced = advance(self.program, self.state, happening, self.now)
        self.state = advanced.state
        self.asked += advanced.effects
        for effect in advanced.effects:
            if effect.n in self.state.outstanding:
                self._happens(EffectFinished(n=effect.n, answer=usual_answer(effect)))


async def _nobody() -> dict[str, JsonValue]:
    return {}


def row(place: int, random: Random, at: datetime) -> PendingTouchpoint:
    said: dict[str, JsonValue] = {"n": random.randint(0, 2), "list": [1], "due": None}
    return PendingTouchpoint(
        row=place,
        touchpoint=place,
        number=place,
        arrival=place,
        message_id=f"m-{place}",
        event=random.choice(EVENTS),
        occurred_at=at,
        properties=said,
    )


@lru_cache(maxsize=2)
def journey(number: int) -> Program:
    """A journey that lasts for several days of the bus."""
    return published(Random(number))


def day(seed: int) -> tuple[Program, datetime, list[tuple[datetime, Drain]]]:
    """What comes in a few days, as it waits for the router."""
    random = Random(seed)
    program, now = journey(seed // DAYS_PER_JOURNEY), random.choice(BEGINS)
    drains: list[tuple[datetime, Drain]] = []
    place, at = 1, now
    for _ in range(random.randint(2, 12)):
        at += timedelta(hours=random.choice((0.01, 1, 7, 30)))
        drain = [row(place + n, random, at) for n in range(random.randint(1, 6))]
        place += len(drain)
        drains.append((at, drain))
    return program, now, drains


def lived_through(seed: int, disorder: Random | None) -> tuple[bytes, list[Effect]]:
    """The end of it, and all that was asked for."""
    program, now, drains = day(seed)
    anna, before = Replayed(program, now), Drain()
    anna.enter()
    for at, drain in drains:
        anna.until(at)
        rows, times = list(drain), 1
        if disorder is not None:
            rows += disorder.choices([*before, *drain], k=disorder.randint(0, 8))
            disorder.shuffle(rows)
            times = disorder.randint(1, 3)
        anna.route(rows, times)
        before += drain
    anna.until(anna.now + timedelta(days=30))
    return dump_state(anna.state), anna.asked


def differences(seeds: int) -> list[int]:
    return [
        seed
        for seed in range(seeds)
        if lived_through(seed, None) != lived_through(seed, Random(seed))
    ]


@pytest.mark.parametrize("seeds", [60, pytest.param(1_000, marks=pytest.mark.faults_full)], ids=str)
def test_what_the_bus_plays_again_changes_nothing(seeds: int) -> None:
    found = differences(seeds)

    keep("R6", {"seeds": seeds, "differences": len(found)}, met=not found and seeds >= 1_000)
    assert found == []


def test_a_touchpoint_that_counts_twice_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from journey import arrivals

    def anything(_turn: object, _touchpoint: object) -> bool:
        return True

    monkeypatch.setattr(arrivals, "_is_new", anything)

    assert differences(20)
