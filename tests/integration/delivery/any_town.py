"""Any customers, any policy, any messages of many journeys at once; and an oracle that judges what became of them.

The oracle is slow and knows nothing of the code that it judges: clocks by `zoneinfo`, caps by counting
at instants, what might have been by looking at every minute.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from journey.house_policy import Cap, Consent, HousePolicy, QuietHours
from journey.preferences import Preferences

BEGAN = datetime(2026, 4, 2, 6, 0, tzinfo=UTC)
"""Before Easter, which is holiday on Friday and on Monday; on Sunday the clock goes back in Sydney."""

MINUTE = timedelta(minutes=1)
WAYS = ("email", "sms")
ZONES = ("Europe/Prague", "America/New_York", "Asia/Kolkata", "Australia/Sydney")
HOLIDAYS_IN_CZ = {date(2026, 4, 3), date(2026, 4, 6)}
HOURS = {"24h": timedelta(hours=24), "36h": timedelta(hours=36), "72h": timedelta(hours=72)}


@dataclass(frozen=True, kw_only=True)
class Person:
    """A customer as they were before anything was sent to them."""

    zone: str | None
    ways: frozenset[str]
    said: tuple[tuple[str, str, bool], ...]
    withheld: bool
    suppressed: frozenset[str]
    preferences: Preferences


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message that a run asks for, so long after everything began."""

    person: int
    journey: str
    marketing: bool
    via: tuple[str, ...]
    priority: int | None
    topic: str | None
    after: timedelta
    good_for: timedelta | None

    @property
    def asked_at(self) -> datetime:
        return BEGAN + self.after

    @property
    def expires(self) -> datetime | None:
        return None if self.good_for is None else self.asked_at + self.good_for


@dataclass
class Town:
    """`alike`: all messages are of one customer and wait for the same place, differing in who is first."""

    policy: HousePolicy
    people: list[Person]
    messages: list[Message]
    alike: bool = False


@dataclass(kw_only=True)
class Told:
    """What became of one message at one time, in the order in which it was decided."""

    message: int
    at: datetime
    state: str
    reason: str = ""
    channel: str | None = None
    until: datetime | None = None


@dataclass
class Oracle:
    """Judges each answer by what had left before it."""

    town: Town
    left: list[Told] = field(default_factory=list[Told])

    # -- what the customer allows

    def open_ways(self, message: Message) -> list[str]:
        person = self.town.people[message.person]
        wish = person.preferences.preferred_channel
        ways = sorted(message.via, key=lambda way: way != wish)
        return [way for way in ways if not self.shut(message, way)]

    def shut(self, message: Message, way: str) -> str:
        person = self.town.people[message.person]
        if way not in person.ways:
            return "unreachable"
        if way in person.suppressed:
            return "suppressed"
        return "" if self.agreed(message, way) else "no_consent"

    def agreed(self, message: Message, way: str) -> bool:
        person = self.town.people[message.person]
        purpose = "marketing" if message.marketing else "service"
        said = [yes for what, by, yes in person.said if what == purpose and by in (way, "")]
        last = said[-1] if said else None
        need = self.town.policy.consent.model_dump()[purpose].get(way)
        if need is None:
            need = (
                {"email": "opt_out", "sms": "opt_in"}[way] if message.marketing else "none_needed"
            )
        if (need == "opt_in" and last is not True) or (need == "opt_out" and last is False):
            return False
        likes = person.preferences
        unwanted = way in likes.channels_off or message.topic in likes.topics_off
        return not (message.marketing and (person.withheld or last is False or unwanted))

    # -- when

    def zone(self, message: Message) -> ZoneInfo:
        return ZoneInfo(self.town.people[message.person].zone or self.town.policy.zone)

    def is_quiet(self, message: Message, way: str, moment: datetime) -> bool:
        local = moment.astimezone(self.zone(message))
        likes = self.town.people[message.person].preferences
        begins, ends = likes.quiet_from, likes.quiet_to
        if begins is not None and ends is not None and _within(local.time(), begins, ends):
            return True
        for hours in self.town.policy.quiet_hours:
            if hours.channels is None or way in hours.channels:
                begins, ends = time.fromisoformat(hours.begins), time.fromisoformat(hours.ends)
                if _within(local.time(), begins, ends):
                    over = begins > ends and local.time() < ends
                    day = local.date() - timedelta(days=1) if over else local.date()
                    if _is_kept(hours, day):
                        return True
        return False

    def is_paused(self, message: Message, moment: datetime) -> bool:
        until = self.town.people[message.person].preferences.paused_until
        return until is not None and moment < until

    def count(self, cap: Cap, message: Message, moment: datetime, but: int | None = None) -> int:
        """How many count at that moment, of all that left until then."""
        return sum(
            self.counts(cap, told, message.person)
            for told in self.left
            if told.message != but and told.at <= moment < told.at + HOURS[cap.within]
        )

    def counts(self, cap: Cap, told: Told, person: int) -> bool:
        other = self.town.messages[told.message]
        return other.person == person and self.under(cap, other, told.channel)

    def under(self, cap: Cap, message: Message, way: str | None) -> bool:
        return (
            (cap.purpose is None or message.marketing)
            and cap.channel in (None, way)
            and cap.topic in (None, message.topic)
            and cap.journey in (None, message.journey)
        )

    def full(self, message: Message, way: str, moment: datetime) -> list[Cap]:
        return [
            cap
            for cap in self.town.policy.caps
            if self.under(cap, message, way) and self.count(cap, message, moment) >= cap.at_most
        ]

    def may(self, message: Message, way: str, moment: datetime) -> bool:
        return not (
            self.is_paused(message, moment)
            or self.is_quiet(message, way, moment)
            or self.full(message, way, moment)
        )

    def ever(self, message: Message, way: str, moment: datetime) -> datetime | None:
        """The first minute at which it might go, before it is of no use."""
        while message.expires is None or moment < message.expires:
            if self.may(message, way, moment):
                return moment
            moment += MINUTE
            assert moment < BEGAN + timedelta(days=60)
        return None


def _within(at: time, begins: time, ends: time) -> bool:
    return begins <= at < ends if begins < ends else at >= begins or at < ends


def _is_kept(hours: QuietHours, day: date) -> bool:
    if not hours.weekdays and hours.holidays is None:
        return True
    name = f"{day:%A}".lower()
    return name in hours.weekdays or (hours.holidays == "CZ" and day in HOLIDAYS_IN_CZ)


# -- any of them

clocks = st.sampled_from(["00:00", "01:30", "07:00", "09:15", "18:00", "21:00", "23:45"])
needs = st.dictionaries(
    st.sampled_from(WAYS), st.sampled_from(["opt_out", "opt_in", "none_needed"])
)


said = st.lists(
    st.tuples(
        st.sampled_from(["marketing", "service"]),
        st.sampled_from(["", *WAYS]),
        st.sampled_from([True, True, True, False]),
    ),
    max_size=4,
).map(tuple)


@st.composite
def quiet_hours(draw: st.DrawFn) -> QuietHours:
    begins, ends = draw(st.lists(clocks, min_size=2, max_size=2, unique=True))
    days = draw(st.sampled_from([[], [], ["saturday", "sunday"], ["friday"]]))
    return QuietHours.model_validate(
        {
            "from": begins,
            "to": ends,
            "channels": draw(st.sampled_from([None, None, ["sms"]])),
            "weekdays": days,
            "holidays": draw(st.sampled_from([None, "CZ"])),
        }
    )


_caps = st.builds(
    Cap,
    at_most=st.integers(1, 3),
    within=st.sampled_from(sorted(HOURS)),
    channel=st.sampled_from([None, None, "sms"]),
    purpose=st.sampled_from([None, "marketing"]),
    topic=st.sampled_from([None, None, "news"]),
    journey=st.sampled_from([None, None, "j1"]),
)
policies = st.builds(
    HousePolicy,
    topics=st.just(["news", "offers"]),
    zone=st.sampled_from(ZONES),
    consent=st.builds(Consent, marketing=needs, service=needs),
    caps=st.lists(_caps, min_size=1, max_size=3),
    quiet_hours=st.lists(quiet_hours(), max_size=2),
)
_preferences = st.builds(
    Preferences,
    preferred_channel=st.sampled_from([None, *WAYS]),
    channels_off=st.sampled_from([*[frozenset[str]()] * 3, frozenset({"sms"})]),
    topics_off=st.sampled_from([*[frozenset[str]()] * 3, frozenset({"offers"})]),
    quiet_from=st.sampled_from([None, time(22, 0)]),
    quiet_to=st.sampled_from([time(6, 30), None]),
    paused_until=st.sampled_from([None, None, BEGAN + timedelta(hours=30)]),
)
_people = st.builds(
    Person,
    zone=st.sampled_from([None, *ZONES]),
    ways=st.sampled_from([frozenset(WAYS)] * 4 + [frozenset({"email"}), frozenset[str]()]),
    said=said,
    withheld=st.sampled_from([*[False] * 7, True]),
    suppressed=st.sampled_from([*[frozenset[str]()] * 4, frozenset({"sms"})]),
    preferences=_preferences,
)
_messages = st.builds(
    Message,
    person=st.integers(0, 2),
    journey=st.sampled_from(["j1", "j2", "j3"]),
    marketing=st.sampled_from([True, True, True, False]),
    via=st.sampled_from([("email",), ("sms",), ("sms", "email"), ("email", "sms")]),
    priority=st.sampled_from([None, 10, 50, 90]),
    topic=st.sampled_from([None, "news", "offers"]),
    after=st.sampled_from([0, 0, 5, 20, 60, 700, 1500, 2900]).map(
        lambda minutes: timedelta(minutes=minutes)
    ),
    good_for=st.sampled_from([None, 30, 300, 900, 2000, 4000]).map(
        lambda minutes: None if minutes is None else timedelta(minutes=minutes)
    ),
)
towns = st.builds(
    Town,
    policy=policies,
    people=st.lists(_people, min_size=3, max_size=3),
    messages=st.lists(_messages, min_size=20, max_size=28),
)
