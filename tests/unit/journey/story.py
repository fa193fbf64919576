"""One customer's run, told as a story: what they do, what time it is, what they are told.

Each happening goes through `advance` with a state that was written to JSON and read back, and leaves
the state it was given as it was. Effects are answered at once as carried out, unless told otherwise.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from pydantic import JsonValue

from journey.definition import canonical_json
from journey.document import read_document
from journey.effects import (
    CallActivity,
    CallOut,
    CloseCase,
    Deliver,
    Effect,
    EscalateCase,
    GrantOffer,
    OpenCase,
    ReadTraits,
    RunRecord,
    SettleOffer,
    SetTraits,
    ShowRecord,
    StartRun,
)
from journey.happenings import (
    AlarmFired,
    Answer,
    Arrived,
    CallAnswer,
    CaseAnswer,
    DeliveryAnswer,
    Done,
    EffectFailed,
    EffectFinished,
    Entered,
    Happening,
    Moved,
    Nudged,
    OfferAnswer,
    Resumed,
    ToldToLeave,
    TraitsAnswer,
)
from journey.machine import Advanced, advance
from journey.program import Program, compile_program
from journey.publication import read_definition
from journey.standing import needs_attention, next_alarm, waits_for
from journey.state import State, dump_state, load_state
from journey.touchpoint import (
    CASE_DECIDED,
    RUN_ENDED,
    SURVEY_ANSWERED,
    TRAITS_CHANGED,
    Touchpoint,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""When runs begin unless told otherwise: a Monday."""

HEAD = "language: 1\ntitle: A journey\nowner: tests\n"


def written(text: str) -> str:
    """A journey as a file; `journey`, `enter` and the head may be left out."""
    given = set(re.findall(r"^(\w+):", text, re.MULTILINE))
    head = HEAD if "language" not in given else ""
    head += "journey: tale\n" if "journey" not in given else ""
    return head + ("enter: {on: Began}\n" if "enter" not in given else "") + text


@cache
def program(text: str) -> Program:
    """A journey that passed the gate."""
    return read_definition(written(text), "journey.yaml").program


@cache
def ungated(text: str) -> Program:
    """A journey that the gate would refuse, for what must hold even so."""
    return compile_program(canonical_json(read_document(written(text), "journey.yaml").data))


def on(*steps: str, **parts: str) -> Program:
    """A journey of one stage with these steps, one line of YAML each."""
    lines = [f"{name}: {part}" for name, part in parts.items()]
    lines += ["stages:", "  - stage: only", "    steps:", *(f"      - {step}" for step in steps)]
    return program("\n".join(lines))


def touched(event: str, message_id: str, at: datetime, **said: Any) -> Touchpoint:
    """A touchpoint; `number` by the router, `subject` as (kind, id), the rest are properties."""
    number, subject = said.pop("number", None), said.pop("subject", None)
    context: dict[str, JsonValue] = (
        {"subject": {"kind": subject[0], "id": subject[1]}} if subject else {}
    )
    return Touchpoint(
        message_id=message_id,
        event=event,
        timestamp=at,
        properties=said,
        context=context,
        number=number,
    )


@dataclass
class Run:
    """A run in progress. `busy` holds back the answers to effects of these kinds."""

    program: Program
    now: datetime = NOON
    state: State = field(default_factory=State)
    busy: tuple[type, ...] = ()
    effects: list[Effect] = field(default_factory=list[Effect])
    records: list[RunRecord] = field(default_factory=list[RunRecord])
    refused: list[str] = field(default_factory=list[str])
    came: int = 0

    # -- what happens

    def happens(self, happening: Happening) -> Advanced:
        """Let one thing happen, and answer what it asked for."""
        before = dump_state(self.state)
        advanced = advance(self.program, self.state, happening, self.now)
        assert dump_state(self.state) == before, "advance changed the state it was given"
        self.state = load_state(dump_state(advanced.state))
        self.records.append(advanced.record)
        self.refused += advanced.refused
        self.effects += advanced.effects
        for effect in advanced.effects:
            if effect.n in self.state.outstanding and not isinstance(effect, self.busy):
                self.answers(effect)
        return advanced

    def answers(self, effect: Effect, answer: Answer | None = None) -> None:
        """The effect was carried out."""
        self.happens(EffectFinished(n=effect.n, answer=answer or usual_answer(effect)))

    def fails(self, effect: Effect, error: str = "MessageRejectedError") -> None:
        """The effect failed for good."""
        self.happens(EffectFailed(n=effect.n, error=error, message="no such template"))

    def told(self, event: str, message_id: str | None = None, **said: Any) -> Touchpoint:
        """A touchpoint of now, not yet sent."""
        self.came += 1
        return touched(event, message_id or f"m-{self.came}", self.now, **said)

    def does(self, event: str, message_id: str | None = None, **said: Any) -> "Run":
        """The customer does something."""
        self.happens(Arrived(touchpoints=(self.told(event, message_id, **said),)))
        return self

    def together(self, *touchpoints: Touchpoint) -> None:
        """Several touchpoints come in one drain."""
        self.happens(Arrived(touchpoints=touchpoints))

    def becomes(self, **traits: Any) -> None:
        """Traits of the customer change."""
        self.does(TRAITS_CHANGED, **traits)

    def decides(self, decision: str, *, case: OpenCase | None = None, **fields: Any) -> None:
        """Staff decide the case."""
        opened = case or self.cases[-1]
        case_id = f"case/journey/tale/anna:{self.state.entry}:{opened.n}"
        self.does(CASE_DECIDED, case=case_id, decision=decision, fields=fields, by="eva")

    def replies(self, *, asked: Deliver | None = None, **said: Any) -> None:
        """The customer answers on our page what they were asked last."""
        invited = asked or next(each for each in reversed(self.deliveries) if each.asks)
        n = invited.asks.n if invited.asks else 0
        self.does(SURVEY_ANSWERED, ask=f"journey/tale/anna:{self.state.entry}:{n}", **said)

    def other_ends(self, outcome: str, *, began: StartRun | None = None, **said: Any) -> None:
        """The journey that was begun ends."""
        n = (began or self.begun[-1]).n
        key = f"journey/tale/anna:{self.state.entry}:{n}"
        self.does(RUN_ENDED, run=key, outcome=outcome, **said)

    def until(self, moment: datetime) -> None:
        """Time passes; each alarm fires when it was set for."""
        while (alarm := self.wakes_at) is not None and alarm <= moment:
            self.now = max(self.now, alarm)
            self.happens(AlarmFired(at=alarm))
        self.now = max(self.now, moment)

    def after(self, **span: float) -> None:
        """So much time passes."""
        self.until(self.now + timedelta(**span))

    def outage(self, **span: float) -> None:
        """Nothing runs for so long; then what was due is told at once."""
        self.now += timedelta(**span)

    def leaves(self) -> None:
        self.happens(ToldToLeave(reason="asked to"))

    def resumes(self) -> None:
        self.happens(Resumed())

    def is_nudged(self, address: str = "only/0") -> None:
        self.happens(Nudged(address=address, reason="the shop is open again"))

    def moves(self, program: Program, address: str | None = None) -> None:
        self.program = program
        self.happens(Moved(address=address, reason="a better version"))

    # -- how it stands

    @property
    def wakes_at(self) -> datetime | None:
        return next_alarm(self.state)

    @property
    def outcome(self) -> str | None:
        return self.state.outcome

    @property
    def stage(self) -> str | None:
        return self.state.stage

    @property
    def stopped(self) -> str | None:
        return needs_attention(self.state)

    @property
    def waits_for(self) -> tuple[str, ...]:
        return waits_for(self.program, self.state, self.now)

    @property
    def values(self) -> dict[str, Any]:
        """What the run keeps."""
        return self.state.values

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items of the threads that have some."""
        return [thread.items for thread in self.state.threads if thread.items]

    @property
    def message_values(self) -> list[dict[str, Any]]:
        """What each message may name, in the order they were asked for."""
        return [delivery.values for delivery in self.deliveries]

    @property
    def messages(self) -> list[str]:
        """Messages asked for, in order, by name."""
        return [effect.message for effect in self.deliveries]

    @property
    def deliveries(self) -> list[Deliver]:
        return [effect for effect in self.effects if isinstance(effect, Deliver)]

    @property
    def cases(self) -> list[OpenCase]:
        return [effect for effect in self.effects if isinstance(effect, OpenCase)]

    @property
    def closed(self) -> list[int]:
        return [effect.case for effect in self.effects if isinstance(effect, CloseCase)]

    @property
    def escalated(self) -> list[str]:
        return [effect.queue for effect in self.effects if isinstance(effect, EscalateCase)]

    @property
    def written_traits(self) -> list[dict[str, JsonValue]]:
        return [effect.traits for effect in self.effects if isinstance(effect, SetTraits)]

    @property
    def coupons(self) -> list[GrantOffer]:
        return [effect for effect in self.effects if isinstance(effect, GrantOffer)]

    @property
    def settled(self) -> list[tuple[int, str]]:
        """How coupons ended, in order: the `n` of the grant, and how."""
        settled = [effect for effect in self.effects if isinstance(effect, SettleOffer)]
        return [(effect.grant, effect.state) for effect in settled]

    @property
    def calls(self) -> list[CallOut | CallActivity]:
        return [effect for effect in self.effects if isinstance(effect, CallOut | CallActivity)]

    @property
    def begun(self) -> list[StartRun]:
        """Other journeys that it began."""
        return [effect for effect in self.effects if isinstance(effect, StartRun)]

    @property
    def shown(self) -> list[ShowRecord]:
        """What is to be said at places now, by the last record of each."""
        last = {show.n: show for record in self.records for show in record.shows}
        return [show for show in last.values() if show.shown]

    @property
    def why(self) -> list[str]:
        """All decisions in words, each with its kind."""
        return [f"{entry.kind}: {entry.why}" for record in self.records for entry in record.trace]

    @property
    def promises(self) -> list[tuple[str, str]]:
        """How each promise stood in turn: name and state."""
        return [(told.name, told.state) for record in self.records for told in record.promises]


def usual_answer(effect: Effect) -> Answer:
    """What an effect answers when all is well."""
    match effect:
        case Deliver():
            return DeliveryAnswer(state="accepted", channel=effect.via[0])
        case OpenCase() | EscalateCase() | CloseCase():
            return CaseAnswer(case=f"case/{effect.n}")
        case SetTraits():
            return TraitsAnswer(traits=effect.traits)
        case ReadTraits():
            return TraitsAnswer(traits={})
        case GrantOffer():
            return OfferAnswer(code=f"CODE-{effect.n}")
        case CallOut() | CallActivity():
            return CallAnswer(result={"status": 200})
        case SettleOffer() | StartRun():
            return Done()


def entered(
    journey: Program,
    *others: Touchpoint,
    now: datetime = NOON,
    zone: str | None = None,
    traits: dict[str, JsonValue] | None = None,
    busy: tuple[type, ...] = (),
    key: str | None = None,
    held_out: bool = False,
    customer: str = "anna",
    **said: Any,
) -> Run:
    """Anna enters a journey by its entry touchpoint with these properties."""
    run = Run(journey, now, busy=busy)
    first = touched(journey.entry_event, "m-0", now, **said)
    run.happens(
        Entered(
            entry=7,
            customer=customer,
            key=key,
            zone=zone,
            held_out=held_out,
            traits=traits or {},
            entering=first,
            others=others,
        )
    )
    return run


def deferred(until: datetime, reason: str = "quiet_until") -> DeliveryAnswer:
    """A delivery that may not go now."""
    return DeliveryAnswer(state="deferred", reason=reason, until=until)
