"""How a rehearsal carries out what runs ask for: in memory, by the rules of the real activities."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

from pydantic import JsonValue

from contracts.ids import case_id, effect_key
from insight.rehearsal_world import Decided, Incoming, Outside, World
from insight.rehearsed import (
    Rehearsed,
    RehearsedCase,
    RehearsedDelivery,
    RehearsedOffer,
    RehearsedRun,
    RehearsedStart,
)
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
    OfferAnswer,
    TraitsAnswer,
)
from journey.responses import host_of, taken
from journey.sending_caps import Sent
from journey.touchpoint import CASE_DECIDED, HOLD_LIFTED, TRAITS_CHANGED, Touchpoint


class CallFailedError(Exception):
    """Nobody answers this call in a rehearsal; the message says whom it was for."""


Happen = Callable[[datetime], None]


class EffectsInMemory:
    """Delivers, opens cases and keeps traits. `later` lets something happen at an instant."""

    def __init__(
        self,
        result: Rehearsed,
        world: World,
        later: Callable[[datetime, Happen], None],
        take_in: Callable[[Incoming, datetime], None],
        outside: Outside,
        journey: str,
    ) -> None:
        self._result = result
        self._world = world
        self._outside = outside
        self._journey = journey
        self._sent: defaultdict[str, list[Sent]] = defaultdict(list)
        self._held: dict[str, str] = {}
        self._later = later
        self._take_in = take_in
        self._traits: dict[str, dict[str, JsonValue]] = {}

    def traits(self, customer: str) -> dict[str, JsonValue]:
        """The customer's traits as they stand now."""
        if customer not in self._traits:
            self._traits[customer] = dict(self._world.customer(customer).traits)
        return self._traits[customer]

    def decide_case(self, case: str, decided: Decided, at: datetime) -> bool:
        """Let staff decide a case now; False where it was decided or closed before."""
        found = self._result.cases[case]
        if found.state != "open":
            return False
        found.state, found.decision, found.by = "resolved", decided.decision, decided.by
        found.fields, found.settled_at = dict(decided.fields), at
        said: dict[str, JsonValue] = {
            "case": case,
            "decision": decided.decision,
            "fields": dict(decided.fields),
            "by": decided.by,
        }
        touchpoint = Touchpoint(
            message_id=f"decision/{case}", event=CASE_DECIDED, timestamp=at, properties=said
        )
        self._take_in(Incoming(at=at, touchpoint=touchpoint, customer=found.customer), at)
        for following in self._world.follow_up(found, at):
            self._later(following.at, lambda at, one=following: self._take_in(one, at))
        return True

    def hold(self, customer: str, journey: str) -> None:
        """Let marketing to a customer wait for the end of another journey of theirs."""
        self._held[customer] = journey

    def lift(self, customer: str, at: datetime) -> None:
        """Let that other journey end."""
        self._held.pop(customer, None)
        told = Touchpoint(message_id=f"lifted/{customer}/{at}", event=HOLD_LIFTED, timestamp=at)
        self._take_in(Incoming(at=at, touchpoint=told, customer=customer), at)

    def answer(self, run: RehearsedRun, effect: Effect, key: str, at: datetime) -> Answer | None:
        """Carry out an effect now; None where the run does not want it any more.

        Raises: `CallFailedError`.
        """
        match effect:
            case Deliver():
                return self._deliver(run, effect, self._result.deliveries[key], at)
            case OpenCase():
                return self._open_case(run, effect, at)
            case EscalateCase() | CloseCase():
                return self._change_case(run, effect, at)
            case ReadTraits():
                traits = self.traits(run.customer)
                return TraitsAnswer(
                    traits={name: traits[name] for name in effect.names if name in traits}
                )
            case SetTraits():
                return self._set_traits(run, effect, key, at)
            case GrantOffer():
                return self._grant(run, effect, key, at)
            case SettleOffer():
                offer = self._result.offers[effect_key(run.workflow_id, run.entry, effect.grant)]
                if offer.state == "open":
                    offer.state = effect.state
                return Done()
            case CallOut() | CallActivity():
                return self._call(effect)
            case StartRun():
                properties = dict(effect.properties)
                started = RehearsedStart(key, run.customer, effect.journey, properties)
                self._result.starts[key] = started
                return Done()

    def _deliver(
        self, run: RehearsedRun, message: Deliver, delivery: RehearsedDelivery, at: datetime
    ) -> DeliveryAnswer | None:
        delivery.settled_at = at
        if message.n not in run.state.outstanding:
            delivery.state, delivery.reason = "refused", "left"
            delivery.words = f"the journey had ended: {run.outcome}"
            return None
        match decide(self._facts(run, message, at), message, at):
            case Send(channel=channel):
                delivery.state, delivery.channel = "accepted", channel
                self._note(run.customer, message, channel, at)
                return DeliveryAnswer(state="accepted", channel=channel)
            case Defer(until=until, words=words):
                delivery.state, delivery.words = "deferred", words
                return DeliveryAnswer(state="deferred", reason=words, until=until)
            case Refuse(reason=reason, words=words):
                delivery.state, delivery.reason, delivery.words = "refused", reason, words
                return DeliveryAnswer(state="refused", reason=reason, words=words)

    def _grant(self, run: RehearsedRun, effect: GrantOffer, key: str, at: datetime) -> OfferAnswer:
        if effect.offer in self._outside.sold_out:
            return OfferAnswer(code=None, reason="none is left")
        had = [
            offer
            for offer in self._result.offers.values()
            if (offer.customer, offer.granted.offer) == (run.customer, effect.offer)
        ]
        if effect.not_since is not None and any(offer.at > effect.not_since for offer in had):
            return OfferAnswer(code=None, reason="the customer had one not long ago")
        code = f"{effect.offer}-{len(self._result.offers) + 1}".upper()
        self._result.offers[key] = RehearsedOffer(key, run.customer, effect, code, at)
        return OfferAnswer(code=code)

    def _call(self, effect: CallOut | CallActivity) -> CallAnswer:
        whom = effect.activity if isinstance(effect, CallActivity) else host_of(effect.url)
        given = self._outside.calls.get(whom)
        if given is None:
            raise CallFailedError(whom)
        if isinstance(effect, CallActivity):
            return CallAnswer(result=dict(given))
        return CallAnswer(result=taken(effect.take, 200, dict(given)))

    def _note(self, customer: str, message: Deliver, channel: str, at: datetime) -> None:
        """Remember what went out, where the house counts."""
        if self._outside.policy.caps:
            sent = Sent(
                at=at,
                purpose=message.purpose,
                channel=channel,
                topic=message.topic,
                journey=self._journey,
            )
            self._sent[customer].append(sent)

    def _facts(self, run: RehearsedRun, message: Deliver, at: datetime) -> DeliveryFacts:
        known = self._world.customer(run.customer)
        traits = self.traits(run.customer)
        corrected = any(
            isinstance(asked.effect, Deliver) and asked.effect.replaces == message.n
            for asked in run.state.outstanding.values()
        )
        wishes, marketing = known.wishes, message.purpose == "marketing"
        others = (each for each in wishes.sent if each.at <= at)
        return DeliveryFacts(
            addresses=known.addresses,
            suppressed={
                way: why for way, (why, only) in wishes.suppressed.items() if marketing or not only
            },
            consents=wishes.consents.get(message.purpose, {}),
            preferences=wishes.preferences,
            policy=self._outside.policy,
            journey=self._journey,
            zone=known.zone,
            sent=(*others, *self._sent.get(run.customer, ())),
            consent_withheld=traits.get("marketing_consent") is False,
            held_out=run.state.held_out,
            replaced=corrected,
            held_by=self._held.get(run.customer),
            names={**message.values, "customer": {**traits, "id": run.customer}},
        )

    def _open_case(self, run: RehearsedRun, effect: OpenCase, at: datetime) -> CaseAnswer:
        name = case_id(run.workflow_id, run.entry, effect.n)
        case = RehearsedCase(name, run.customer, run.workflow_id, effect.queue, effect, at)
        self._result.cases[name] = case
        decided = self._world.staff(case)
        if decided is not None:
            self._later(at + decided.after, lambda at: self._staff_decide(name, decided, at))
        return CaseAnswer(case=name)

    def _staff_decide(self, case: str, decided: Decided, at: datetime) -> None:
        self.decide_case(case, decided, at)

    def _change_case(
        self, run: RehearsedRun, effect: EscalateCase | CloseCase, at: datetime
    ) -> CaseAnswer:
        name = case_id(run.workflow_id, run.entry, effect.case)
        case = self._result.cases.get(name)
        if case is not None and case.state == "open":
            case.reason = effect.reason
            if isinstance(effect, EscalateCase):
                case.queue = effect.queue
            else:
                case.state, case.settled_at = "closed", at
        return CaseAnswer(case=name)

    def _set_traits(
        self, run: RehearsedRun, effect: SetTraits, key: str, at: datetime
    ) -> TraitsAnswer:
        self.traits(run.customer).update(effect.traits)
        changed = Touchpoint(
            message_id=f"traits/{key}",
            event=TRAITS_CHANGED,
            timestamp=at,
            properties=dict(effect.traits),
        )
        self._later(
            at,
            lambda at: self._take_in(
                Incoming(at=at, touchpoint=changed, customer=run.customer), at
            ),
        )
        return TraitsAnswer(traits=dict(effect.traits))
