"""The world of a backtest: customers are who the recording says they are, and staff follow a rule."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from pydantic import JsonValue

from insight.rehearsal_world import Customer, Decided, Incoming, Wishes, World
from insight.rehearsed import RehearsedCase
from insight.sorted_recording import KnownCustomer, our_id
from journey.document import read_document
from journey.effects import Effect
from journey.house_policy import NO_POLICY, HousePolicy
from journey.program import Program
from journey.spans import SpanError, read_span

FIRST = "first"
"""In place of a decision: the one that is offered first."""

AFTER = timedelta(hours=2)
EVERY_QUEUE = "*"


class StaffRuleError(ValueError):
    """A rule for staff that cannot be followed; the message names the queue and the remedy."""


@dataclass(slots=True, frozen=True, kw_only=True)
class StaffRule:
    """How cases of a queue are decided. A decision that a case does not offer leaves it open."""

    decision: str
    after: timedelta = AFTER
    fields: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])


StaffRules = Mapping[str, StaffRule]
"""By queue; `*` is for those not named. Without a rule, cases stay open."""


def read_staff_rules(source: str, name: str) -> StaffRules:
    """Rules in YAML: `support: {decision: helped, after: 4h, fields: {amount: 20}}`.

    Raises: `StaffRuleError`, and `InvalidDocumentError` for what is no YAML.
    """
    written: object = read_document(source, name).data
    if not isinstance(written, dict):
        raise StaffRuleError("expected queues, each with a decision: 'support: {decision: helped}'")
    rules = cast("dict[object, object]", written)
    return {str(queue): _rule(str(queue), told) for queue, told in rules.items()}


def _rule(queue: str, told: object) -> StaffRule:
    if isinstance(told, str):
        return StaffRule(decision=told)
    fields = cast("dict[str, Any]", told) if isinstance(told, dict) else {}
    unknown = sorted(set(fields) - {"decision", "after", "fields"})
    if unknown or not isinstance(fields.get("decision"), str):
        wrong = f"{unknown[0]} means nothing here" if unknown else "decision is missing"
        raise StaffRuleError(f"{queue}: {wrong}; write decision, after and fields")
    if not isinstance(fields.get("fields", {}), dict):
        raise StaffRuleError(f"{queue}: fields: expected names and values")
    given: dict[str, JsonValue] = fields.get("fields", {})
    try:
        after = read_span(str(fields.get("after", "2h"))).exact()
    except SpanError as error:
        raise StaffRuleError(f"{queue}: after: {error}") from None
    decision = str(fields["decision"])
    return StaffRule(decision=decision, after=after, fields=given)


def channels_of(program: Program) -> frozenset[str]:
    """Every channel that some step may use."""
    ways: list[Iterable[str]] = [
        getattr(node.step, "via", None) or () for node in program.nodes.values()
    ]
    return frozenset(channel for via in ways for channel in via)


@dataclass(slots=True, frozen=True, kw_only=True)
class House:
    """The installation that a recording is of: its customers have our ids, and want what they told us."""

    policy: HousePolicy = NO_POLICY
    wishes: Mapping[str, Wishes] = field(default_factory=dict[str, Wishes])


class RecordedWorld:
    """Answers runs of recorded customers: whatever is sent arrives at once, staff follow the rules.

    Who was said nothing of is reached on every channel that the journey uses; in a `house` of ours, on none.
    """

    def __init__(
        self, channels: Iterable[str], staff: StaffRules, house: House | None = None
    ) -> None:
        self.names: dict[str, str] = {}
        self._channels = sorted(channels)
        self._staff = staff
        self._house = house
        self._customers: dict[str, Customer] = {}

    def meet(self, name: str, known: KnownCustomer | None) -> str:
        """A recorded customer comes into this world; their id."""
        house = self._house
        customer = our_id(name) if house is None else name
        self.names[customer] = name
        told = known or KnownCustomer(customer=name, addresses=None if house is None else {})
        addresses = told.addresses
        if addresses is None:
            addresses = {way: f"{customer}@{way}.example" for way in self._channels}
        self._customers[customer] = Customer(
            addresses=addresses,
            traits=told.traits,
            zone=told.zone,
            wishes=Wishes() if house is None else house.wishes.get(name, Wishes()),
        )
        return customer

    @property
    def policy(self) -> HousePolicy:
        """What the house allows itself; everything, where there is none."""
        return NO_POLICY if self._house is None else self._house.policy

    def customer(self, customer: str) -> Customer:
        return self._customers[customer]

    def takes(self, key: str, effect: Effect) -> timedelta:
        return timedelta(0)

    def staff(self, case: RehearsedCase) -> Decided | None:
        rule = self._staff.get(case.asked.queue) or self._staff.get(EVERY_QUEUE)
        if rule is None:
            return None
        offered = list(case.asked.decisions)
        decision = offered[0] if rule.decision == FIRST and offered else rule.decision
        if decision not in offered:
            return None
        return Decided(after=rule.after, decision=decision, fields=rule.fields)

    def follow_up(self, case: RehearsedCase, at: datetime) -> Iterable[Incoming]:
        return ()


class NamedWorld(RecordedWorld):
    """A world of which another one knows the customers by name, and how staff decide."""

    def __init__(self, channels: Iterable[str], staff: StaffRules, known: World) -> None:
        super().__init__(channels, staff)
        self._known = known

    def meet(self, name: str, known: KnownCustomer | None) -> str:
        customer = super().meet(name, known)
        self._customers[customer] = self._known.customer(name)
        return customer

    def takes(self, key: str, effect: Effect) -> timedelta:
        return self._known.takes(key, effect)

    def staff(self, case: RehearsedCase) -> Decided | None:
        return super().staff(case) if self._staff else self._known.staff(self._by_name(case))

    def follow_up(self, case: RehearsedCase, at: datetime) -> Iterable[Incoming]:
        for following in self._known.follow_up(self._by_name(case), at):
            whose = following.customer
            yield replace(following, customer=None if whose is None else our_id(whose))

    def _by_name(self, case: RehearsedCase) -> RehearsedCase:
        return replace(case, customer=self.names[case.customer])
