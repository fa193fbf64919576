"""What changes while it is looked at: one look at the database for all pages of a process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
import structlog
from starlette.responses import Response

from console.event_stream import CHANGED, HERE, QUIET, RETRY_SECONDS, streaming, too_many
from console.inbox_case import CasePage
from console.inbox_door import Visit
from stores.members import Member

_log = structlog.get_logger(__name__)


class Newest(Protocol):
    """The number of the newest event."""

    async def newest(self) -> int: ...


class Changed(Protocol):
    """What changed since an event."""

    async def changed(self, since: int) -> list[dict[str, Any]]: ...


class Writers(Protocol):
    """Who writes where."""

    async def all(self) -> dict[str, list[tuple[str, str]]]: ...


@dataclass(slots=True, eq=False)
class _Listener:
    member: Member
    case: str | None
    told: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(8))
    writers: list[str] = field(default_factory=list[str])


@dataclass(slots=True, kw_only=True)
class LiveInbox:
    """The listeners of this process. While there is one, the database is looked at every second for all of them.

    A listener is let go after `longest_seconds`, and its browser comes back by itself: whoever was signed
    out meanwhile is not let in again.
    """

    events: Newest
    changes: Changed
    writers: Writers
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    every_seconds: float = 1.0
    longest_seconds: float = 300.0
    most: int = 400
    _listeners: set[_Listener] = field(default_factory=set[_Listener])
    _looking: asyncio.Task[None] | None = None
    _seen: int | None = None
    _looked: asyncio.Event = field(default_factory=asyncio.Event)

    def stream(self, member: Member, case: str | None) -> Response:
        """What this member hears; `case`: whose page they look at."""
        if len(self._listeners) >= self.most or self.stopping.is_set():
            return too_many()
        return streaming(self._heard(member, case))

    async def _heard(self, member: Member, case: str | None) -> AsyncIterator[bytes]:
        listener = _Listener(member, case)
        self._listeners.add(listener)
        if self._looking is None or self._looking.done():
            self._seen = None
            self._looked.clear()
            self._looking = asyncio.create_task(self._look(), name="inbox")
        try:
            # It is looked at before the page is told that it listens: what came before that the page
            # fetches then, and what comes after is seen.
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY_SECONDS):
                    await self._looked.wait()
            yield HERE
            until = asyncio.get_running_loop().time() + self.longest_seconds
            while (told := await _next(listener, until)) is not None:
                yield told
        finally:
            self._listeners.discard(listener)

    async def _look(self) -> None:
        rounds = 0
        while self._listeners and not self.stopping.is_set():
            try:
                await self._round()
            except (
                Exception
            ):  # the database may be away: it is looked at again, pages stay as they are
                _log.warning("inbox_not_looked_at", exc_info=True)
            self._looked.set()
            rounds += 1
            if rounds % 15 == 0:
                self._tell(QUIET)
            with suppress(TimeoutError):
                async with asyncio.timeout(self.every_seconds):
                    await self.stopping.wait()
        self._tell(b"")

    async def _round(self) -> None:
        newest, before = await self.events.newest(), self._seen
        self._seen = newest
        changed = (
            await self.changes.changed(before) if before is not None and newest > before else []
        )
        writers = await self.writers.all()
        for listener in list(self._listeners):
            if any(_concerns(listener, each) for each in changed):
                _put(listener, CHANGED)
            if listener.case is not None:
                own = listener.member.member
                now = [name for who, name in writers.get(listener.case, []) if who != own]
                if now != listener.writers:
                    listener.writers = now
                    _put(listener, b"event: writing\ndata: " + orjson.dumps(now) + b"\n\n")

    def _tell(self, told: bytes) -> None:
        for listener in list(self._listeners):
            _put(listener, told)


def _concerns(listener: _Listener, change: dict[str, Any]) -> bool:
    if listener.case is not None:
        return change["case"] == listener.case
    member = listener.member
    return (
        member.role == "admin"
        or change["queue"] in member.queues
        or change["claimed_by"] == member.member
    )


async def _next(listener: _Listener, until: float) -> bytes | None:
    """What it hears next; None when it is let go."""
    try:
        async with asyncio.timeout_at(until):
            return await listener.told.get() or None
    except TimeoutError:
        return None


def _put(listener: _Listener, told: bytes) -> None:
    if listener.told.full():  # it reads too slowly: what it missed, it sees by what comes next
        listener.told.get_nowait()
    listener.told.put_nowait(told)


@dataclass(slots=True, frozen=True, kw_only=True)
class LivePage:
    """The door of what is live."""

    live: LiveInbox
    page: CasePage

    async def events(self, visit: Visit) -> Response:
        """Events for the list, or for one case."""
        name = visit.request.query_params.get("case")
        if name is None:
            return self.live.stream(visit.member, None)
        visit.request.path_params["case"] = name
        case = await self.page.seen(visit)
        return self.live.stream(visit.member, case.case)
