"""One run as the router knows it while it works through a batch."""

from dataclasses import dataclass, field
from functools import cached_property

import orjson
from pydantic import JsonValue

from contracts.routing import PendingTouchpoint, PutBack, StartingRun
from journey.program import Program

SIGNAL_BYTES = 256_000
"""The most that one `touchpoints` signal carries (the server's own limit is 2 MB)."""

_OVERHEAD = 1_000


class Arrived:
    """A touchpoint of a batch: its rows, whom it is aimed at, and how it goes over the wire.

    `general`: it is for all who want it, not only for the runs it is aimed at.
    """

    def __init__(self, rows: list[PendingTouchpoint]) -> None:
        self.rows = rows
        self.touchpoint = rows[0]
        self.aimed = frozenset(row.run for row in rows if row.run is not None)
        self.general = any(row.run is None for row in rows)

    @cached_property
    def told(self) -> dict[str, JsonValue]:
        """The touchpoint as a run is told it; what is empty is left out."""
        given = self.touchpoint
        told: dict[str, JsonValue] = {
            "message_id": given.message_id,
            "event": given.event,
            "timestamp": given.occurred_at.isoformat(),
            "number": given.number,
        }
        if given.properties:
            told["properties"] = given.properties
        # Which library sent it is no business of a journey's, and each byte is in every history.
        context = {name: value for name, value in given.context.items() if name != "library"}
        if context:
            told["context"] = context
        return told

    @cached_property
    def size(self) -> int:
        """Bytes of JSON."""
        return len(orjson.dumps(self.told))


@dataclass(slots=True, eq=False)
class ToldRun:
    """A run that is told touchpoints, with those that wait to be told in one signal.

    `program` None: its version cannot be found here, so it is told everything rather than too
    little. `first_run_id` is known of runs that this router's unit started and that were not
    admitted yet; what they listen to besides the customer is not known before. `aimed_only`: it was
    admitted while the batch was read, and gets what admission aimed at it and nothing else yet.
    `gives_way`: another run of the same customer goes on in its place, and gets all but its end.
    `entering`: the message id of the touchpoint by which it entered, once it is admitted.
    `moved`: it goes on under another version than it began with.
    `put_back`: what comes to it alone. A touchpoint of that it does not take under a lower number,
    and what was routed before the one that it entered by is not its own, unless it is aimed at it.
    `signals`: how many it was sent in this batch.
    """

    workflow_id: str
    journey: str
    version: str
    key: str | None
    program: Program | None
    entry: int | None = None
    first_run_id: str | None = None
    subjects: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    waiting: list[Arrived] = field(default_factory=list[Arrived])
    offered: set[int] = field(default_factory=set[int])
    closed: bool = False
    aimed_only: bool = False
    gives_way: bool = False
    entering: str | None = None
    moved: bool = False
    put_back: PutBack = field(default_factory=PutBack)
    signals: int = 0

    def began_with(self, given: PendingTouchpoint) -> bool:
        """Whether it entered by this touchpoint, and so has it, whatever its version listens to."""
        return self.entering is not None and self.entering == given.message_id

    def wants(self, given: PendingTouchpoint) -> bool:
        """Whether this run's version listens to the event and, if it is about a subject, to that.

        A customer's own touchpoint about a subject of a kind that the journey does not follow is
        taken as the customer's.
        """
        if self.closed or self.workflow_id in given.had_by or given.touchpoint in self.offered:
            return False
        if self.began_with(given) or given.number < self.put_back.numbers.get(given.touchpoint, 0):
            return False
        if self.program is None:
            return True
        if given.event not in self.program.listens:
            return False
        if given.subject is None or given.subject in self.subjects:
            return True
        return given.own and given.subject[0] not in self.program.subject_kinds

    def offer(self, arrived: Arrived) -> None:
        """Let it wait to be told, under the first of its numbers, if the run wants it."""
        if self.wants(arrived.touchpoint):
            self.offered.add(arrived.touchpoint.touchpoint)
            self.waiting.append(arrived)

    def take_waiting(self) -> list[list[Arrived]]:
        """What waits, in order, in portions that fit one signal each; nothing waits afterwards."""
        portions: list[list[Arrived]] = []
        size = SIGNAL_BYTES
        for arrived in self.waiting:
            size += arrived.size + 1
            if size > SIGNAL_BYTES - _OVERHEAD:
                portions.append([])
                size = arrived.size
            portions[-1].append(arrived)
        self.waiting = []
        return portions

    def starting(self) -> StartingRun | None:
        """What the next batch must know of it, where it is not admitted yet."""
        if self.closed or self.entry is not None or self.first_run_id is None:
            return None
        return StartingRun(
            workflow_id=self.workflow_id,
            first_run_id=self.first_run_id,
            journey=self.journey,
            version=self.version,
            key=self.key,
        )
