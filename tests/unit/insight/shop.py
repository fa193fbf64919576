"""A small journey for rehearsals, and a world that answers it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from insight.rehearsal import MAX_HAPPENINGS, Rehearsal
from insight.rehearsal_world import Customer, Decided, Incoming
from insight.rehearsed import RehearsedCase
from journey.effects import Effect
from journey.publication import read_definition
from journey.touchpoint import Touchpoint

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

ORDER = """
language: 1
journey: order
title: An order, from payment to the door
owner: shop
enter: {on: Order Paid, key: event.properties.order, again: after 7d}
match: event.properties.order == run.key
keep: {van: event.properties.van}
listen: {van: run.van}
exit: [{on: Order Cancelled, outcome: cancelled}]
whenever:
  - on: Van Moved
    do: [{send: {message: van-is-near, purpose: service, until: event.properties.until, because: the van went on}}]
  - on: Van Changed
    do: [{set: {run.van: event.properties.van}}]
stages:
  - stage: waiting
    steps:
      - wait:
          any: [{on: Delivered, do: [{finish: delivered}]}]
          until: 2d
      - handoff:
          as: help
          queue: shop
          brief: Where is it?
          first_answer: 1h
          escalate_to: leads
          decisions:
            refund: {do: [{send: {message: refunded, purpose: service}}, {finish: refunded}]}
            look-again: {do: [{go: waiting}]}
"""


class ShopWorld:
    """Everyone has e-mail; effects take two seconds; staff decide after half an hour, if at all."""

    def __init__(self, decision: str | None = "refund", **traits: str) -> None:
        self.decision = decision
        self.traits = traits
        self.followed: list[str] = []

    def customer(self, customer: str) -> Customer:
        addresses = {} if customer == "nowhere" else {"email": f"{customer}@example.com"}
        return Customer(addresses=addresses, traits=dict(self.traits), zone="Europe/Prague")

    def takes(self, key: str, effect: Effect) -> timedelta:
        return timedelta(seconds=2)

    def staff(self, case: RehearsedCase) -> Decided | None:
        if self.decision is None:
            return None
        return Decided(after=timedelta(minutes=30), decision=self.decision)

    def follow_up(self, case: RehearsedCase, at: datetime) -> Iterable[Incoming]:
        self.followed.append(case.case)
        return ()


def order(world: ShopWorld, *, most: int = MAX_HAPPENINGS) -> Rehearsal:
    """A rehearsal of the order journey."""
    return Rehearsal(read_definition(ORDER, "order.yaml", None).program, world, most=most)


def comes(
    event: str,
    customer: str | None = "ann",
    after: timedelta = timedelta(0),
    *,
    message_id: str | None = None,
    van: str | None = None,
    **properties: object,
) -> Incoming:
    """A touchpoint of a customer, or about a van where `customer` is None."""
    at = NOON + after
    touchpoint = Touchpoint(
        message_id=message_id or f"{event}/{customer}/{at}/{properties}",
        event=event,
        timestamp=at,
        properties=properties,  # pyright: ignore[reportArgumentType]
        context={"subject": {"kind": "van", "id": van}} if van and customer is None else {},
    )
    return Incoming(at=at, touchpoint=touchpoint, customer=customer)


def paid(customer: str = "ann", after: timedelta = timedelta(0), key: str = "o1", van: str = "v1"):
    """A customer pays, which enters them; the van is known."""
    at = NOON + after
    touchpoint = Touchpoint(
        message_id=f"paid/{customer}/{key}/{at}",
        event="Order Paid",
        timestamp=at,
        properties={"order": key, "van": van},
    )
    return Incoming(at=at, touchpoint=touchpoint, customer=customer)
