"""A rehearsal: many customers through one journey, in memory, as fast as the machine thinks.

The same machine that drives real runs, without clock, server or database: time is what the
stream of touchpoints says it is. Routing, deliveries and cases follow the rules of the real
ones: entries by condition, key and `again`; touchpoints numbered by customer; subjects reach
who listens, also what was told before a run came to listen; a delivery is decided by the same
policy at its last moment; a case is decided once.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from pydantic import JsonValue

from contracts.ids import effect_key, workflow_id
from insight.rehearsal_effects import CallFailedError, EffectsInMemory
from insight.rehearsal_world import Decided, Incoming, Outside, World
from insight.rehearsed import Rehearsed, RehearsedDelivery, RehearsedRun
from insight.rehearsed_looks import EntryCap, RehearsedLooks
from journey.conditions import ConditionError
from journey.effects import Deliver, Effect
from journey.happenings import (
    AlarmFired,
    Arrived,
    EffectFailed,
    EffectFinished,
    Entered,
    Happening,
)
from journey.machine import advance, next_alarm
from journey.program import Program
from journey.standing import standing
from journey.state import State
from journey.touchpoint import (
    ENTER,
    RUN_ENDED,
    SURVEY_ANSWERED,
    TRAITS_CHANGED,
    Touchpoint,
)

MAX_HAPPENINGS = 5_000_000
"""A rehearsal that takes more is going in circles."""


class EndlessRehearsalError(RuntimeError):
    """More happened than a rehearsal may hold; the journey or its world goes in circles."""

    def __init__(self, most: int) -> None:
        super().__init__(f"More than {most:,} happenings: shorten the stream, or allow more.")


class Rehearsal:
    """Drives customers through a program. The same stream and world give the same result, always."""

    def __init__(
        self,
        program: Program,
        world: World,
        *,
        most: int = MAX_HAPPENINGS,
        outside: Outside | None = None,
        entries: int = 0,
    ) -> None:
        """`entries`: how many numbers of entry were given out before."""
        self.result = Rehearsed()
        self._program = program
        self._world = world
        self._most = most
        self._happened = 0
        self._now: datetime | None = None
        self._queue: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._pushed = 0
        self._entries = entries
        self._seen: set[str] = set()
        self._numbers: dict[str, int] = {}
        self._live: dict[str, dict[str, RehearsedRun]] = {}
        self._listeners: dict[tuple[str, str], dict[str, RehearsedRun]] = {}
        self._told: dict[tuple[str, str], list[Touchpoint]] = {}
        self._effects = EffectsInMemory(
            self.result, world, self._at, self._take_in, outside or Outside(), program.journey
        )
        self._looks = RehearsedLooks(program, world, self._effects, self._at, self._take_in)
        self._cap = EntryCap(program.definition.enter.cap)

    def run(self, stream: Iterable[Incoming], until: datetime | None = None) -> Rehearsed:
        """Let everything happen, up to `until` or until nothing is left to happen."""
        self.feed(stream)
        return self.go_on(until)

    def feed(self, stream: Iterable[Incoming]) -> None:
        """Add touchpoints that are to come. At the same instant, what was fed first comes first."""
        for incoming in stream:
            self._at(incoming.at, lambda at, incoming=incoming: self._take_in(incoming, at))

    def go_on(self, until: datetime | None = None) -> Rehearsed:
        """Let happen what is due by `until`. Raises: `EndlessRehearsalError`."""
        while self._queue and (until is None or self._queue[0][0] <= until):
            at, _, happen = heapq.heappop(self._queue)
            self._happened += 1
            if self._happened > self._most:
                raise EndlessRehearsalError(self._most)
            # What was to happen in the past happens now: time never goes back.
            self._now = max(at, self._now or at)
            happen(self._now)
        return self.result

    def decide_case(self, case: str, decided: Decided, at: datetime) -> bool:
        """Let staff decide a case now; False where it was decided or closed before."""
        return self._effects.decide_case(case, decided, at)

    def know(self, customer: str, at: datetime, *, new: bool = False) -> None:
        """Begin to look at a customer who may enter without doing anything. `new`: nobody knew them before."""
        self._looks.know(customer, at, new=new)

    def request(self, customer: str, properties: Mapping[str, JsonValue], at: datetime) -> None:
        """Ask that a customer enter now."""
        self._pushed += 1
        asked = Touchpoint(
            message_id=f"requested/{customer}/{self._pushed}",
            event=ENTER,
            timestamp=at,
            properties={**properties, "journey": self._program.journey},
        )
        self._take_in(Incoming(at=at, touchpoint=asked, customer=customer), at)

    def end_started(self, key: str, outcome: str, at: datetime, *, goal: bool = False) -> None:
        """Let a run that a run began end."""
        started = self.result.starts[key]
        told = Touchpoint(
            message_id=f"ended/{key}",
            event=RUN_ENDED,
            timestamp=at,
            properties={"run": key, "outcome": outcome, "goal": goal},
        )
        self._take_in(Incoming(at=at, touchpoint=told, customer=started.customer), at)

    def answer_survey(self, key: str, said: Mapping[str, JsonValue], at: datetime) -> None:
        """Let the customer answer what they were asked under this key."""
        answer = Touchpoint(
            message_id=f"answer/{key}",
            event=SURVEY_ANSWERED,
            timestamp=at,
            properties={**said, "ask": key},
        )
        customer = self.result.deliveries[key].customer
        self._take_in(Incoming(at=at, touchpoint=answer, customer=customer), at)

    def hold(self, customer: str, journey: str) -> None:
        """Let marketing to a customer wait for the end of another journey of theirs."""
        self._effects.hold(customer, journey)

    def lift(self, customer: str, at: datetime) -> None:
        """Let that other journey end."""
        self._effects.lift(customer, at)

    def change_traits(self, customer: str, traits: Mapping[str, JsonValue], at: datetime) -> None:
        """Let traits of a customer change at an instant."""

        def change(at: datetime) -> None:
            self._effects.traits(customer).update(traits)
            self._pushed += 1
            told = Touchpoint(
                message_id=f"changed/{customer}/{self._pushed}",
                event=TRAITS_CHANGED,
                timestamp=at,
                properties=dict(traits),
            )
            self._take_in(Incoming(at=at, touchpoint=told, customer=customer), at)

        self._at(at, change)

    def traits(self, customer: str) -> dict[str, JsonValue]:
        """The customer's traits as they stand now."""
        return self._effects.traits(customer)

    def _at(self, at: datetime, happen: Callable[[datetime], None]) -> None:
        self._pushed += 1
        heapq.heappush(self._queue, (at, self._pushed, happen))

    # -- routing

    def _take_in(self, incoming: Incoming, at: datetime) -> None:
        touchpoint, result = incoming.touchpoint, self.result
        result.touchpoints += 1
        if touchpoint.message_id in self._seen:
            result.fates["repeated"] += 1
            return
        self._seen.add(touchpoint.message_id)
        runs = dict(self._live.get(incoming.customer or "", {}))
        subject = _subject(touchpoint)
        if subject is not None:
            self._told.setdefault(subject, []).append(touchpoint)
            runs |= self._listeners.get(subject, {})
        enters = self._program.enters_on(touchpoint)
        if incoming.customer is not None and enters:
            entered = self._enter(incoming.customer, touchpoint, at)
            if entered is not None:
                runs.pop(entered, None)
        wanted = touchpoint.event in self._program.listens
        if not runs or not wanted:
            if not enters:
                result.fates["ignored"] += 1
        else:
            for run in runs.values():
                self._tell(run, touchpoint, at)
        if incoming.customer is not None:
            self._looks.came(incoming.customer, touchpoint, at)

    def _tell(self, run: RehearsedRun, touchpoint: Touchpoint, at: datetime) -> None:
        self.result.fates["signalled"] += 1
        self._advance(run, Arrived(touchpoints=(self._numbered(run.customer, touchpoint),)), at)

    def _numbered(self, customer: str, touchpoint: Touchpoint) -> Touchpoint:
        number = self._numbers.get(customer, 0) + 1
        self._numbers[customer] = number
        return replace(touchpoint, number=number)

    def _enter(self, customer: str, touchpoint: Touchpoint, at: datetime) -> str | None:
        program, result = self._program, self.result
        known = self._world.customer(customer)
        traits = self._effects.traits(customer)
        profile = {**traits, "id": customer, "zone": known.zone or program.zone}
        try:
            wanted = program.entry_wanted(touchpoint, profile)
            key = program.entry_key(touchpoint, profile) if wanted else None
        except ConditionError as error:
            result.fates["refused"] += 1
            result.turn_away(customer, f"whether they may enter cannot be told: {error}")
            return None
        name = workflow_id(program.journey, customer, key)
        previous = result.runs.get(name)
        if previous is not None and previous.ended_at is None:
            return None
        came = previous.entered_at if previous else None
        why = None if wanted else f"not true of them: {program.definition.enter.when}"
        if wanted and not program.again.allows(came, at, known.zone or program.zone):
            why = f"they had entered before, and again is {program.definition.enter.again}"
        if why is None and not self._cap.has_room(at):
            why = "as many as may enter had entered"
        if why is not None:
            result.fates["not_entered"] += 1
            result.turn_away(customer, why)
            return None
        if previous is not None:
            result.ended.append(previous)
        self._entries += 1
        run = RehearsedRun(name, self._entries, customer, key, at, State())
        run.entered_by = touchpoint.message_id
        result.runs[name] = run
        result.fates["entered"] += 1
        self._live.setdefault(customer, {})[name] = run
        entered = Entered(
            entry=run.entry,
            customer=customer,
            key=key,
            zone=known.zone,
            held_out=program.held_out(customer),
            traits={trait: traits[trait] for trait in program.traits if trait in traits},
            entering=self._numbered(customer, touchpoint),
        )
        self._advance(run, entered, at)
        return name

    # -- one run

    def _advance(self, run: RehearsedRun, happening: Happening, at: datetime) -> None:
        advanced = advance(self._program, run.state, happening, at)
        record, run.state = advanced.record, advanced.state
        run.trace += record.trace
        run.promises.update({promise.n: promise for promise in record.promises})
        run.shows.update({show.n: show for show in record.shows})
        for effect in advanced.effects:
            if effect.n in run.state.outstanding:
                self._carry_out(run, effect, at)
        if record.listens is not None:
            self._listen(run, record.listens, at)
        if run.outcome is not None and run.ended_at is None:
            run.ended_at, run.wakes_at = at, None
            self._live[run.customer].pop(run.workflow_id, None)
            self._listen(run, {}, at)
        run.stands_at(standing(run.state, run.stands, at), at)
        self._set_alarm(run)

    def _set_alarm(self, run: RehearsedRun) -> None:
        wakes_at = next_alarm(run.state)
        if wakes_at is None or wakes_at == run.wakes_at:
            run.wakes_at = wakes_at
            return
        run.wakes_at = wakes_at

        def ring(at: datetime) -> None:
            if run.wakes_at == wakes_at:
                run.wakes_at = None
                self._advance(run, AlarmFired(at=wakes_at), at)

        self._at(wakes_at, ring)

    def _listen(
        self, run: RehearsedRun, subjects: Mapping[str, tuple[str, ...]], at: datetime
    ) -> None:
        now = {(kind, one) for kind, ids in subjects.items() for one in ids}
        for subject in run.listens - now:
            self._listeners[subject].pop(run.workflow_id, None)
        new, run.listens = now - run.listens, now
        for subject in sorted(new):
            self._listeners.setdefault(subject, {})[run.workflow_id] = run
            # What was told before the run came to listen reaches it too, from its entry on.
            for told in self._told.get(subject, []):
                if told.timestamp >= run.entered_at and told.event in self._program.listens:
                    self._at(at, lambda at, told=told: self._tell_late(run, told, at))

    def _tell_late(self, run: RehearsedRun, told: Touchpoint, at: datetime) -> None:
        if run.ended_at is None:
            self._tell(run, told, at)

    # -- effects

    def _carry_out(self, run: RehearsedRun, effect: Effect, at: datetime) -> None:
        key = effect_key(run.workflow_id, run.entry, effect.n)
        if isinstance(effect, Deliver):
            asked = RehearsedDelivery(key, run.customer, effect, at)
            self.result.deliveries.setdefault(key, asked)

        def carry_out(at: datetime) -> None:
            try:
                answer = self._effects.answer(run, effect, key, at)
            except CallFailedError as error:
                why = f"nobody answers for {error}"
                self._advance(run, EffectFailed(n=effect.n, error="CallFailed", message=why), at)
                return
            if answer is not None:
                self._advance(run, EffectFinished(n=effect.n, answer=answer), at)

        self._at(at + self._world.takes(key, effect), carry_out)


def _subject(touchpoint: Touchpoint) -> tuple[str, str] | None:
    subject = touchpoint.context.get("subject")
    if not isinstance(subject, dict):
        return None
    return str(subject.get("kind")), str(subject.get("id"))
