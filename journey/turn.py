"""One turn of the machine: what steps may see, and all that they may do."""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import JsonValue

from journey import conditions
from journey.effects import (
    CloseCase,
    Deliver,
    Effect,
    PromiseRecord,
    PromiseState,
    SettleOffer,
    ShowRecord,
    Values,
)
from journey.language import On
from journey.moments import read_moment
from journey.state import (
    Mail,
    OpenOffer,
    OpenPromise,
    OpenShow,
    Outstanding,
    State,
    Thread,
    Waiting,
)
from journey.touchpoint import Touchpoint, stamp

if TYPE_CHECKING:
    from journey.program import Node, Program


Noted = tuple[int, datetime, str, str, str]
"""A decision as it is noted, to be a `TraceEntry` for whoever reads the record: its fields in their order."""


@dataclass(slots=True, init=False)
class Turn:
    """The state while it advances, and what has been asked and noted so far.

    `changed`: values or traits did, and have not been looked at; `looked_again`: they were, in this turn.
    """

    program: "Program"
    state: State
    now: datetime
    effects: list[Effect]
    trace: list[Noted]
    promises: list[PromiseRecord]
    shows: list[ShowRecord]
    runnable: deque[Thread]
    changed: bool
    looked_again: bool
    steps: int
    again: bool
    """Whether what is looked at was looked at before: then what cannot be told of it is on record."""
    brought_forward: datetime | None
    """The deadline that a nudge brought forward to now."""

    def __init__(self, program: "Program", state: State, now: datetime) -> None:
        # Written out: factories for the empty lists take four times as long, and each happening makes a turn.
        self.program, self.state, self.now = program, state, now
        self.effects, self.trace = [], []
        self.promises, self.shows = [], []
        self.runnable = deque()
        self.changed = self.looked_again = self.again = False
        self.brought_forward = None
        self.steps = 0

    # -- what steps may see

    def node(self, thread: Thread) -> "Node":
        """The step at which a thread stands."""
        return self.program.nodes[thread.at]

    def names(
        self, thread: Thread | None, touchpoint: Touchpoint | None = None
    ) -> dict[str, object]:
        """What conditions may name here; `event` is the given touchpoint, else what met the thread last."""
        state = self.state
        event = touchpoint.named() if touchpoint else (thread.event if thread else None)
        return {
            "now": self.now,
            "event": event or {},
            "customer": {**state.traits, "id": state.customer, "zone": state.zone},
            "run": self.run_values(),
            **state.results,
            **(thread.items if thread else {}),
        }

    def run_values(self) -> Values:
        """What conditions and templates see as `run`."""
        state = self.state
        entered = stamp(state.entered_at) if state.entered_at else None
        return {**state.values, "key": state.key, "stage": state.stage, "entered_at": entered}

    def template_values(self, thread: Thread) -> Values:
        """What a template may name here, apart from the customer, who is read when it is rendered.

        It goes into history: only what was kept, and no more words than needed.
        """
        state = self.state
        run: Values = dict(state.values)
        if state.key is not None:
            run["key"] = state.key
        values: Values = {**state.results, **thread.items}
        if run:
            values["run"] = run
        if thread.event:
            values["event"] = {name: value for name, value in thread.event.items() if value != {}}
        return values

    def holds(self, condition: str, names: dict[str, object], address: str) -> bool:
        """Whether a condition holds; an error is noted and counts as no."""
        try:
            return conditions.holds(condition, names, self.program.names)
        except conditions.ConditionError as error:
            self.note(address, "condition_error", str(error))
            return False

    def value(self, source: str, names: dict[str, object]) -> JsonValue:
        """The value of an expression. Raises: `ConditionError`."""
        return conditions.json_value(source, names, self.program.names)

    def moment(self, text: str, began: datetime, thread: Thread) -> datetime:
        """The instant that a moment stands for. Raises: `ConditionError`."""
        moment = read_moment(text)
        names = self.names(thread) if moment.source is not None else {}
        zone, business = self.state.zone, self.program.business
        return moment.resolve(began, zone, business, names, self.program.names)

    def moment_or(
        self, text: str | None, began: datetime, thread: Thread, otherwise: datetime | None
    ) -> datetime | None:
        """The instant, or `otherwise` with a note where the moment cannot be told."""
        if text is None:
            return None
        try:
            return self.moment(text, began, thread)
        except conditions.ConditionError as error:
            self.note(thread.at, "condition_error", f"{text}: {error}")
            return otherwise

    def is_over(self, moment: datetime) -> bool:
        """Whether an instant has come, by the clock or as a nudge brought it forward."""
        return moment <= self.now or (
            self.brought_forward is not None and moment <= self.brought_forward
        )

    def stamped(self, text: JsonValue) -> datetime | None:
        """An instant that was kept as text by `stamp`."""
        return datetime.fromisoformat(text) if isinstance(text, str) else None

    def is_about(self, on: On, touchpoint: Touchpoint, thread: Thread | None, address: str) -> bool:
        """Whether a touchpoint is the one that `on` describes.

        The journey-wide `match` is asked of touchpoints about the customer; one about a subject
        reached this run because the run listens to that subject.
        """
        if on.on != touchpoint.event:
            return False
        subject = touchpoint.context.get("subject")
        match = on.match if on.match is not None else (self.program.match if not subject else None)
        if not match and on.when is None and on.about is None:
            return True
        names = self.names(thread, touchpoint)
        if on.about is not None:
            try:
                about = self.value(on.about, names)
            except conditions.ConditionError as error:
                self.note(address, "condition_error", str(error))
                return False
            if not isinstance(subject, dict) or subject.get("id") != about:
                return False
        if match and not self.holds(match, names, address):
            return False
        return on.when is None or self.holds(on.when, names, address)

    def earliest(self, thread: Thread, wanted: Callable[[Touchpoint], bool]) -> Mail | None:
        """The first touchpoint in the mailbox that is not behind the thread and is wanted."""
        for mail in self.state.mailbox:
            if thread.may_meet(mail):
                with self.looking_at(thread, mail):
                    found = wanted(mail.touchpoint)
                if found:
                    return mail
        return None

    @contextmanager
    def looking_at(self, thread: Thread, mail: Mail) -> Generator[None]:
        """A waiting thread looks at a touchpoint. Each turn it looks again: its conditions may hold by now."""
        waiting = thread.waiting
        self.again = waiting is not None and mail.arrival <= waiting.tallied
        yield
        self.again = False
        if waiting is not None:
            waiting.tallied = max(waiting.tallied, mail.arrival)

    def answer_to(self, thread: Thread, event: str, key: str) -> Mail | None:
        """The touchpoint of ours that answers what the thread asked for: `key` is the property that names it."""
        waiting = thread.waiting
        if waiting is None:
            return None
        ending = f":{self.state.entry}:{waiting.n}"

        def answers(touchpoint: Touchpoint) -> bool:
            named = str(touchpoint.properties.get(key, ""))
            return touchpoint.event == event and named.endswith(ending)

        return self.earliest(thread, answers)

    # -- what steps may do

    def fail(self, thread: Thread, n: int, on_failure: object, why: str) -> None:
        """An effect cannot be had: go on, stop until resumed, or take the steps under `on_failure`."""
        self.note(thread.at, "failed", why)
        if on_failure == "stop":
            self.state.outstanding[n].held = True
            self.wait(thread, Waiting("stopped", self.now, n=n, why=why[:200]))
            return
        self.state.outstanding.pop(n, None)
        if isinstance(on_failure, list):
            self.enter(thread, "on_failure")
        else:
            self.proceed(thread)

    def note(self, address: str, kind: str, why: str) -> None:
        """Keep a decision for the record, in words."""
        if self.again and kind == "condition_error":
            return
        state = self.state
        state.sequence += 1
        self.trace.append((state.sequence, self.now, address, kind, why[:500]))

    def count(self) -> int:
        """The next number for an effect."""
        self.state.counter += 1
        return self.state.counter

    def ask(self, effect: Effect, thread: Thread | None) -> None:
        """Ask for an effect; the thread is told of its answer."""
        self.state.outstanding[effect.n] = Outstanding(effect, thread.thread if thread else None)
        self.effects.append(effect)

    def wait(self, thread: Thread, waiting: Waiting) -> None:
        """Let the thread wait where it stands."""
        thread.waiting = waiting

    def consume(self, thread: Thread, mail: Mail) -> None:
        """The thread was met by this touchpoint: it and what came before are behind it now."""
        thread.mark = max(thread.mark, mail.arrival)
        self.meet(thread, mail)

    def meet(self, thread: Thread, mail: Mail) -> None:
        """The thread was met by this touchpoint, and still looks back as far as before."""
        thread.met.append(mail.arrival)
        thread.event = mail.touchpoint.named()

    def enter(self, thread: Thread, block: str) -> None:
        """Go on inside a block of the step; an empty block falls through to the next step."""
        thread.waiting = None
        first = self.program.nodes[thread.at].blocks.get(block)
        if first is None:
            self.proceed(thread)
            return
        thread.at = first
        self.runnable.append(thread)

    def proceed(self, thread: Thread) -> None:
        """Go on at the next step, or end the thread where there is none."""
        thread.waiting = None
        following = self.program.nodes[thread.at].next
        if following is None:
            self.end_thread(thread)
        else:
            thread.at = following
            self.runnable.append(thread)

    def stop(self, thread: Thread, why: str) -> None:
        """Stop a thread where it stands until people have looked at it and the run is resumed."""
        self.note(thread.at, "stopped", why)
        self.wait(thread, Waiting("stopped", self.now, why=why[:200]))

    def spawn(self, parent: Thread, at: str, home: str, *, joins: bool) -> Thread:
        """Start a thread that sees what its parent sees. `joins`: the parent waits for it."""
        thread = Thread(
            thread=self.count(),
            at=at,
            home=home,
            mark=parent.mark,
            items=dict(parent.items),
            links=dict(parent.links),
            event=parent.event,
            parent=parent.thread if joins else None,
        )
        self.state.threads.append(thread)
        return thread

    def run_thread(self, thread: Thread) -> None:
        """Let a spawned thread begin at its step."""
        self.runnable.append(thread)

    def end_thread(self, thread: Thread) -> None:
        """The thread is done; the parent goes on when all its threads are.

        The way of the customer itself ends in an outcome only: where nothing follows, people must look.
        """
        if thread.home == "main" and thread.parent is None:
            self.stop(thread, "nothing follows this step")
            return
        state = self.state
        state.threads = [other for other in state.threads if other is not thread]
        self._reaction_ended(thread)
        for parent in list(state.threads):
            waits = parent.waiting is not None and parent.waiting.kind == "threads"
            if parent.thread == thread.parent and waits:
                left = [other for other in state.threads if other.parent == parent.thread]
                self.node(parent).step.joined(self, parent, left)

    def drop_thread(self, thread: Thread, why: str) -> None:
        """End a thread and those that it waits for, undoing what they left open."""
        waiting = thread.waiting
        if waiting and waiting.kind == "case" and waiting.n is not None:
            self.close_case(waiting.n, why)
        if waiting and waiting.kind in ("deferred", "stopped") and waiting.n is not None:
            asked = self.state.outstanding.pop(waiting.n, None)
            if asked and isinstance(asked.effect, Deliver):
                self.note(thread.at, "not_sent", f"{asked.effect.message} not sent: {why}")
        if waiting and waiting.kind == "show" and waiting.n is not None:
            self.show(ShowRecord(n=waiting.n, shown=False))
            self.state.shows = [other for other in self.state.shows if other.n != waiting.n]
        for promise in [other for other in self.state.promises if waiting and other.n == waiting.n]:
            broken = promise.state == "late"
            self.settle_promise(promise, "broken" if broken else "dropped", why)
            self.state.promises.remove(promise)
        for other in [other for other in self.state.threads if other.parent == thread.thread]:
            self.drop_thread(other, why)
        self.state.threads = [other for other in self.state.threads if other is not thread]
        self._reaction_ended(thread)
        if thread in self.runnable:
            self.runnable.remove(thread)

    def _reaction_ended(self, thread: Thread) -> None:
        # A condition that came true while its reaction was busy is looked at again now.
        kind, _, index = thread.home.partition("/")
        if kind != "reaction" or not index:
            return
        rules = self.program.reactions
        # A version that the run was moved to may have fewer reactions than the one that began it.
        if int(index) < len(rules) and rules[int(index)].on is None:
            self.changed = True

    def close_case(self, case: int, why: str) -> None:
        """Close a case that nobody needs to decide any more."""
        self.ask(CloseCase(n=self.count(), case=case, reason=why), None)

    def go(self, thread: Thread, stage: str) -> None:
        """Take the main thread to the first step of a stage; what it was in the middle of is dropped."""
        state = self.state
        mark, event, met = thread.mark, thread.event, set(thread.met)
        for main in [
            other for other in state.threads if other.home == "main" and other.parent is None
        ]:
            mark, met = max(mark, main.mark), met.union(main.met)
            self.drop_thread(main, f"the journey went on to {stage}")
        root = self._root(thread)
        if root in state.threads:
            self.drop_thread(root, f"the journey went on to {stage}")
        new = Thread(thread=self.count(), at="", home="main", mark=mark, event=event)
        new.met = sorted(met)
        state.threads.insert(0, new)
        self.enter_stage(new, stage)

    def _root(self, thread: Thread) -> Thread:
        """The thread that waits, in the end, for this one."""
        by_number = {other.thread: other for other in self.state.threads}
        while thread.parent in by_number:
            thread = by_number[thread.parent]
        return thread

    def enter_stage(self, thread: Thread, stage: str) -> None:
        """The customer comes to a stage."""
        self.state.stage = stage
        self.state.visits[stage] = self.state.visits.get(stage, 0) + 1
        self.changed = self.changed or self.program.names_stage
        again = self.state.visits[stage] > 1
        self.note(stage, "stage", f"came back to {stage}" if again else f"came to {stage}")
        thread.waiting = None
        thread.at = self.program.stages[stage]
        self.runnable.append(thread)

    def finish(self, address: str, outcome: str, why: str, *, leaves: bool = False) -> None:
        """The run ends; what it left open is undone.

        `leaves`: otherwise than by its own `finish`. Then its coupons are void, and `on_exit` is done.
        """
        state = self.state
        if state.outcome is not None:
            return
        state.outcome = outcome
        state.goal = self.program.reaches_goal(outcome, state.entered_at, self.now, state.zone)
        self.note(address, "finished", why)
        last = next((each.event for each in state.threads if each.home == "main"), None)
        for thread in [other for other in state.threads if other.parent is None]:
            self.drop_thread(thread, f"the journey ended: {outcome}")
        for n, asked in list(state.outstanding.items()):
            if isinstance(asked.effect, Deliver):
                del state.outstanding[n]
                self.note(
                    address,
                    "not_sent",
                    f"{asked.effect.message} not sent unless it had left: {why}",
                )
        self.effects = [effect for effect in self.effects if not isinstance(effect, Deliver)]
        self.runnable.clear()
        if leaves:
            self.void_offers(why, state.offers)
            self._do_at_exit(last)
        state.offers = []

    def give_way(self, outcome: str, why: str) -> None:
        """The run ends for another one: its coupons are void, and nothing is done at its end."""
        if self.state.outcome is None:
            self.void_offers(why, self.state.offers)
            self.finish("", outcome, why)

    def void_offers(self, why: str, offers: Sequence[OpenOffer]) -> None:
        """Coupons of this run are worth nothing any more."""
        state = self.state
        for offer in offers:
            self.note("on_exit", "offer", f"{offer.name} voided: {why}")
            known = state.results.get(offer.name)
            if isinstance(known, dict) and offer.is_told_by(known):
                state.results[offer.name] = {**known, "state": "voided"}
            n = self.count()
            self.ask(SettleOffer(n=n, grant=offer.n, state="voided", reason=why), None)

    def _do_at_exit(self, event: Values | None) -> None:
        """What the journey does at its end begins."""
        state, first = self.state, self.program.at_exit
        if first is not None:
            thread = Thread(
                thread=self.count(), at=first, home="exit", mark=state.arrivals, event=event
            )
            state.threads.append(thread)
            self.run_thread(thread)

    def keep_show(self, kept: OpenShow) -> None:
        """Keep whether and with which values something is said now."""
        others = [show for show in self.state.shows if show.n != kept.n]
        self.state.shows = [*others, kept]

    def show(self, record: ShowRecord) -> None:
        """Keep what is to be said at places now."""
        self.shows = [*(other for other in self.shows if other.n != record.n), record]

    def settle_promise(self, promise: OpenPromise, state: PromiseState, reason: str) -> None:
        """Keep how a promise stands now."""
        promise.state = state
        self.promises = [other for other in self.promises if other.n != promise.n]
        self.promises.append(
            PromiseRecord(
                n=promise.n,
                name=promise.name,
                by=promise.by,
                state=state,
                at=self.now,
                reason=reason,
            )
        )
