"""A recording sorted by customer, then time, on disk: memory holds one part of it at a time.

Customers are spread over parts by a hash of their name, so that parts can be played side by side
and what comes of it is the same however many are. The same hash draws a sample.
"""

import base64
import hashlib
import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import orjson
from pydantic import JsonValue

from insight.recorded_touchpoints import Recorded
from journey.touchpoint import Touchpoint

PARTS = 256
_PART_BITS = 56
SUBJECTS = "subjects"
"""The part that holds what is about a subject only."""


@dataclass(slots=True, frozen=True, kw_only=True)
class KnownCustomer:
    """What was said of a customer beside the recording. `addresses` None: reached on every channel."""

    customer: str
    traits: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    zone: str | None = None
    addresses: dict[str, str] | None = None


@dataclass(slots=True)
class CustomerRecording:
    """All that was recorded of one customer, by time. `places` are positions in the recording."""

    customer: str
    known: KnownCustomer | None = None
    touchpoints: list[Touchpoint] = field(default_factory=list[Touchpoint])
    places: list[int] = field(default_factory=list[int])


@dataclass(slots=True, frozen=True, kw_only=True)
class Part:
    """One part: its file, how many touchpoints are in it, and how many of them may bring somebody in."""

    path: Path
    touchpoints: int
    entering: int


@lru_cache(maxsize=65_536)
def lot_of(customer: str) -> int:
    """The customer's lot: 64 bits, the same always."""
    return int.from_bytes(hashlib.sha256(customer.encode()).digest()[:8])


def our_id(customer: str) -> str:
    """The id that a recorded customer has with us: opaque as all are, and the same always."""
    digest = hashlib.sha256(f"recorded customer {customer}".encode()).digest()[:16]
    return "c_" + base64.b32encode(digest).decode().rstrip("=").lower()


class SortedRecording:
    """Takes a recording in, in any order, and gives it back customer by customer.

    `begins`, `ends`: between first and last touchpoint kept. `sample`: the lots of so many customers
    are drawn; who is not among them is left out when read.
    """

    def __init__(self, folder: Path, entry_event: str | None) -> None:
        self.begins: datetime | None = None
        self.ends: datetime | None = None
        self.taken = 0
        self._folder = folder
        self._entry_event = entry_event
        self._files: dict[str, IO[bytes]] = {}
        self._counts: dict[str, list[int]] = {}
        self._lots = set[int]()
        self.highest_lot: int | None = None

    def take(self, recorded: Recorded) -> None:
        """Take in one touchpoint."""
        touchpoint = recorded.touchpoint
        at = touchpoint.timestamp
        self.begins = at if self.begins is None else min(at, self.begins)
        self.ends = at if self.ends is None else max(at, self.ends)
        row = [
            recorded.customer,
            self.taken,
            at,
            touchpoint.message_id,
            touchpoint.event,
            touchpoint.properties,
            touchpoint.context,
        ]
        self.taken += 1
        part = self._write(recorded.customer, row)
        counts = self._counts[part]
        counts[0] += 1
        counts[1] += touchpoint.event == self._entry_event

    def know(self, known: KnownCustomer) -> None:
        """Take in what was said of a customer, before the end."""
        row = [known.customer, None, known.traits, known.zone, known.addresses]
        self._write(known.customer, row)

    def close(self, sample: int | None = None) -> None:
        """All is taken in. `sample`: keep so many customers."""
        for file in self._files.values():
            file.close()
        if sample is not None and sample < len(self._lots):
            self.highest_lot = heapq.nsmallest(sample, self._lots)[-1]

    @property
    def customers(self) -> int:
        """How many customers are kept."""
        if self.highest_lot is None:
            return len(self._lots)
        return sum(lot <= self.highest_lot for lot in self._lots)

    def parts(self) -> list[Part]:
        """The parts with customers that are kept, in the order of their lots."""
        names = sorted(name for name in self._counts if name != SUBJECTS)
        if self.highest_lot is not None:
            last = f"{self.highest_lot >> _PART_BITS:03}"
            names = [name for name in names if name <= last]
        return [self._part(name) for name in names]

    def subjects(self) -> Part | None:
        """The part with what is about subjects only, if there is any."""
        return self._part(SUBJECTS) if SUBJECTS in self._counts else None

    def _part(self, name: str) -> Part:
        touchpoints, entering = self._counts[name]
        return Part(path=self._folder / name, touchpoints=touchpoints, entering=entering)

    def _write(self, customer: str | None, row: list[Any]) -> str:
        part = SUBJECTS
        if customer is not None:
            lot = lot_of(customer)
            self._lots.add(lot)
            part = f"{lot >> _PART_BITS:03}"
        file = self._files.get(part)
        if file is None:
            file = self._files[part] = (self._folder / part).open("wb")
            self._counts[part] = [0, 0]
        file.write(orjson.dumps(row) + b"\n")
        return part


def read_part(path: Path, highest_lot: int | None = None) -> Iterator[CustomerRecording]:
    """The customers of a part by their lots, each with what was recorded of them by time."""
    found: dict[str, list[list[Any]]] = {}
    with path.open("rb") as lines:
        for line in lines:
            row = orjson.loads(line)
            found.setdefault(row[0] or "", []).append(row)
    for customer in sorted(found, key=lambda name: (lot_of(name), name)):
        if highest_lot is None or path.name == SUBJECTS or lot_of(customer) <= highest_lot:
            yield _recording(customer, found.pop(customer))


def _recording(customer: str, rows: list[list[Any]]) -> CustomerRecording:
    recording = CustomerRecording(customer)
    happened: list[tuple[datetime, list[Any]]] = []
    for row in rows:
        if row[1] is None:
            _, _, traits, zone, addresses = row
            recording.known = KnownCustomer(
                customer=customer, traits=traits, zone=zone, addresses=addresses
            )
        else:
            happened.append((datetime.fromisoformat(row[2]), row))
    for at, row in sorted(happened, key=lambda each: (each[0], each[1][1])):
        _, place, _, message_id, event, properties, context = row
        recording.places.append(place)
        recording.touchpoints.append(
            Touchpoint(
                message_id=message_id,
                event=event,
                timestamp=at,
                properties=properties,
                context=context,
            )
        )
    return recording
