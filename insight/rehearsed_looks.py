"""Customers of a rehearsal who may enter without doing anything: looked at as the real ones are."""

from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime

from pydantic import JsonValue

from insight.rehearsal_effects import EffectsInMemory, Happen
from insight.rehearsal_world import Incoming, World
from journey.definition import Cap
from journey.entry_dates import next_occurrence
from journey.entry_looks import (
    Candidate,
    Looked,
    entry_kind,
    events_looked_at,
    is_counted,
    is_looked_at,
    is_of_audience,
    look,
    tally,
)
from journey.program import Program
from journey.touchpoint import AUDIENCE_LEFT, ENTER, Touchpoint


class RehearsedLooks:
    """Looks at customers when something of them changes and when time alone may change the answer."""

    def __init__(
        self,
        program: Program,
        world: World,
        effects: EffectsInMemory,
        later: Callable[[datetime, Happen], None],
        take_in: Callable[[Incoming, datetime], None],
    ) -> None:
        self._program, self._world, self._effects = program, world, effects
        self._later, self._take_in = later, take_in
        self._looked: dict[str, Looked] = {}
        self._look_at: dict[str, datetime] = {}
        self._known: dict[str, datetime] = {}
        self._counted: dict[str, dict[str, list[datetime]]] = defaultdict(lambda: defaultdict(list))
        self._events = events_looked_at(program)

    def know(self, customer: str, at: datetime, *, new: bool) -> None:
        """Begin to look at a customer."""
        if customer in self._known:
            return
        self._known[customer] = at
        if is_looked_at(self._program):
            self._look(customer, at, new=new)
        elif entry_kind(self._program) == "schedule":
            self._schedule(customer, at, at)

    def came(self, customer: str, touchpoint: Touchpoint, at: datetime) -> None:
        """A touchpoint of a customer came: count it, and look where it matters."""
        for name, counted in self._program.definition.enter.counts.items():
            if is_counted(self._program, counted, touchpoint, self._profile(customer)):
                self._counted[customer][name].append(touchpoint.timestamp)
        if customer not in self._known:
            self.know(customer, at, new=True)
        elif touchpoint.event in self._events:
            self._look(customer, at, new=True)

    def _profile(self, customer: str) -> dict[str, JsonValue]:
        zone = self._world.customer(customer).zone
        return {**self._effects.traits(customer), "id": customer, "zone": zone}

    def _candidate(self, customer: str, at: datetime) -> Candidate:
        profile = self._profile(customer)
        told = profile.get("zone")
        zone = told if isinstance(told, str) else self._program.zone
        tallies = {
            name: tally(self._counted[customer][name], counted.within, zone, at)
            for name, counted in self._program.definition.enter.counts.items()
        }
        return Candidate(profile=profile, zone=zone, tallies=tallies)

    def _look(self, customer: str, at: datetime, *, new: bool) -> None:
        candidate = self._candidate(customer, at)
        found = look(self._program, candidate, self._looked.get(customer), at, new=new)
        self._looked[customer] = found.looked
        if found.left:
            self._tell(customer, AUDIENCE_LEFT, f"left/{found.looked.times}", at)
        for occasion in found.enters:
            self._tell(customer, ENTER, occasion, at)
        self._look_again(customer, found.look_at)

    def _look_again(self, customer: str, at: datetime | None) -> None:
        if at is None or self._look_at.get(customer) == at:
            return
        self._look_at[customer] = at

        def again(now: datetime) -> None:
            if self._look_at.get(customer) == at:
                del self._look_at[customer]
                self._look(customer, now, new=True)

        self._later(at, again)

    def _schedule(self, customer: str, began: datetime, after: datetime) -> None:
        recurrence = str(self._program.definition.enter.schedule)
        following = next_occurrence(recurrence, self._program.zone, began, after)
        if following is None:
            return

        def occurs(now: datetime) -> None:
            if is_of_audience(self._program, self._candidate(customer, now), now)[0]:
                self._tell(customer, ENTER, f"{following.isoformat()}", now)
            self._schedule(customer, began, following)

        self._later(following, occurs)

    def _tell(self, customer: str, event: str, occasion: str, at: datetime) -> None:
        journey = self._program.journey
        told = Touchpoint(
            message_id=f"{event}/{journey}/{customer}/{occasion}",
            event=event,
            timestamp=at,
            properties={"journey": journey, "occasion": occasion},
        )
        self._take_in(Incoming(at=at, touchpoint=told, customer=customer), at)


class EntryCap:
    """How many may enter within an hour and a day, counted back from each entry."""

    def __init__(self, cap: Cap | None) -> None:
        limits = cap.limits() if cap is not None else ()
        self._entered = [(most, span, deque[datetime]()) for most, span, _ in limits]

    def has_room(self, at: datetime) -> bool:
        """Whether one more may enter now; if so, it is counted."""
        for limit, span, entered in self._entered:
            while entered and entered[0] <= at - span:
                entered.popleft()
            if len(entered) >= limit:
                return False
        for _, _, entered in self._entered:
            entered.append(at)
        return True
