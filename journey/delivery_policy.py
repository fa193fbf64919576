"""Whether a message goes out, by which channel, and if not, why: one pure function.

It is asked at the last moment, with facts loaded under the customer's lock, right before
the intent is written. Caps and quiet hours are further facts and further answers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pydantic import JsonValue

from journey.channel_choice import PREFERRED, in_order
from journey.conditions import ConditionError, holds
from journey.effects import Deliver
from journey.house_policy import NO_POLICY, HousePolicy
from journey.preferences import Preferences
from journey.quiet_hours import Quiet, known_holidays, quiet_between, quiet_until
from journey.sending_caps import InLine, Place, Sent, capped, in_line_before
from journey.spans import in_zone

HELD_BY = "held_by"
"""How the reason of a message begins that waits for another journey of its customer to end."""

STOPPED = "stopped"
"""How the reason of a message begins that waits for the end of an emergency stop."""

LOOKED_AT_AGAIN = timedelta(days=1)
"""A held message is told when it may go; should that be missed, it is asked for again after so long."""

_ROUNDS = 40

Refusal = Literal[
    "replaced",
    "left",
    "held_out",
    "expired",
    "condition",
    "no_consent",
    "suppressed",
    "unreachable",
    "capped",
    "quiet_until",
    "paused",
]
"""Why a message is not sent. The last three: it would be of no use any more when it may go."""

Delay = Literal["held_by", "stopped", "paused", "quiet_until", "capped"]
"""Why a message waits."""

Reason = Refusal | Delay


@dataclass(slots=True, frozen=True, kw_only=True)
class DeliveryFacts:
    """What is known of the customer and the run at this moment.

    `addresses`: channel → address, for the channels this installation has and the customer is
    known on. `suppressed`: channel → why nothing may go to that address; `tried`: channel → with
    what words its provider refused this very message. `consents`: channel → what the customer last said
    of this purpose, `''` standing for those not named. `consent_withheld`: the trait `marketing_consent`
    is false. `held_by`: the journey of the customer for whose end marketing of this one waits.
    `stops`: what is stopped, as scope and name. `zone`: the customer's. `sent` and `waiting`: other messages to them,
    as far back as the caps of `policy` count; `place`: this one's in the line.
    `names`: what a condition may name, with fresh traits under `customer`. `address_keys`: what an
    address needs beside itself. `heard_at`: when the customer last wrote by a channel (wall time).
    """

    addresses: Mapping[str, str]
    address_keys: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict[str, Mapping[str, str]]
    )
    heard_at: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    suppressed: Mapping[str, str] = field(default_factory=dict[str, str])
    tried: Mapping[str, str] = field(default_factory=dict[str, str])
    consents: Mapping[str, bool] = field(default_factory=dict[str, bool])
    consent_withheld: bool = False
    run_ended: bool = False
    held_out: bool = False
    replaced: bool = False
    held_by: str | None = None
    stops: frozenset[tuple[str, str]] = frozenset()
    journey: str = ""
    zone: str | None = None
    policy: HousePolicy = NO_POLICY
    preferences: Preferences = field(default_factory=Preferences)
    came_by: str | None = None
    reach: Mapping[str, float] = field(default_factory=dict[str, float])
    sent: tuple[Sent, ...] = ()
    waiting: tuple[InLine, ...] = ()
    place: Place | None = None
    names: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass(slots=True, frozen=True, kw_only=True)
class Send:
    """It may go, to this address."""

    channel: str
    address: str


@dataclass(slots=True, frozen=True, kw_only=True)
class Refuse:
    """It may not go. `words` say why to a person."""

    reason: Refusal
    words: str


@dataclass(slots=True, frozen=True, kw_only=True)
class Defer:
    """Not now: ask again at `until`, on the run's clock. `words` begin with what kind of reason it is."""

    until: datetime
    reason: Delay
    words: str
    channel: str | None = None


Decision = Send | Refuse | Defer


def decide(facts: DeliveryFacts, message: Deliver, now: datetime) -> Decision:
    """Decide about one message at one moment: is it pointless, then what forbids it, then what delays it.

    Service passes caps, quiet hours and pauses, never consent that it needs, and never a stop. A channel by
    which it may not go now is passed over for one by which it may; where there is none, the one by which
    it may go first is waited for, if the message is still of use then.
    """
    pointless = _pointless(facts, message, now)
    if pointless is not None:
        return pointless
    ways = _open_ways(facts, message)
    if isinstance(ways, Refuse):
        return ways
    going = [way for way in ways if not _stopped(facts, way)]
    if not going:
        return _held(message, now, STOPPED, f"{_stopped(facts, ways[0])} is stopped", ways[0])
    if message.purpose == "service":
        return _send(facts, going[0])
    if facts.held_by is not None:
        return _held(message, now, HELD_BY, f"the customer is in {facts.held_by}", None)
    return _when_it_may(facts, message, going, now)


def _send(facts: DeliveryFacts, channel: str) -> Send:
    return Send(channel=channel, address=facts.addresses[channel])


def _held(
    message: Deliver,
    now: datetime,
    reason: Literal["held_by", "stopped"],
    words: str,
    channel: str | None,
) -> Defer:
    """It is told when it may go; it is looked at again by itself, also when it has become pointless."""
    again = now + LOOKED_AT_AGAIN
    until = min(again, message.expires) if message.expires is not None else again
    return Defer(until=until, reason=reason, words=f"{reason}: {words}", channel=channel)


def _stopped(facts: DeliveryFacts, channel: str) -> str | None:
    """What stops a message by this channel, in words."""
    stops = facts.stops
    if ("everything", "") in stops:
        return "everything"
    if ("journey", facts.journey) in stops:
        return f"the journey {facts.journey}"
    return f"the channel {channel}" if ("channel", channel) in stops else None


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


def _open_ways(facts: DeliveryFacts, message: Deliver) -> list[str] | Refuse:
    """The channels by which it may go as far as the customer and their addresses say, in order."""
    customer = facts.names.get("customer")
    wish = facts.preferences.preferred_channel
    if wish is None and isinstance(customer, dict):
        told = customer.get(PREFERRED)
        wish = told if isinstance(told, str) else None
    ways = in_order(message, preferred=wish, came_by=facts.came_by, reach=facts.reach)
    shut = {way: _closed(way, facts, message) for way in ways}
    found = [way for way in ways if shut[way] is None]
    if found:
        return found
    closed = [refusal for refusal in shut.values() if refusal is not None]
    if not closed:
        words = "nobody knows where they came from" if message.via else "the send names no channel"
        return Refuse(reason="unreachable", words=words)
    if any(way in facts.tried for way in ways):
        # It was on its way: what providers said is the reason, whatever else shuts the other channels.
        return Refuse(reason="unreachable", words="; ".join(refusal.words for refusal in closed))
    # What the customer said outranks what is technically so.
    for reason in ("no_consent", "suppressed"):
        told = [refusal for refusal in closed if refusal.reason == reason]
        if told:
            return Refuse(reason=reason, words="; ".join(refusal.words for refusal in told))
    return Refuse(reason="unreachable", words="; ".join(refusal.words for refusal in closed))


def _closed(channel: str, facts: DeliveryFacts, message: Deliver) -> Refuse | None:
    if channel in facts.tried:
        return Refuse(reason="unreachable", words=f"{channel}: {facts.tried[channel]}")
    if not facts.addresses.get(channel):
        return Refuse(reason="unreachable", words=f"no address for {channel}")
    if channel in facts.suppressed:
        return Refuse(reason="suppressed", words=f"{channel}: {facts.suppressed[channel]}")
    no = _not_agreed(channel, facts, message)
    return None if no is None else Refuse(reason="no_consent", words=no)


def _not_agreed(channel: str, facts: DeliveryFacts, message: Deliver) -> str | None:
    """What the customer does not want, or has not said that they want."""
    need = facts.policy.consent.needs(message.purpose, channel)
    said = facts.consents.get(channel, facts.consents.get(""))
    if message.purpose == "marketing":
        if facts.consent_withheld:
            return "the customer did not agree to marketing"
        if channel in facts.preferences.channels_off:
            return f"the customer wants no marketing by {channel}"
        if message.topic is not None and message.topic in facts.preferences.topics_off:
            return f"the customer wants nothing about {message.topic}"
        if said is False:
            return f"the customer unsubscribed from {channel}"
    if need == "opt_out" and said is False:
        return f"the customer wants nothing by {channel}"
    if need == "opt_in" and said is not True:
        return f"the customer did not say yes to {message.purpose} by {channel}"
    return None


# -- when


def _when_it_may(
    facts: DeliveryFacts, message: Deliver, ways: list[str], now: datetime
) -> Decision:
    """Send by the first channel that may now; else wait for the first that may; else say why not."""
    delays: list[Defer] = []
    refusals: list[Refuse] = []
    for way in ways:
        match _first_moment(facts, message, way, now):
            case None:
                return _send(facts, way)
            case Defer() as delay:
                delays.append(delay)
            case Refuse() as refusal:
                refusals.append(refusal)
    return min(delays, key=lambda each: each.until) if delays else refusals[0]


def _first_moment(
    facts: DeliveryFacts, message: Deliver, channel: str, now: datetime
) -> Defer | Refuse | None:
    """What delays it by this channel and until when; None where it may go now."""
    clock = _Clock(facts, message, channel, now)
    moment, first = now, None
    for _ in range(_ROUNDS):
        delay = clock.delayed(moment)
        if delay is None:
            break
        moment, first = delay.until, first or delay
        if message.expires is not None and moment >= message.expires:
            too_late = f"of no use from {message.expires:%Y-%m-%d %H:%M} UTC on"
            words = delay.words.partition(": ")[2]
            return Refuse(reason=delay.reason, words=f"{words}; {too_late}")  # pyright: ignore[reportArgumentType] -- these three are both
    if first is None:
        return None
    return Defer(until=moment, reason=first.reason, words=first.words, channel=channel)


class _Clock:
    """What delays one message by one channel, moment by moment."""

    def __init__(self, facts: DeliveryFacts, message: Deliver, channel: str, now: datetime) -> None:
        self._facts = facts
        self._zone = facts.zone or facts.policy.zone
        self._quiet = list(_quiet_hours(facts, channel))
        self._ahead = in_line_before(facts.place, facts.waiting, now) if facts.place else []
        self._caps = [
            cap
            for cap in facts.policy.caps
            if cap.counts(
                purpose="marketing", channel=channel, topic=message.topic, journey=facts.journey
            )
        ]

    def delayed(self, moment: datetime) -> Defer | None:
        """The first thing that would delay it at that moment."""
        paused = self._facts.preferences.paused_until
        if paused is not None and moment < paused:
            words = f"paused: the customer wants none until {paused:%Y-%m-%d %H:%M} UTC"
            return Defer(until=paused, reason="paused", words=words)
        over = quiet_until(self._quiet, moment, self._zone) if self._quiet else None
        if over is not None:
            local = in_zone(over, self._zone).to_stdlib()
            words = f"quiet_until: {local:%Y-%m-%d %H:%M} in {self._zone}"
            return Defer(until=over, reason="quiet_until", words=words)
        return self._capped(moment)

    def _capped(self, moment: datetime) -> Defer | None:
        for cap in self._caps:
            full = capped(cap, self._zone, self._facts.sent, self._ahead, moment)
            if full is not None:
                if full.behind:
                    # What comes then is seen then; only quiet hours and pauses are certain already.
                    self._caps = []
                return Defer(until=full.until, reason="capped", words=f"capped: {full.words}")
        return None


def _quiet_hours(facts: DeliveryFacts, channel: str) -> Iterator[Quiet]:
    """The quiet hours of the house by this channel, and the customer's own."""
    customer = facts.names.get("customer")
    traits = customer if isinstance(customer, dict) else {}
    for hours in facts.policy.quiet_hours:
        if hours.channels is not None and channel not in hours.channels:
            continue
        whose = hours.holidays
        if whose is not None and whose.startswith("customer."):
            whose = known_holidays(traits.get(whose.removeprefix("customer.")))
        if not hours.by_day or hours.weekdays or whose is not None:
            yield hours.quiet(whose)
    begins, ends = facts.preferences.quiet_from, facts.preferences.quiet_to
    if begins is not None and ends is not None and begins != ends:
        yield quiet_between(begins, ends)
