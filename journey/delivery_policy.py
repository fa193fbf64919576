"""Whether a message goes out, by which channel, and if not, why: one pure function.

It is asked at the last moment, with facts loaded under the customer's lock, right before
the intent is written. Caps and quiet hours are further facts and further answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pydantic import JsonValue

from journey.conditions import ConditionError, holds
from journey.effects import Deliver

PREFERRED = "preferred_channel"
"""The trait that names the channel by which a customer wants to hear; it chooses among those of a message."""

HELD_BY = "held_by"
"""How the reason of a message begins that waits for another journey of its customer to end."""

LOOKED_AT_AGAIN = timedelta(days=1)
"""A held message is told when it may go; should that be missed, it is asked for again after so long."""

Reason = Literal[
    "replaced",
    "left",
    "held_out",
    "expired",
    "condition",
    "no_consent",
    "suppressed",
    "unreachable",
]


@dataclass(slots=True, frozen=True, kw_only=True)
class DeliveryFacts:
    """What is known of the customer and the run at this moment.

    `addresses`: channel → address, for the channels this installation has and the customer is
    known on. `suppressed`: channel → why nothing may go to that address. `unsubscribed`: channels
    on which the customer wants no marketing. `consent_withheld`: the trait `marketing_consent`
    is false. `held_by`: the journey of the customer for whose end marketing of this one waits.
    `names`: what a condition may name, with fresh traits under `customer`. `address_keys`: what an
    address needs beside itself. `heard_at`: when the customer last wrote by a channel (wall time).
    """

    addresses: Mapping[str, str]
    address_keys: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict[str, Mapping[str, str]]
    )
    heard_at: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    suppressed: Mapping[str, str] = field(default_factory=dict[str, str])
    unsubscribed: frozenset[str] = frozenset()
    consent_withheld: bool = False
    run_ended: bool = False
    held_out: bool = False
    replaced: bool = False
    held_by: str | None = None
    names: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass(slots=True, frozen=True, kw_only=True)
class Send:
    """It may go, to this address."""

    channel: str
    address: str


@dataclass(slots=True, frozen=True, kw_only=True)
class Refuse:
    """It may not go. `words` say why to a person."""

    reason: Reason
    words: str


@dataclass(slots=True, frozen=True, kw_only=True)
class Defer:
    """Not now: ask again at `until`, on the run's clock. `words` begin with what kind of reason it is."""

    until: datetime
    words: str


Decision = Send | Refuse | Defer


def decide(facts: DeliveryFacts, message: Deliver, now: datetime) -> Decision:
    """Decide about one message at one moment: is it pointless, then what forbids it."""
    pointless = _pointless(facts, message, now)
    if pointless is not None:
        return pointless
    answer = _by_the_first_channel_open(facts, message)
    if isinstance(answer, Send) and message.purpose == "marketing" and facts.held_by is not None:
        words = f"{HELD_BY}: the customer is in {facts.held_by}"
        return Defer(until=_held_until(message, now), words=words)
    return answer


def _held_until(message: Deliver, now: datetime) -> datetime:
    """When a held message is looked at again by itself: also when it has become pointless."""
    again = now + LOOKED_AT_AGAIN
    return min(again, message.expires) if message.expires is not None else again


def _pointless(facts: DeliveryFacts, message: Deliver, now: datetime) -> Refuse | None:
    if facts.replaced:
        return Refuse(reason="replaced", words="a later message corrects it")
    if facts.run_ended:
        return Refuse(reason="left", words="the run ended before it was sent")
    if facts.held_out:
        return Refuse(reason="held_out", words="the customer is in the hold-out group")
    if message.expires is not None and now >= message.expires:
        because = (
            message.expires_because or f"its time passed at {message.expires:%Y-%m-%d %H:%M} UTC"
        )
        return Refuse(reason="expired", words=because)
    if message.condition is not None:
        return _condition_failed(message.condition, facts, now)
    return None


def _condition_failed(condition: str, facts: DeliveryFacts, now: datetime) -> Refuse | None:
    names: dict[str, object] = {**facts.names, "now": now}
    try:
        if holds(condition, names):
            return None
    except ConditionError as error:
        return Refuse(reason="condition", words=f"`while` could not be answered: {error}")
    return Refuse(reason="condition", words=f"no longer true: {condition}")


def _by_the_first_channel_open(facts: DeliveryFacts, message: Deliver) -> Send | Refuse:
    closed: list[Refuse] = []
    for channel in _in_order(facts, message):
        shut = _closed(channel, facts, message)
        if shut is None:
            return Send(channel=channel, address=facts.addresses[channel])
        closed.append(shut)
    if not closed:
        return Refuse(reason="unreachable", words="the send names no channel")
    # What the customer said outranks what is technically so.
    for reason in ("no_consent", "suppressed"):
        told = [refusal for refusal in closed if refusal.reason == reason]
        if told:
            return Refuse(reason=reason, words="; ".join(refusal.words for refusal in told))
    return Refuse(reason="unreachable", words="; ".join(refusal.words for refusal in closed))


def _in_order(facts: DeliveryFacts, message: Deliver) -> list[str]:
    """The channels of a message: the one that the customer prefers, then as the journey has them."""
    customer = facts.names.get("customer")
    preferred = customer.get(PREFERRED) if isinstance(customer, dict) else None
    return sorted(message.via, key=lambda channel: channel != preferred)


def _closed(channel: str, facts: DeliveryFacts, message: Deliver) -> Refuse | None:
    if not facts.addresses.get(channel):
        return Refuse(reason="unreachable", words=f"no address for {channel}")
    if channel in facts.suppressed:
        return Refuse(reason="suppressed", words=f"{channel}: {facts.suppressed[channel]}")
    if message.purpose == "marketing":
        if facts.consent_withheld:
            return Refuse(reason="no_consent", words="the customer did not agree to marketing")
        if channel in facts.unsubscribed:
            return Refuse(reason="no_consent", words=f"the customer unsubscribed from {channel}")
    return None
