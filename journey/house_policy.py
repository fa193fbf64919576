"""`policy.yaml`: what the house allows itself towards its customers, over all journeys."""

import re
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from journey.business_hours import ClosingTime
from journey.business_time import DAYS, Day
from journey.effects import Purpose
from journey.entry_dates import Clock
from journey.language import Model, Slug, SpanText, Words
from journey.public_holidays import fault_in, holidays_in
from journey.quiet_hours import Quiet
from journey.spans import Span, is_zone, read_span

Need = Literal["opt_in", "opt_out", "none_needed"]
"""`opt_in`: only who said yes; `opt_out`: all but who said no; `none_needed`: everybody."""

OTHERS = "others"
"""Under `consent`: every channel that is not named."""

MARKETING_NEEDS: dict[str, Need] = {
    "email": "opt_out",
    "push": "opt_out",
    "webpush": "opt_out",
    "inbox": "opt_out",
    OTHERS: "opt_in",
}
"""What marketing needs where `policy.yaml` does not say it.

Mail to one's own customers may go until they say no, with a way to say it in each. Push has an address
only where its owner let their device ask for it, and the inbox is our own page. SMS, WhatsApp, chat
and whatever else need a yes that is kept with its proof.
"""

_COUNTRY_TRAIT = re.compile(r"customer\.[a-z][a-z0-9_]*")
_RATE = re.compile(r"(?P<count>\d{1,6})\s+per\s+(?P<unit>second|minute|hour|day)")
_SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}


class RateText(Words):
    """So many messages in so long: `10 per second`, `1 per minute`."""

    __slots__ = ()
    pattern_words = "a rate such as 10 per second or 1 per minute"

    @classmethod
    def checked(cls, text: str) -> str:
        found = _RATE.fullmatch(text)
        if not found or int(found["count"]) == 0:
            raise PydanticCustomError("words", "expected {what}", {"what": cls.pattern_words})
        return text

    @property
    def step(self) -> timedelta:
        """How far apart two messages are: never more than the count in any such stretch of time."""
        found = _RATE.fullmatch(self)
        assert found is not None
        return timedelta(seconds=_SECONDS[found["unit"]]) / int(found["count"])


def _known_zone(zone: str) -> str:
    if not is_zone(zone):
        remedy = {"remedy": "write an IANA name such as Europe/Prague", "zone": zone[:40]}
        raise PydanticCustomError("zone", "{zone} is not a time zone", remedy)
    return zone


def _known_holidays(code: str) -> str:
    if _COUNTRY_TRAIT.fullmatch(code):
        return code
    fault = fault_in(code)
    if fault:
        message, remedy = fault
        remedy += "; or the trait that holds it: customer.country"
        raise PydanticCustomError("holidays", "{words}", {"words": message, "remedy": remedy})
    holidays_in(code)  # loads them now, so that no delivery has to
    return code


class Cap(Model):
    """At most so many messages to one customer in so long, over all journeys; the stretch rolls along.

    Everything that left counts, or may have left, for service as well; but only marketing waits.
    """

    at_most: int = Field(ge=1, le=1_000)
    """How many."""
    within: SpanText
    """In how long: `24h`, `7d`, `1mo`; days and months on the customer's clock."""
    channel: Slug | None = None
    """Only by this channel."""
    purpose: Literal["marketing"] | None = None
    """Count marketing only."""
    topic: Slug | None = None
    """Only of this topic."""
    journey: Slug | None = None
    """Only of this journey."""

    @property
    def span(self) -> Span:
        """In how long."""
        return read_span(self.within)

    @property
    def in_words(self) -> str:
        """`2 in 7d by sms`."""
        parts = [f"{self.at_most} in {self.within}"]
        parts += [f"by {self.channel}"] if self.channel else []
        parts += [f"about {self.topic}"] if self.topic else []
        parts += [f"of {self.journey}"] if self.journey else []
        return " ".join(parts)

    def counts(self, *, purpose: str, channel: str | None, topic: str | None, journey: str) -> bool:
        """Whether such a message is among those that are counted."""
        return (
            (self.purpose is None or purpose == self.purpose)
            and (self.channel is None or channel == self.channel)
            and (self.topic is None or topic == self.topic)
            and (self.journey is None or journey == self.journey)
        )


class QuietHours(Model):
    """When marketing waits, on the customer's own clock. What waits goes at the first minute after it."""

    begins: Clock = Field(alias="from")
    """From when: `21:00`."""
    ends: ClosingTime = Field(alias="to")
    """Until when; where that is not later, on the next day: `08:00`."""
    channels: list[Slug] | None = Field(default=None, min_length=1)
    """Only by these channels."""
    weekdays: list[Day] = Field(default=[], max_length=7)
    """Only where they begin on these days of the week."""
    holidays: Annotated[str, AfterValidator(_known_holidays)] | None = None
    """Only on public holidays, besides `weekdays`: `CZ`, `US-NY`, or what a trait holds: `customer.country`."""

    def quiet(self, holidays: str | None) -> Quiet:
        """The same as minutes; `holidays`: whose are kept for this customer."""
        return Quiet(
            begins_minute=_minute(self.begins),
            ends_minute=_minute(self.ends),
            days=tuple(day for day in DAYS if day in self.weekdays),
            holidays=holidays,
        )

    @property
    def by_day(self) -> bool:
        """Whether they are on some days only."""
        return bool(self.weekdays) or self.holidays is not None


class Consent(Model):
    """What the customer must have said, by purpose and channel; `others` are the channels not named."""

    marketing: dict[Slug, Need] = {}
    """Of marketing: email, push, webpush and inbox `opt_out`, others `opt_in`, unless said otherwise."""
    service: dict[Slug, Need] = {}
    """Of service: `none_needed` unless said otherwise, such as `{whatsapp: opt_in}`."""

    def needs(self, purpose: Purpose, channel: str) -> Need:
        """What a message of this purpose needs by this channel."""
        if purpose == "service":
            return self.service.get(channel, self.service.get(OTHERS, "none_needed"))
        if channel in self.marketing or OTHERS in self.marketing:
            return self.marketing.get(channel) or self.marketing[OTHERS]
        return MARKETING_NEEDS.get(channel, MARKETING_NEEDS[OTHERS])


class TitledTopic(Model):
    """A topic with what customers read on their page, by language: `{de: Angebote}`."""

    name: Slug
    titles: dict[Slug, Annotated[str, StringConstraints(min_length=1, max_length=100)]] = {}


class HousePolicy(Model):
    """The house's rules over all journeys: consent, caps, quiet hours, rates.

    Consent, caps and quiet hours are decided for one customer at a time, in one transaction with the
    ledger. Service messages pass caps, quiet hours and pauses, but never consent they need. The
    customer's own preferences come on top.
    """

    topics: list[Slug | TitledTopic] = Field(default=[], max_length=100)
    """What messages are about, as customers choose it on their page: a `send` names one of them."""
    zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    """The clock of customers whose own nobody knows."""
    consent: Consent = Consent()
    """What the customer must have said."""
    caps: list[Cap] = Field(default=[], max_length=50)
    """How often at most."""
    quiet_hours: list[QuietHours] = Field(default=[], max_length=50)
    """When marketing waits."""
    rates: dict[Slug, RateText] = Field(default={}, max_length=100)
    """How fast, by channel or provider; service before marketing: `{email: 10 per second, twilio: 1 per minute}`."""

    @cached_property
    def topic_names(self) -> list[str]:
        """What a `send` may name."""
        return [
            topic.name if isinstance(topic, TitledTopic) else str(topic) for topic in self.topics
        ]

    @cached_property
    def longest_cap(self) -> timedelta | None:
        """How far back messages are counted at the most; None where nothing is counted."""
        spans = [cap.span.exact() + timedelta(days=3 + cap.span.months) for cap in self.caps]
        return max(spans, default=None)


NO_POLICY = HousePolicy(consent=Consent(marketing={OTHERS: "opt_out"}))
"""Where the house published none: marketing goes to all who did not say no; nothing is counted."""


def _minute(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return 60 * int(hour) + int(minute)
