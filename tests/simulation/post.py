"""The way of touchpoints in a simulated installation: taken in once, numbered, routed by the real router's own rules.

The batch is `routing.customer_batch`; only what the database does for it is told again here, in memory.
"""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from pydantic import JsonValue

from contracts.evidence import SeenArrival, SeenTouchpoint
from contracts.routing import GIVEN, Fate, PendingTouchpoint, PutBack, had_by, may_have, unwritten
from journey.program import Program
from journey.touchpoint import Touchpoint

T = TypeVar("T")
Subject = tuple[str, str]


def done_at_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for nothing: there is no loop in a simulation."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("it waits for something")


@dataclass(kw_only=True)
class Stored:
    """A touchpoint as it was taken in."""

    touchpoint: int
    message_id: str
    event: str
    occurred_at: datetime
    received_at: datetime
    customer: str | None
    subject: Subject | None
    properties: dict[str, JsonValue]


@dataclass
class Row:
    """A row of the outbox. `run`: it is aimed at that run only."""

    row: int
    unit: str
    touchpoint: int
    number: int | None = None
    run: str | None = None


@dataclass
class Arrival:
    """A touchpoint among a customer's, and what became of it."""

    number: int
    fates: list[Fate] = field(default_factory=list[Fate])


class Post:
    """Touchpoints, arrivals and the outbox of one installation."""

    def __init__(self) -> None:
        self.stored: list[Stored] = []
        self.known: dict[str, int] = {}
        self.rows: list[Row] = []
        self.arrivals: dict[tuple[str, int], Arrival] = {}
        self.numbered: dict[str, int] = {}
        self.told_up_to: dict[str, int] = {}
        """The highest number that a batch has had: any run may have been told of those up to it."""
        self.acknowledged: list[str] = []
        self._written = 0

    def take_in(self, new: Stored) -> bool:
        """Take a touchpoint in; False where its message id was taken in before. Both are acknowledged."""
        self.acknowledged.append(new.message_id)
        if new.message_id in self.known:
            return False
        new.touchpoint = len(self.stored)
        self.known[new.message_id] = new.touchpoint
        self.stored.append(new)
        return True

    def put(self, unit: str, touchpoint: int, run: str | None = None) -> None:
        """A row in the outbox, unless the same is there."""
        if not any((r.unit, r.touchpoint, r.run) == (unit, touchpoint, run) for r in self.rows):
            self._written += 1
            self.rows.append(Row(self._written, unit, touchpoint, None, run))

    def put_anew(self, unit: str, touchpoint: int, run: str, entry: int) -> None:
        """What a run was certainly never told is put back for it under a number above all others."""
        known = self.arrivals.get((unit, touchpoint))
        if known is None:
            self.put(unit, touchpoint, run)
            return
        aimed = [r for r in self._of(unit) if (r.touchpoint, r.run) == (touchpoint, run)]
        if _has(known.fates, run, entry) or any(self._still_comes(row) for row in aimed):
            return
        self._written += 1
        self.numbered[unit] += 1
        self.rows.append(Row(self._written, unit, touchpoint, self.numbered[unit], run))

    def _still_comes(self, row: Row) -> bool:
        """Whether it comes under a number above all that any run may have been told."""
        return row.number is None or row.number > self.told_up_to.get(row.unit, 0)

    def is_aimed(self, unit: str, touchpoint: int, run: str) -> bool:
        """Whether it is on its way to this run alone."""
        return any((r.unit, r.touchpoint, r.run) == (unit, touchpoint, run) for r in self.rows)

    def never_heard(self, customer: str, heard: Sequence[Touchpoint]) -> Callable[[Stored], bool]:
        """What admission knows: it is not among what came with the start, and higher numbers are."""
        highest = max((each.number or 0 for each in heard), default=0)
        names = {each.message_id for each in heard}

        def never(stored: Stored) -> bool:
            known = self.arrivals.get((customer, stored.touchpoint))
            return known is not None and known.number < highest and stored.message_id not in names

        return never

    def put_back(self, unit: str, run: str, entering: int | None) -> PutBack:
        """What is pending for a run alone; `entering`: what it entered by, once it is admitted."""
        found = PutBack()
        for row in self._of(unit):
            if row.run == run and row.number is not None:
                found.numbers[row.touchpoint] = max(
                    row.number, found.numbers.get(row.touchpoint, 0)
                )
                if row.touchpoint == entering:
                    found.entered_under = min(row.number, found.entered_under or row.number)
        return found

    def number(self, customer: str, limit: int) -> set[int]:
        """Number what is not: an aimed row keeps the arrival's own number, if its run had no higher one.

        `limit`: so many the batch will have. Returns the rows that a batch had which was never finished.
        """
        begun = [row for row in self._of(customer) if not self._still_comes(row)]
        bound = self.told_up_to.get(customer, 0) if begun else 0
        for row in self._of(customer):
            if row.number is not None:
                continue
            had = self.arrivals.get((customer, row.touchpoint))
            if had is not None and row.run is not None and had.number > self._given(row.run):
                told = any(
                    r.touchpoint == row.touchpoint and r.run in (None, row.run) for r in begun
                )
                if had.number > bound or told:
                    row.number = had.number
                    continue
            number = self.numbered[customer] = self.numbered.get(customer, 0) + 1
            row.number = number
            self.arrivals.setdefault((customer, row.touchpoint), Arrival(number))
        # What was numbered before its run was given a higher number comes under a new one.
        for row in sorted(self._of(customer), key=lambda row: row.number or 0):
            if row.run is not None and (row.number or 0) <= self._given(row.run):
                row.number = self.numbered[customer] = self.numbered.get(customer, 0) + 1
        batch = self._first(customer, limit)
        if batch:
            last = batch[-1].number or 0
            self.told_up_to[customer] = max(last, self.told_up_to.get(customer, 0))
        return {row.row for row in begun}

    def _of(self, customer: str) -> list[Row]:
        return [row for row in self.rows if row.unit == customer]

    def _given(self, run: str) -> int:
        """The highest number that a run was given."""
        return max(
            (
                int(str(fate.get("number", arrival.number)))
                for arrival in self.arrivals.values()
                for fate in arrival.fates
                if fate.get("run") == run and fate["fate"] in GIVEN
            ),
            default=0,
        )

    def pending(
        self, customer: str, ids: set[str], limit: int, begun: set[int]
    ) -> list[PendingTouchpoint]:
        """What is numbered, the lowest numbers first; `ids`: all that the customer was known under.

        `begun`: as `number` said.
        """
        return [self._pending(customer, ids, row, begun) for row in self._first(customer, limit)]

    def _first(self, customer: str, limit: int) -> list[Row]:
        """So many, and all that have the same number as the last of them."""
        rows = [row for row in self._of(customer) if row.number is not None]
        rows.sort(key=lambda row: (row.number or 0, row.row))
        last = rows[:limit][-1].number if rows else None
        return [row for n, row in enumerate(rows) if n < limit or row.number == last]

    def _pending(
        self, customer: str, ids: set[str], row: Row, begun: set[int]
    ) -> PendingTouchpoint:
        told = self.stored[row.touchpoint]
        arrival = self.arrivals[customer, row.touchpoint]
        fates: list[Fate] = []
        for each in ids:
            known = self.arrivals.get((each, row.touchpoint))
            fates += known.fates if known else []
        assert row.number is not None
        context: dict[str, JsonValue] = {}
        if told.subject is not None:
            context["subject"] = {"kind": told.subject[0], "id": told.subject[1]}
        return PendingTouchpoint(
            row=row.row,
            touchpoint=row.touchpoint,
            number=row.number,
            arrival=arrival.number,
            message_id=told.message_id,
            event=told.event,
            occurred_at=told.occurred_at,
            run=row.run,
            properties=told.properties,
            context=context,
            subject=told.subject,
            own=told.customer is not None,
            had_by=had_by(fates),
            unwritten=unwritten(fates),
            doubtful=row.row in begun,
            fated=bool(had_by(fates))
            or any(fate["fate"] not in (*GIVEN, "handed_back") for fate in arrival.fates),
        )

    def finish(self, customer: str, rows: tuple[int, ...], fates: dict[int, list[Fate]]) -> None:
        """The batch is done: what became of each is written, and its rows are gone."""
        for touchpoint, told in fates.items():
            self.arrivals[customer, touchpoint].fates += told
        self.rows = [row for row in self.rows if row.row not in rows]

    def had_since(
        self, customers: set[str], since: datetime, run: str, entry: int
    ) -> Iterator[int]:
        """What customers had since then, and this run did not."""
        for (customer, touchpoint), arrival in list(self.arrivals.items()):
            its = customer in customers and self.stored[touchpoint].received_at >= since
            if its and not _has(arrival.fates, run, entry):
                yield touchpoint

    def about(self, subjects: set[Subject], customer: str, since: datetime) -> Iterator[int]:
        """What happened to these subjects since then: nobody's, or this customer's own."""
        for each in self.stored:
            its = each.subject in subjects and each.customer in (None, customer)
            if its and each.received_at >= since:
                yield each.touchpoint

    # -- evidence

    def seen_touchpoints(self) -> tuple[SeenTouchpoint, ...]:
        return tuple(
            SeenTouchpoint(
                touchpoint=each.touchpoint,
                message_id=each.message_id,
                event=each.event,
                received_at=each.received_at,
                customer=each.customer,
                subject=each.subject,
                routed=each.event != "$identify" or bool(each.properties),
            )
            for each in self.stored
        )

    def seen_arrivals(self) -> tuple[SeenArrival, ...]:
        return tuple(
            SeenArrival(
                customer=customer,
                number=arrival.number,
                touchpoint=touchpoint,
                fates=tuple(arrival.fates),
            )
            for (customer, touchpoint), arrival in self.arrivals.items()
        )


def _has(fates: Sequence[Fate], run: str, entry: int) -> bool:
    """Whether a run has it, or may have it."""
    return entry in may_have(fates) or run in had_by(fates)


def never_wanted(program: Program, followed: set[Subject]) -> Callable[[Stored], bool]:
    """Whether a run of a version that follows these subjects was certainly never told of something."""

    def never(stored: Stored) -> bool:
        if stored.event not in program.listens:
            return True
        if stored.subject is None or stored.subject in followed:
            return False
        return stored.customer is None or stored.subject[0] in program.subject_kinds

    return never
