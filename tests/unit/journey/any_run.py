"""A run to which anything may happen, and what must hold of it whatever did."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from journey.delivery_policy import HELD_BY
from journey.effects import Deliver, Effect, GrantOffer, SettleOffer, ShowRecord
from journey.happenings import (
    AlarmFired,
    Arrived,
    DeliveryAnswer,
    EffectFailed,
    EffectFinished,
    Entered,
    Happening,
    OfferAnswer,
    Resumed,
    ToldToLeave,
)
from journey.machine import Advanced, advance
from journey.program import Program
from journey.standing import needs_attention, next_alarm
from journey.state import State, Thread, dump_state, load_state
from journey.steps.wait import Wait
from journey.touchpoint import (
    AUDIENCE_LEFT,
    CASE_DECIDED,
    HOLD_LIFTED,
    RUN_ENDED,
    SURVEY_ANSWERED,
    TRAITS_CHANGED,
    Touchpoint,
)
from tests.unit.journey.any_journey import EVENTS
from tests.unit.journey.story import NOON, touched, usual_answer

DUE = st.sampled_from(
    ["2026-03-02T20:00:00Z", "2026-03-01T00:00:00Z", "9999-12-31T23:59:00-10:00", None, 7]
)
LISTS = st.sampled_from([[], [1], [1, 2, 3, 4], "no list", None])
SAID = st.fixed_dictionaries({"n": st.integers(0, 2), "due": DUE, "list": LISTS})

TOUCHED = st.tuples(st.sampled_from(EVENTS), SAID, st.sampled_from(["router", "foreign", "again"]))
TOLD = st.lists(TOUCHED, min_size=1, max_size=3).map(lambda told: ("touched", told))
ANSWERED = st.tuples(
    st.just("answered"),
    st.sampled_from(["well", "well", "refused", "deferred", "held", "unknown", "failed", "old"]),
)
TRAITS = st.fixed_dictionaries(
    {},
    optional={
        "vip": st.booleans(),
        "due": DUE,
        "zone": st.sampled_from(["Europe/Prague", "Mars/Base"]),
    },
)
REPLIES: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{"score": 10}, {"score": 2}, {"score": "no"}, {"choice": "by-train"}, {"text": "Fine"}, {}]
)
FROM_US = st.sampled_from(
    [
        (HOLD_LIFTED, {}),
        (AUDIENCE_LEFT, {"journey": "any"}),
        (AUDIENCE_LEFT, {"journey": "other"}),
    ]
)
HAPPENINGS = st.one_of(
    TOLD,
    TOLD,
    ANSWERED,
    ANSWERED,
    st.tuples(st.just("decided"), st.sampled_from(["yes", "no", "made-up"])),
    st.tuples(st.just("replied"), REPLIES),
    st.tuples(st.just("other_ended"), st.sampled_from(["good", "bad", "not_admitted"])),
    st.tuples(st.just("from_us"), FROM_US),
    st.tuples(st.just("time"), st.sampled_from([0, 0.5, 1, 5, 30, 400])),
    st.tuples(st.just("alarm"), st.sampled_from(["early", "due", "late"])),
    st.tuples(st.just("traits"), TRAITS),
    st.sampled_from([("resume", None)] * 9 + [("leave", None)]),
)


@dataclass
class AnyRun:
    """A run, with every invariant looked at after each thing that happens to it."""

    program: Program
    now: datetime = NOON
    state: State = field(default_factory=State)
    asked: list[Effect] = field(default_factory=list[Effect])
    sent: list[Touchpoint] = field(default_factory=list[Touchpoint])
    number: int = 0
    marks: dict[int, int] = field(default_factory=dict[int, int])
    done: set[int] = field(default_factory=set[int])
    shows: dict[int, ShowRecord] = field(default_factory=dict[int, ShowRecord])

    def enter(self) -> None:
        said = {"n": 1, "due": "2026-03-02T18:00:00Z", "list": [1, 2]}
        first = self._touchpoint(self.program.entry_event, said, "router")
        self.happens(Entered(entry=1, customer="anna", entering=first))

    def lives_through(self, kind: str, what: Any) -> None:
        match kind:
            case "touched":
                self.arrives(*(self._touchpoint(*told) for told in what))
            case "decided":
                said = {"case": f"x:1:{self._waiting_for('case')}", "decision": what}
                self.arrives(self._touchpoint(CASE_DECIDED, said, "router"))
            case "replied":
                said = {"ask": f"x:1:{self._waiting_for('survey')}", **what}
                self.arrives(self._touchpoint(SURVEY_ANSWERED, said, "router"))
            case "other_ended":
                said = {"run": f"x:1:{self._waiting_for('run')}", "outcome": what}
                self.arrives(self._touchpoint(RUN_ENDED, said, "router"))
            case "from_us":
                event, said = what
                self.arrives(self._touchpoint(event, said, "router"))
            case "answered":
                self._answer(what)
            case "time":
                self.now += timedelta(hours=what)
            case "alarm":
                self._alarm(what)
            case "traits":
                self.arrives(self._touchpoint(TRAITS_CHANGED, what, "router"))
            case "resume":
                self.happens(Resumed())
            case _:
                self.happens(ToldToLeave(reason="asked to"))

    def arrives(self, *touchpoints: Touchpoint) -> None:
        self.happens(Arrived(touchpoints=touchpoints))
        again = self._advance(Arrived(touchpoints=touchpoints))
        assert again.effects == []
        assert dump_state(again.state) == dump_state(self.state), "a redelivery changed something"

    def happens(self, happening: Happening) -> None:
        may_ask_again = {n for n, asked in self.state.outstanding.items() if asked.held}
        if isinstance(happening, EffectFinished) and _is_held(happening.answer):
            # What held it may have ended while its answer was on the way: then it is asked for at once.
            may_ask_again.add(happening.n)
        advanced = self._advance(happening)
        for effect in advanced.effects:
            self._ask(effect, may_ask_again)
        self.shows |= {show.n: show for show in advanced.record.shows}
        self.state = load_state(dump_state(advanced.state))
        self._look_at_threads()
        quiet = self._advance(AlarmFired(at=self.now))
        assert dump_state(quiet.state) == dump_state(self.state), "something was left undone"

    def _advance(self, happening: Happening) -> Advanced:
        before = dump_state(self.state)
        advanced = advance(self.program, self.state, happening, self.now)
        assert dump_state(self.state) == before, "advance changed the state it was given"
        again = advance(self.program, load_state(before), happening, self.now)
        assert again.effects == advanced.effects
        assert dump_state(again.state) == dump_state(advanced.state), "the same gave another run"
        return advanced

    def _ask(self, effect: Effect, may_ask_again: set[int]) -> None:
        numbers = {asked.n for asked in self.asked}
        if effect.n in numbers:
            assert effect.n in may_ask_again, f"{effect.n} was asked for twice"
        self.asked.append(effect)

    # -- what happens

    def _touchpoint(self, event: str, said: dict[str, Any], sender: str) -> Touchpoint:
        if sender == "again" and self.sent:
            return self.sent[len(self.sent) // 2]
        self.number += 1
        touchpoint = touched(event, f"m-{len(self.sent)}", self.now, **said)
        if sender == "router":
            touchpoint = touched(event, f"m-{len(self.sent)}", self.now, number=self.number, **said)
        self.sent.append(touchpoint)
        return touchpoint

    def _waiting_for(self, kind: str) -> int:
        """What some thread waits for: a case, an answer, the end of another run; 0 where none does."""
        waiting = [t.waiting.n for t in self.state.threads if t.waiting and t.waiting.kind == kind]
        return waiting[0] or 0 if waiting else 0

    def _answer(self, how: str) -> None:
        open_effects = [asked.effect for asked in self.state.outstanding.values() if not asked.held]
        pool = self.asked if how == "old" else open_effects
        if not pool:
            return
        effect = pool[len(pool) // 2]
        if how == "failed":
            self.happens(EffectFailed(n=effect.n, error="Error", message="for good"))
        elif isinstance(effect, Deliver) and how != "well":
            answer = DeliveryAnswer(state="accepted")
            if how in ("refused", "unknown"):
                answer = DeliveryAnswer(state=how, reason=how)
            elif how in ("deferred", "held"):
                until, why = self.now + timedelta(hours=3), HELD_BY if how == "held" else "night"
                answer = DeliveryAnswer(state="deferred", reason=why, until=until)
            self.happens(EffectFinished(n=effect.n, answer=answer))
        elif isinstance(effect, GrantOffer) and how == "refused":
            none = OfferAnswer(code=None, reason="none are left")
            self.happens(EffectFinished(n=effect.n, answer=none))
        else:
            self.happens(EffectFinished(n=effect.n, answer=usual_answer(effect)))

    def _alarm(self, how: str) -> None:
        alarm = next_alarm(self.state)
        if alarm is None:
            return
        if how != "early":
            self.now = max(self.now, alarm) + timedelta(minutes=7 if how == "late" else 0)
        self.happens(AlarmFired(at=alarm))
        self.now = max(self.now, alarm)

    def _others_do_their_part(self) -> bool:
        """Every other question is answered, and every other run that was begun ends, before its time is over."""
        for kind, happening in (
            ("survey", ("replied", {"score": 5, "choice": "by-train", "text": "Fine"})),
            ("run", ("other_ended", "good")),
        ):
            n = self._waiting_for(kind)
            if n % 2 == 1 and n not in self.done:
                self.done.add(n)
                self.lives_through(*happening)
                return True
        return False

    def ends(self) -> bool:
        """Let it come to its end: whatever is asked for is done, staff decide, time passes."""
        for _ in range(400):
            if self.state.finished:
                return True
            if any(not asked.held for asked in self.state.outstanding.values()):
                self._answer("well")
            elif self._others_do_their_part():
                continue
            elif next_alarm(self.state) is not None:
                self._alarm("due")
            elif self._waiting_for("case"):
                self.lives_through("decided", "yes")
            else:
                return bool(needs_attention(self.state) or self._waits_for_ever())
        return True  # a journey may go round and round, as long as each round waits for something

    # -- what must hold

    def _look_at_threads(self) -> None:
        state = self.state
        self._look_at_coupons_and_shows()
        if state.outcome is not None:
            self._look_at_the_end()
            return
        assert any(t.home == "main" and t.parent is None for t in state.threads), (
            "the customer is lost"
        )
        for thread in state.threads:
            self._look_at(thread)
        assert any(self._will_go_on(thread) for thread in state.threads if thread.home == "main")

    def _look_at_the_end(self) -> None:
        state = self.state
        assert (state.mailbox, state.offers, state.shows, state.promises) == ([], [], [], [])
        assert {thread.home for thread in state.threads} <= {"exit"}, "something goes on"
        for thread in state.threads:
            self._look_at(thread)
            assert thread.waiting is not None
            assert thread.waiting.kind in ("effect", "deferred"), "nobody listens any more"
        for asked in state.outstanding.values():
            assert not isinstance(asked.effect, Deliver) or asked.effect.last_act

    def _look_at_coupons_and_shows(self) -> None:
        state = self.state
        settled = [effect.grant for effect in self.asked if isinstance(effect, SettleOffer)]
        assert len(set(settled)) == len(settled), "a coupon ended twice"
        given = {effect.n for effect in self.asked if isinstance(effect, GrantOffer)}
        assert given.issuperset(settled)
        for kind, known in (("offer", state.offers), ("show", state.shows)):
            watched = [t.waiting.n for t in state.threads if t.waiting and t.waiting.kind == kind]
            assert sorted(n or 0 for n in watched) == sorted(each.n for each in known)
        said = {n for n, show in self.shows.items() if show.shown}
        assert said == {show.n for show in state.shows if show.seen is not None}, (
            "what is said is not what should be"
        )

    def _look_at(self, thread: Thread) -> None:
        waiting = thread.waiting
        assert waiting is not None, f"{thread.at} neither runs nor waits"
        assert thread.mark >= self.marks.get(thread.thread, 0), "a thread looks back twice"
        self.marks[thread.thread] = thread.mark
        assert len(set(thread.met)) == len(thread.met), "one touchpoint met a thread twice"
        if waiting.kind in ("effect", "deferred"):
            asked = self.state.outstanding[waiting.n or 0]
            assert asked.held == (waiting.kind == "deferred")
        if waiting.kind == "threads":
            assert any(other.parent == thread.thread for other in self.state.threads)
        if waiting.kind == "stopped":
            assert waiting.why
        if waiting.kind in ("survey", "run", "offer"):
            assert waiting.deadline is not None, f"{thread.at} waits for ever"
        if waiting.kind == "promise":
            assert any(promise.n == waiting.n for promise in self.state.promises)

    def _will_go_on(self, thread: Thread) -> bool:
        waiting, step = thread.waiting, self.program.nodes[thread.at].step
        if waiting is None:
            return False
        if waiting.kind == "touchpoint":
            return waiting.deadline is not None or (isinstance(step, Wait) and bool(step.forever))
        return waiting.kind != "deferred" or waiting.deadline is not None

    def _waits_for_ever(self) -> bool:
        steps = [self.program.nodes[thread.at].step for thread in self.state.threads]
        return any(isinstance(step, Wait) and bool(step.forever) for step in steps)


def _is_held(answer: object) -> bool:
    """Whether a message was put off because another journey of the customer holds it."""
    if not isinstance(answer, DeliveryAnswer):
        return False
    return answer.is_put_off and answer.reason.startswith(HELD_BY)
