"""What carries effects out in a simulated installation: a ledger, channels that fail, staff, coupons, calls.

It answers as activities do: asked twice under one key, it says the same again. The policy is the real one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from contracts.evidence import SeenDelivery
from journey.delivery_policy import Defer, DeliveryFacts, Refuse, Send, decide
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
    SettleOffer,
    SetTraits,
    StartRun,
)
from journey.happenings import (
    Answer,
    CallAnswer,
    CaseAnswer,
    DeliveryAnswer,
    Done,
    EffectFailed,
    EffectFinished,
    OfferAnswer,
    TraitsAnswer,
)
from journey.house_policy import Cap, Consent, HousePolicy, QuietHours
from journey.language import SpanText
from journey.sending_caps import InLine, Place, Sent
from tests.simulation.people import SimulatedCustomer
from tests.simulation.simulated_run import SimulatedRun

POLICY = HousePolicy(
    topics=["news"],
    consent=Consent(marketing={"email": "opt_out", "push": "opt_out", "others": "opt_in"}),
    caps=[
        Cap(at_most=2, within=SpanText("1d"), purpose="marketing"),
        Cap(at_most=4, within=SpanText("7d")),
        Cap(at_most=1, within=SpanText("3d"), channel="sms"),
    ],
    quiet_hours=[QuietHours.model_validate({"from": "21:00", "to": "08:00"})],
)
TRY_AGAIN = timedelta(minutes=5)
MOST_RESENDS = 2


@dataclass
class Posted:
    """A row of the ledger."""

    key: str
    message: Deliver
    customer: SimulatedCustomer
    journey: str
    asked_at: datetime
    priority: int
    state: str = "deferred"
    reason: str = ""
    channel: str | None = None
    zone: str = "UTC"
    until: datetime | None = None
    left_at: datetime | None = None
    attempts: int = 0
    uncertain: bool = False
    left: list[tuple[datetime, str, str]] = field(default_factory=list[tuple[datetime, str, str]])

    @property
    def answer(self) -> DeliveryAnswer | None:
        if self.state == "accepted":
            return DeliveryAnswer(state="accepted", channel=self.channel)
        if self.state in ("refused", "unknown"):
            state = "refused" if self.state == "refused" else "unknown"
            return DeliveryAnswer(state=state, reason=self.reason, channel=self.channel)
        return None


Carried = EffectFinished | EffectFailed


class OutsideWorld:
    """Carries effects out. None in place of an answer: the attempt was lost, and is made again later."""

    def __init__(
        self,
        random: Random,
        held_by: Callable[[SimulatedRun, SimulatedCustomer], str | None],
        set_traits: Callable[[SimulatedRun, SetTraits, str], None],
    ) -> None:
        self._random = random
        self._held_by = held_by
        self._set_traits = set_traits
        self.ledger: dict[str, Posted] = {}
        self.mails: dict[str, int] = {}
        self.cases: dict[str, str] = {}
        self.coupons: dict[str, str] = {}
        self.settled: dict[str, str] = {}
        self.started: dict[str, StartRun] = {}
        self.answered: dict[str, CallAnswer] = {}
        self.became: set[str] = set()

    def carry_out(
        self, run: SimulatedRun, effect: Effect, key: str, whose: SimulatedCustomer, now: datetime
    ) -> Carried | None:
        """Do it, or say why it cannot be done."""
        if self._random.random() < 0.03 and not isinstance(effect, Deliver):
            return None
        may_fail = isinstance(effect, OpenCase | GrantOffer | CallOut | CallActivity | StartRun)
        if may_fail and key not in self.answered and self._random.random() < 0.06:
            self.became.add("failed")
            return EffectFailed(n=effect.n, error="Error", message="for good")
        answer = self._answer(run, effect, key, whose, now)
        if answer is None or self._random.random() < 0.05:
            return None  # it was done, and whoever did it was killed before they said so
        return EffectFinished(n=effect.n, answer=answer)

    def _answer(
        self, run: SimulatedRun, effect: Effect, key: str, whose: SimulatedCustomer, now: datetime
    ) -> Answer | None:
        match effect:
            case Deliver():
                return self._deliver(run, effect, key, whose, now)
            case OpenCase():
                self.cases.setdefault(key, "open")
                return CaseAnswer(case=f"case/{key}")
            case EscalateCase() | CloseCase():
                case = f"{run.workflow_id}:{run.entry}:{effect.case}"
                if isinstance(effect, CloseCase) and self.cases.get(case) == "open":
                    self.cases[case] = "closed"
                return CaseAnswer(case=f"case/{case}")
            case SetTraits():
                self._set_traits(run, effect, key)
                return TraitsAnswer(traits=effect.traits)
            case ReadTraits():
                return TraitsAnswer(
                    traits={
                        name: whose.traits[name] for name in effect.names if name in whose.traits
                    }
                )
            case GrantOffer():
                none = self._random.random() < 0.2 and key not in self.coupons
                if not none:
                    self.coupons.setdefault(key, f"CODE-{len(self.coupons)}")
                return OfferAnswer(
                    code=self.coupons.get(key), reason="none is left" if none else ""
                )
            case SettleOffer():
                self.settled.setdefault(
                    f"{run.workflow_id}:{run.entry}:{effect.grant}", effect.state
                )
                return Done()
            case CallOut() | CallActivity():
                said = CallAnswer(result={"n": self._random.randint(0, 3)})
                return self.answered.setdefault(key, said)
            case StartRun():
                self.started.setdefault(key, effect)
                return Done()

    # -- deliveries

    def _deliver(
        self,
        run: SimulatedRun,
        message: Deliver,
        key: str,
        whose: SimulatedCustomer,
        now: datetime,
    ) -> DeliveryAnswer | None:
        row = self.ledger.get(key)
        if row is None:
            priority = message.priority or run.program.definition.priority or 50
            row = Posted(key, message, whose, run.program.journey, now, priority)
            self.ledger[key] = row
        if row.answer is not None:
            return row.answer
        row.message, row.customer = message, whose
        if (
            row.state == "intended" and row.channel == "email"
        ):  # it can be asked what became of the key
            if self.mails.get(key):
                row.state = "accepted"
                return row.answer
            row.state, row.left_at = "deferred", None
        decision = decide(self._facts(run, row, now), message, now)
        if row.state == "intended":
            return self._in_doubt(row, now, may=isinstance(decision, Send))
        match decision:
            case Send(channel=channel):
                row.state, row.channel, row.until = "intended", channel, None
                return self._send(row, now)
            case Defer(until=until, words=words, channel=channel):
                row.until, row.channel = until, channel
                self.became.add(words.partition(":")[0])
                return DeliveryAnswer(state="deferred", reason=words, until=until)
            case Refuse(reason=reason, words=words):
                row.state, row.reason, row.until = "refused", reason, None
                self.became.add(reason)
                return DeliveryAnswer(state="refused", reason=reason, words=words)

    def _send(self, row: Posted, now: datetime) -> DeliveryAnswer | None:
        """The channel takes it, refuses it, is busy, or says nothing; some of that after it took it."""
        row.attempts += 1
        row.zone, row.left_at = row.customer.zone, now
        fortune = self._random.random()
        if fortune < 0.06:  # busy: nothing left, and it is decided anew
            row.state, row.left_at = "deferred", None
            self.became.add("busy")
            return None
        if fortune < 0.1:
            row.state, row.reason, row.left_at = "refused", "bounced", None
            self.became.add("bounced")
            return row.answer
        if fortune < 0.14:
            self.became.add("intended and lost")
            return None  # killed between the intent and the call
        self.mails[row.key] = self.mails.get(row.key, 0) + 1
        row.left.append((now, row.channel or "", row.customer.zone))
        if fortune < 0.2:
            self.became.add("accepted and lost")
            return None  # accepted, and nobody says so
        row.state = "accepted"
        self.became.add("accepted")
        return row.answer

    def _in_doubt(self, row: Posted, now: datetime, *, may: bool) -> DeliveryAnswer | None:
        """An attempt began and did not say how it ended, and nobody can be asked."""
        again = row.message.resend_unknown
        if again is None:
            again = row.message.purpose == "service"
        if not again or not may or row.attempts > MOST_RESENDS:
            row.state = "unknown"
            self.became.add("unknown")
            return row.answer
        row.uncertain = True
        self.became.add("resent")
        return self._send(row, now)

    def _facts(self, run: SimulatedRun, row: Posted, now: datetime) -> DeliveryFacts:
        whose, message = row.customer, row.message
        replaced = any(
            isinstance(asked.effect, Deliver) and asked.effect.replaces == message.n
            for asked in run.state.outstanding.values()
        )
        others = [
            each for each in self.ledger.values() if each is not row and each.customer is whose
        ]
        return DeliveryFacts(
            addresses=whose.addresses,
            consents=whose.consents if message.purpose == "marketing" else {},
            run_ended=run.state.outcome is not None and not message.last_act,
            held_out=run.state.held_out,
            replaced=replaced,
            held_by=self._held_by(run, whose),
            stops=frozenset(),
            journey=row.journey,
            zone=whose.zone,
            policy=POLICY,
            preferences=whose.preferences,
            came_by="sms",
            sent=tuple(_sent(others)),
            waiting=tuple(_waiting(others)),
            place=Place(priority=row.priority, asked_at=row.asked_at, key=row.key),
            names={**message.values, "customer": {**whose.traits, "id": run.customer}},
        )

    # -- evidence

    def seen(self) -> tuple[SeenDelivery, ...]:
        return tuple(
            SeenDelivery(
                key=row.key,
                state=row.state,
                uncertain=row.uncertain,
                customer=row.customer.customer,
                purpose=row.message.purpose,
                channel=row.channel,
                topic=row.message.topic,
                journey=row.journey,
                zone=row.zone,
                left_at=row.left_at if row.state != "refused" else None,
            )
            for row in self.ledger.values()
        )


def _sent(rows: list[Posted]) -> Iterator[Sent]:
    for row in rows:
        if row.left_at is not None:
            yield Sent(
                at=row.left_at,
                purpose=row.message.purpose,
                channel=row.channel,
                topic=row.message.topic,
                journey=row.journey,
            )


def _waiting(rows: list[Posted]) -> Iterator[InLine]:
    for row in rows:
        if row.state == "deferred" and row.until is not None and row.message.purpose == "marketing":
            yield InLine(
                place=Place(priority=row.priority, asked_at=row.asked_at, key=row.key),
                until=row.until,
                channel=row.channel,
                topic=row.message.topic,
                journey=row.journey,
                expires=row.message.expires,
            )
