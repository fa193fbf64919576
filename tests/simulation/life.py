"""What becomes of one seed: who does what when, until all is over; and what must hold then.

`lived(seed)` plays it. It is the same, always, for a seed and a commit: what fails can be played again.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from pydantic import JsonValue

from contracts.evidence import Outside, Seen, SeenRun, ToldRun
from insight.invariants import Broken, check
from journey.definition import canonical_json
from journey.happenings import Nudged, Resumed, ToldToLeave
from journey.program import Program, compile_program
from journey.publication import read_definition
from journey.standing import needs_attention, next_alarm, stands, waits_for
from journey.touchpoint import CASE_DECIDED, ENTER, SURVEY_ANSWERED, TRAITS_CHANGED
from tests.simulation.outside import POLICY
from tests.simulation.people import Chances, SimulatedCustomer
from tests.simulation.simulated_run import MoveOrder, SimulatedRun
from tests.simulation.world import World
from tests.simulation.written_by_chance import ABOUT, EVENTS, published
from tests.unit.journey.story import touched

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/*journey.yaml"))
WORLDS_PER_JOURNEY = 12
"""To write and check a journey takes longer than to live through it."""

LIVED_AGAIN_EACH = 3
"""Seeds of which one is lived again from its beginning; in all, each advance is lived twice."""

NUDGED_OF_22 = frozenset({1, 2, 3})
"""Seeds, by what is left of them in twenty-twos, whose runs are nudged: none that failed before runs could be.

All others go on as they were, so that each can be played again.
"""

LATE = timedelta(minutes=1)
DUE = ("2026-03-29T02:30:00+01:00", "2026-03-01T00:00:00Z", "9999-12-31T23:59:00-10:00", None, 7)
LISTS: tuple[JsonValue, ...] = ([], [1], [1, 2, 3, 4], "no list", None)


@dataclass
class Lived:
    """What came of a seed. `faults`: what does not hold; empty where all is well."""

    seed: int
    faults: list[str] = field(default_factory=list[str])
    advances: int = 0
    customer_days: float = 0.0
    steps: Counter[str] = field(default_factory=Counter[str])
    happenings: Counter[str] = field(default_factory=Counter[str])


@lru_cache(maxsize=8)
def programs_of(journey_seed: int) -> tuple[Program, ...]:
    """Two versions of one journey and another one, or one of the examples in place of the first."""
    random = Random(journey_seed)
    if journey_seed % 6 == 0:
        path = EXAMPLES[journey_seed // 6 % len(EXAMPLES)]
        first = example(path)
        return first, _edited(first), published(random, "other")
    return published(random), published(random), published(random, "other")


@lru_cache(maxsize=32)
def example(path: Path) -> Program:
    """One of the journeys of examples/."""
    return read_definition(path.read_text(), str(path)).program


def _edited(program: Program) -> Program:
    """The same journey with another title: a version of its own."""
    data = program.definition.model_dump(by_alias=True, exclude_unset=True, mode="json")
    data["title"] = "Edited"
    data["enter"] = (
        {**data["enter"], "hold_out": "0%"} if "hold_out" in data["enter"] else data["enter"]
    )
    canonical = canonical_json(data)
    return compile_program(canonical)


def lived(seed: int, chances: Chances | None = None) -> Lived:
    """Live through a seed. Never raises for what a run does wrong: that is among the faults."""
    life = Life(seed, programs_of(seed // WORLDS_PER_JOURNEY), chances)
    try:
        life.play()
    except Exception as error:
        life.told.faults.append(f"{type(error).__name__}: {error}")
    return life.sum_up()


class Life:
    """One seed under way."""

    def __init__(self, seed: int, programs: tuple[Program, ...], chances: Chances | None) -> None:
        self.told = Lived(seed)
        self.world = World(seed, programs, chances)
        self._programs = programs
        self._random = self.world.random
        self._nudging = Random(seed) if seed % 22 in NUDGED_OF_22 else None
        self._sent: list[dict[str, Any]] = []

    def play(self) -> None:
        """Forty things, days apart or seconds; then let everything come to its end."""
        world, random = self.world, self._random
        for whose in world.customers:
            self._enters(whose)
        for _ in range(random.randint(8, 40)):
            gap = random.choice((0.0, 0.001, 0.2, 1.0, 5.0, 30.0, 200.0))
            world.until(world.now + timedelta(hours=gap * random.random()))
            self._something()
            self._nudges()
        self._end()
        for run in world.runs if self.told.seed % LIVED_AGAIN_EACH == 0 else ():
            run.lives_again()
        self.told.faults += self._judged()

    # -- what happens

    def _something(self) -> None:
        whose = self._random.choice(self.world.customers).canonical
        doing = self._random.choices(
            (
                self._does, self._does_about, self._says_again, self._answers_us, self._changes,
                self._enters, self._foreign, self._operates, self._deploys, self._agrees,
                self._becomes_another,
            ),
            (24, 4, 5, 14, 6, 6, 3, 8, 4, 3, 2),
        )[0]  # fmt: skip
        doing(whose)

    def _said(self) -> dict[str, JsonValue]:
        random = self._random
        due = random.choice((*DUE, (self.world.now + timedelta(days=2)).isoformat()))
        listed: JsonValue = random.choice(LISTS)
        return {"n": random.randint(0, 2), "due": due, "list": listed, "revenue": 5}

    def _does(self, whose: SimulatedCustomer) -> None:
        """Several touchpoints, as they happened or not; each may be late."""
        for _ in range(self._random.choice((1, 1, 1, 2, 4, 9))):
            event = self._random.choice(self._events())
            late = self._random.choice((0, 0, 0, 0.5, 30))
            occurred = self.world.now - timedelta(hours=late)
            if late:
                self.world.counted["told late"] += 1
            told: dict[str, Any] = {"event": event, "said": self._said(), "customer": whose}
            if event == ABOUT:
                told["subject"] = ("thing", self._random.choice(("t1", "t2", "t3")))
            told["message_id"] = self.world.tell(**told, occurred_at=occurred)
            self._sent.append(told)

    def _events(self) -> tuple[str, ...]:
        program = self._programs[0]
        if program.journey == "any":
            return (*EVENTS, ABOUT)
        ours = {e for e in program.waited_for if not e.startswith("$")} - {
            CASE_DECIDED,
            SURVEY_ANSWERED,
        }
        return tuple(sorted(ours)) or EVENTS

    def _does_about(self, whose: SimulatedCustomer) -> None:
        """Something happens to a thing; the customer hears of it if their run listens to it."""
        kinds = sorted({kind for p in self._programs for kind in p.subject_kinds}) or ["thing"]
        one = self._random.choice(("t1", "t2", "t3"))
        event = ABOUT if self._programs[0].journey == "any" else self._random.choice(self._events())
        self.world.tell(event, self._said(), subject=(self._random.choice(kinds), one))

    def _says_again(self, whose: SimulatedCustomer) -> None:
        """A client sends once more what it sent before, or the bus plays the day again, shuffled."""
        again = self._sent[-5:]
        self._random.shuffle(again)
        for told in again:
            self.world.tell(**told)

    def _answers_us(self, whose: SimulatedCustomer) -> None:
        """Staff decide a case, the customer answers a survey: of this run, of a past one, or of none."""
        for run in self.world.runs:
            for n, kind in _waiting(run):
                key = f"{run.workflow_id}:{run.entry}:{n}"
                if kind == "case" and self._random.random() < 0.6:
                    self.world.outside.cases[key] = "resolved"
                    decisions = ("yes", "no", "made-up", *_decisions(run, n))
                    said: dict[str, JsonValue] = {
                        "case": f"case/{key}",
                        "decision": self._random.choice(decisions),
                        "fields": {},
                    }
                    self.world.tell(CASE_DECIDED, said, customer=self.world.of_id[run.customer])
                elif kind == "survey" and self._random.random() < 0.6:
                    reply: dict[str, JsonValue] = self._random.choice(
                        ({"score": 10}, {"score": 1}, {"score": "no"}, {"choice": "by-train"},
                         {"text": "Fine"}, {})
                    )  # fmt: skip
                    told = {**reply, "ask": key}
                    self.world.tell(SURVEY_ANSWERED, told, customer=self.world.of_id[run.customer])
        keys = [k for k in self.world.outside.started if k.rpartition(":")[2]]
        if keys and self._random.random() < 0.3:
            self.world.ended_other(self._random.choice(keys), self._random.choice(("good", "bad")))

    def _changes(self, whose: SimulatedCustomer) -> None:
        """Traits change, the zone too; and what they are is told."""
        random = self._random
        changed: dict[str, JsonValue] = random.choice(
            (
                {"vip": random.random() < 0.5},
                {"due": random.choice(DUE)},
                {"zone": random.choice(("Europe/Prague", "Pacific/Apia", "Mars/Base"))},
                {"vip": None, "due": (self.world.now + timedelta(days=1)).isoformat()},
            )
        )
        whose.traits.update(changed)
        if changed.get("zone") not in (None, "Mars/Base"):
            whose.zone = str(changed["zone"])
        self.world.tell(TRAITS_CHANGED, changed, customer=whose)

    def _enters(self, whose: SimulatedCustomer) -> None:
        for program in self.world.live.values():
            if self._random.random() < 0.3:
                continue
            event = program.entry_event
            said = {**self._said(), "journey": program.journey} if event == ENTER else self._said()
            told: dict[str, Any] = {
                "event": event,
                "said": said | _example(program),
                "customer": whose,
            }
            told["message_id"] = self.world.tell(**told)
            self._sent.append(told)

    def _foreign(self, whose: SimulatedCustomer) -> None:
        """Somebody signals a run directly, without a number, and once more."""
        runs = [run for run in self.world.open_runs() if run.entry]
        if runs:
            run = self._random.choice(runs)
            name = f"f{len(run.told)}"
            event = self._random.choice((*self._events(), ENTER, "Nobody Knows"))
            told = touched(event, name, self.world.now, **self._said())
            run.signal([told] * self._random.randint(1, 2))

    def _operates(self, whose: SimulatedCustomer) -> None:
        """Runs continue as new, are told to leave, are resumed."""
        for run in self.world.open_runs():
            if not run.entry:
                continue
            fortune = self._random.random()
            if fortune < 0.5:
                run.continue_as_new()
                self.world.counted["continued as new"] += 1
            elif fortune < 0.55:
                run.order(ToldToLeave(reason="asked to"))
                self.world.counted["told to leave"] += 1
            elif fortune < 0.8:
                run.order(Resumed())
                self.world.counted["resumed"] += 1

    def _nudges(self) -> None:
        """In some worlds those who wait are let go on: where they stand, or where they do not."""
        random = self._nudging
        if random is None or random.random() < 0.5:
            return
        for run in self.world.open_runs():
            if run.entry and random.random() < 0.5:
                address = random.choice((*stands(run.state), *stands(run.state), "nowhere"))
                run.order(Nudged(address=address, reason="the shop is open again"))

    def _deploys(self, whose: SimulatedCustomer) -> None:
        """Another version goes live, and some runs are moved to it, to where they stood or to a step."""
        versions = [p for p in self._programs if p.journey == self._programs[0].journey]
        new = self._random.choice(versions)
        self.world.live[new.journey] = new
        self.world.counted["deployed"] += 1
        for run in self.world.open_runs():
            if run.entry and run.program.journey == new.journey and self._random.random() < 0.5:
                places = [None, None, None, *new.stages, *new.nodes, "nowhere"]
                run.order(MoveOrder(program=new, step=self._random.choice(places)))

    def _agrees(self, whose: SimulatedCustomer) -> None:
        way = self._random.choice(("email", "sms", "push"))
        whose.says(way, self.world.now, yes=self._random.random() < 0.5)

    def _becomes_another(self, whose: SimulatedCustomer) -> None:
        others = [each for each in self.world.customers if each is not whose and not each.became]
        if others and not whose.became:
            self.world.become_one(whose, self._random.choice(others))

    # -- the end

    def _end(self) -> None:
        """A year in which staff and others do their part, and nothing else comes in."""
        world = self.world
        for _ in range(60):
            world.until(world.now + timedelta(days=6))
            if all(run.is_closed for run in world.runs):
                break
            for run in world.open_runs():
                self._does_its_part(run)
        world.until(world.now + timedelta(hours=3))

    def _does_its_part(self, run: SimulatedRun) -> None:
        world, whose = self.world, self.world.of_id[run.customer]
        if needs_attention(run.state):
            run.order(Resumed() if self._random.random() < 0.5 else ToldToLeave(reason="given up"))
        for n, kind in _waiting(run):
            key = f"{run.workflow_id}:{run.entry}:{n}"
            if kind == "case" and self._random.random() < 0.7:
                decision = self._random.choice(("yes", *_decisions(run, n)))
                said: dict[str, JsonValue] = {
                    "case": f"case/{key}",
                    "decision": decision,
                    "fields": {},
                }
                world.tell(CASE_DECIDED, said, customer=whose)
            elif kind == "run" and self._random.random() < 0.7:
                world.ended_other(key, "good")

    def _judged(self) -> list[str]:
        """All the evidence that this installation leaves, held against the rules of every installation."""
        broken = self.evidence()
        return [
            f"{name}: {words}"
            for name in ("lost", "twice", "mailed_twice", "unmailed", "stuck", "left", "improper")
            for words in getattr(broken, name)
        ]

    def evidence(self) -> Broken:
        world = self.world
        admitted = [run for run in world.runs if run.entry]
        seen = Seen(
            at=world.now,
            runs=tuple(self._seen_run(run) for run in admitted),
            touchpoints=world.post.seen_touchpoints(),
            arrivals=world.post.seen_arrivals(),
            deliveries=world.outside.seen(),
            pending=len(world.post.rows),
            joined=dict(world.joined),
            became={each.customer: each.canonical.customer for each in world.customers},
        )
        told = [
            ToldRun(
                workflow_id=run.workflow_id,
                first_run_id=run.first_run_id,
                open=not run.is_closed,
                told=tuple(run.told),
                applied=run.state.arrivals,
                ending=run.state.outcome is not None,
            )
            for run in admitted
        ]
        said = tuple(each for customer in world.customers for each in customer.said)
        outside = Outside(
            acknowledged=tuple(world.post.acknowledged),
            mails=dict(world.outside.mails),
            events={v: p.waited_for | {TRAITS_CHANGED} for v, p in world.versions.items()},
            open_workflows=frozenset(run.workflow_id for run in admitted if not run.is_closed),
            policy=POLICY,
            said=said,
            rules_since=world.began,
        )
        return check(seen, told, outside, run_now=world.now, late=LATE)

    def _seen_run(self, run: SimulatedRun) -> SeenRun:
        state, is_open = run.state, not run.is_closed
        return SeenRun(
            entry=run.entry,
            workflow_id=run.workflow_id,
            first_run_id=run.first_run_id,
            version=run.program.version,
            customer=run.customer,
            open=is_open,
            since=run.since,
            entering=run.entering,
            moved=run.moved,
            joined=run.joined,
            wakes_at=next_alarm(state) if is_open else None,
            waits_for=waits_for(run.program, state, self.world.now) if is_open else (),
            with_staff=any(kind == "case" for _, kind in _waiting(run)),
            needs_attention=None,  # chance stops runs: that somebody must look at them is no fault here
            listens=frozenset(
                () if run.is_closed else self.world.listening.get(run.workflow_id, ())
            ),
        )

    def sum_up(self) -> Lived:
        """The figures of the seed."""
        told, world = self.told, self.world
        for run in world.runs:
            told.advances += len(run.happened)
            for happening, _, _ in run.happened:
                told.happenings[type(happening).__name__] += 1
            told.steps.update(run.steps)
        told.customer_days = len(world.customers) * ((world.now - world.began) / timedelta(days=1))
        told.happenings.update(world.counted)
        told.happenings.update(dict.fromkeys(world.outside.became, 1))
        return told


def _waiting(run: SimulatedRun) -> list[tuple[int, str]]:
    return [(t.waiting.n or 0, t.waiting.kind) for t in run.state.threads if t.waiting]


def _decisions(run: SimulatedRun, n: int) -> tuple[str, ...]:
    asked = run.asked.get(n)
    return tuple(getattr(asked, "decisions", {}))


def _example(program: Program) -> dict[str, JsonValue]:
    """What the flight's entry needs to be worth anything."""
    if program.journey != "flight":
        return {}
    leg: dict[str, JsonValue] = {
        "flight": "t1", "number": "UA1", "from": "EWR", "to": "ORD",
        "departs": "2026-03-29T09:00:00Z", "arrives": "2026-03-29T12:00:00Z",
    }  # fmt: skip
    return {"pnr": "P1", "legs": [leg], "onward": [], "parking": True}
