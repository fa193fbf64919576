"""The simulated staff: how each desk decides a case, and how long it takes.

Deterministic: the same case is always decided alike. Someone else may decide instead, such as
whoever watches the demo; the day goes on with what was decided.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import JsonValue

from examples.flight.board import Board
from examples.flight.chance import Chance
from examples.flight.departures import Departure
from examples.flight.itinerary import choice_of
from examples.flight.passengers import Passenger

CONNECTS_IN = timedelta(minutes=35)
"""What it takes to get from one aircraft to the next."""

OVERNIGHT = 0.04
"""Share of rebooking cases that nobody gets to before the next morning."""


@dataclass(slots=True, frozen=True, kw_only=True)
class CaseSeen:
    """What the desk sees of a case.

    `brief`: its text, or anything that names the bag it is about. `decisions`: the names of those
    offered; they tell what the case is about also when it was escalated to another queue.
    """

    case: str
    user_id: str
    queue: str
    opened_at: datetime
    brief: str = ""
    decisions: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True, kw_only=True)
class StaffDecision:
    """What staff decide, how long after the case was opened, and what they fill in."""

    after: timedelta
    decision: str
    fields: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    by: str = "simulated staff"


class Desk:
    """Decides cases. Knows the board, and on which flight it has put whom."""

    def __init__(self, board: Board, chance: Chance) -> None:
        self._board = board
        self._chance = chance
        self._first_leg: dict[str, Departure] = {}

    def first_leg(self, passenger: Passenger) -> Departure:
        """The flight that the passenger leaves with, as booked or as changed since."""
        return self._first_leg.get(passenger.user_id, passenger.legs[0])

    def put_on(self, passenger: Passenger, flight: Departure) -> None:
        """Remember that the passenger now leaves with this flight."""
        self._first_leg[passenger.user_id] = flight

    def decide(self, case: CaseSeen, passenger: Passenger) -> StaffDecision:
        """What staff decide about a case."""
        if case.queue == "rebooking" or "refunded" in case.decisions:
            return self._rebook(case, passenger)
        if case.queue == "connections" or "hotel" in case.decisions:
            return self._reconnect(case, passenger)
        return self._find_bag(case, passenger)

    def _rebook(self, case: CaseSeen, passenger: Passenger) -> StaffDecision:
        after = self._chance.minutes(8, 75, "rebooks", passenger.pnr)
        if self._chance.happens(OVERNIGHT, "overnight", passenger.pnr):
            after = self._chance.minutes(16 * 60, 20 * 60, "rebooks", passenger.pnr)
        at = case.opened_at + after
        left = self._board.alternatives(self.first_leg(passenger).flight, at, most=1)
        if not left or passenger.checks_in == "never":
            return StaffDecision(after=after, decision="refunded")
        said = self._board.entries[left[0].flight].said(at)
        fields = {**choice_of(left[0], said), "from": left[0].origin}
        return StaffDecision(after=after, decision="rebooked", fields=fields)

    def _reconnect(self, case: CaseSeen, passenger: Passenger) -> StaffDecision:
        after = self._chance.minutes(5, 35, "reconnects", passenger.pnr)
        at = case.opened_at + after
        first = self._board.entries[self.first_leg(passenger).flight]
        ready = max(at, first.said(at)[1]) + CONNECTS_IN
        for flight in passenger.onward:
            if flight.departs >= ready:
                return StaffDecision(after=after, decision="rebooked", fields=choice_of(flight))
        return StaffDecision(after=after, decision="hotel")

    def _find_bag(self, case: CaseSeen, passenger: Passenger) -> StaffDecision:
        # The featured passenger's case is left to whoever watches; staff come to it late.
        after = timedelta(minutes=70)
        if not passenger.featured:
            after = self._chance.minutes(6, 28, "finds", case.case)
        flew = [bag.tag for bag in passenger.bags if bag.fate != "lost"]
        found = any(tag in case.brief for tag in flew)
        decision = "on-board-after-all" if found else "follows-later"
        return StaffDecision(after=after, decision=decision)
