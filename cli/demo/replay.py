"""Plays the day into the ingest API, touchpoint by touchpoint, at the times of the runs' clock.

One sender, in order. What was not acknowledged is sent again until it is: the message ids make
that safe. So whatever is killed meanwhile, the day is only late.
"""

import asyncio
import heapq
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2 as httpx
import orjson

from contracts.clock import RunClock
from examples.flight.itinerary import Occurrence
from examples.flight.passengers import Passenger

MOST_AT_ONCE = 100
AGAIN_SECONDS = 0.25
ANSWER_WITHIN_SECONDS = 10.0
LOOK_AHEAD = timedelta(milliseconds=25)


class ReplayRefusedError(Exception):
    """Ingest refused a touchpoint of the day for good; the message holds its answer."""


@dataclass(slots=True, frozen=True, kw_only=True, order=True)
class Due:
    """One message for ingest, and when it is due in run time."""

    at: datetime
    place: int
    message_id: str = field(compare=False)
    message: dict[str, Any] = field(compare=False)


def track(occurrence: Occurrence) -> dict[str, Any]:
    """An occurrence as Segment's `track`."""
    stamp = occurrence.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    message: dict[str, Any] = {
        "type": "track",
        "event": occurrence.event,
        "messageId": occurrence.message_id,
        "timestamp": stamp,
        "properties": occurrence.properties,
        "context": occurrence.context,
    }
    return message if occurrence.user_id is None else {**message, "userId": occurrence.user_id}


def identify(passenger: Passenger, at: datetime) -> dict[str, Any]:
    """A passenger made known, as Segment's `identify`."""
    return {
        "type": "identify",
        "messageId": f"{passenger.pnr}/known",
        "timestamp": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "userId": passenger.user_id,
        "traits": passenger.traits,
        "context": {"timezone": "America/New_York"},
    }


class Replay:
    """What is still to come of the day, and what ingest has acknowledged of it."""

    def __init__(self, clock: RunClock, url: str, write_key: str) -> None:
        self.acknowledged: list[str] = []
        self.clock = clock
        self._url = f"{url.rstrip('/')}/v1/batch"
        self._authorization = "Basic " + b64encode(f"{write_key}:".encode()).decode()
        self._due: list[Due] = []
        self._placed = 0
        self._more = asyncio.Event()

    def add(self, messages: Iterable[tuple[datetime, dict[str, Any]]]) -> None:
        """Put more into the day; at the same time, in the order given."""
        for at, message in messages:
            self._placed += 1
            due = Due(at=at, place=self._placed, message_id=message["messageId"], message=message)
            heapq.heappush(self._due, due)
        self._more.set()

    @property
    def waiting(self) -> int:
        """How many are still to be sent."""
        return len(self._due)

    def behind(self, wall: datetime) -> float:
        """By how many seconds of the wall the next touchpoint is overdue."""
        if not self._due:
            return 0.0
        return max(0.0, (wall - self.clock.wall(self._due[0].at)).total_seconds())

    async def play(self, until: datetime) -> None:
        """Send each when it is due, until that run time has come and all that was due is sent.

        Raises: `ReplayRefusedError`.
        """
        async with httpx.AsyncClient(timeout=ANSWER_WITHIN_SECONDS) as http:
            while True:
                now = self.clock.now(datetime.now(UTC))
                batch = self._take(min(now, until))
                if batch:
                    await self._send(http, batch)
                elif now >= until:
                    return
                else:
                    await self._rest(until)

    def _take(self, now: datetime) -> list[Due]:
        batch: list[Due] = []
        while self._due and self._due[0].at <= now and len(batch) < MOST_AT_ONCE:
            batch.append(heapq.heappop(self._due))
        return batch

    async def _rest(self, until: datetime) -> None:
        following = min(self._due[0].at, until) if self._due else until
        left = self.clock.wall(following) - datetime.now(UTC) + LOOK_AHEAD
        self._more.clear()
        try:
            await asyncio.wait_for(self._more.wait(), max(0.0, left.total_seconds()))
        except TimeoutError:
            return

    async def _send(self, http: httpx.AsyncClient, batch: list[Due]) -> None:
        body = orjson.dumps(
            {"batch": [due.message for due in batch], "sentAt": batch[-1].message["timestamp"]}
        )
        while not await self._post(http, body):  # noqa: ASYNC110 -- nobody tells when ingest is back
            await asyncio.sleep(AGAIN_SECONDS)
        self.acknowledged += [due.message_id for due in batch]

    async def _post(self, http: httpx.AsyncClient, body: bytes) -> bool:
        headers = {"Authorization": self._authorization, "Content-Type": "application/json"}
        try:
            answer = await http.post(self._url, content=body, headers=headers)
        except httpx.TransportError:
            return False
        if answer.status_code == 200:
            return True
        if answer.status_code == 429 or answer.status_code >= 500:
            return False
        raise ReplayRefusedError(f"ingest answered {answer.status_code}: {answer.text[:500]}")
