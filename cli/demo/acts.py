"""What one may do on the demo's page: decide the followed passenger's case, and kill everything."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic
from typing import Protocol

from cli.demo.scene import local
from cli.demo.staff import Refused, SimulatedStaff, Unreachable
from cli.demo.verdict import Verdict
from console.flight import CannotDecideError
from console.flight_picture import Outage, Stage

YOU = "you"
PARTS = {
    "workers": ("journey", "delivery"),
    "router": ("router",),
    "API": ("api",),
    "mailbox": ("mailbox",),
    "Temporal": ("temporal",),
    "PostgreSQL": ("postgres",),
}
LOOK_SECONDS = 0.1
AGAIN_SECONDS = 1.0
RETURN_SECONDS = 180.0


class Killable(Protocol):
    """The installation, as far as killing it goes: `workers.embedded.stack.Stack`."""

    @property
    def pids(self) -> dict[str, int | None]: ...
    @property
    def restarts(self) -> dict[str, int]: ...
    async def kill_all(self) -> None: ...
    async def until_whole(self, seconds: float = 120) -> None: ...


@dataclass(slots=True, kw_only=True)
class Playing:
    """What the acts act on, while a day is played on the real installation."""

    stack: Killable
    staff: SimulatedStaff
    judge: Callable[[], Awaitable[Verdict]]
    caught_up: Callable[[], bool]
    run_now: Callable[[], datetime]


class Acts:
    """Orders given on the page. `playing` is None while there is nothing to act on."""

    def __init__(self, stage: Stage) -> None:
        self.playing: Playing | None = None
        self.outage: Outage | None = None
        self._stage = stage
        self._killing: asyncio.Task[None] | None = None

    @property
    def dead(self) -> bool:
        """Whether everything was killed and is not back yet."""
        return self._killing is not None and not self._killing.done()

    async def decide(self, case: str, decision: str) -> None:
        """Decide a case of the followed passenger. Raises: `CannotDecideError`."""
        playing, followed = self.playing, self._stage.scene.followed
        if playing is None or followed is None or case not in {c.case for c in followed.cases}:
            raise CannotDecideError("This case is not yours to decide.")
        suggestion = playing.staff.suggestion(case)
        same = suggestion is not None and suggestion.decision == decision
        fields = suggestion.fields if suggestion is not None and same else {}
        try:
            await playing.staff.decide_as(case, decision, fields, YOU)
        except Unreachable:
            raise CannotDecideError("The database is away; it comes back. Try again.") from None
        except Refused as reason:
            raise CannotDecideError(str(reason)) from None

    def kill_everything(self) -> bool:
        """Kill every process; False where nothing is played, or a kill is still being mended."""
        playing = self.playing
        if playing is None or self.dead:
            return False
        self._killing = asyncio.create_task(self._kill(playing), name="kill everything")
        return True

    async def settled(self) -> None:
        """Wait until what was killed is back and counted."""
        if self._killing is not None:
            await self._killing

    async def recount(self) -> None:
        """Count again what the last kill cost: an attempt in doubt settles a while later."""
        if self.outage is not None and self.playing is not None and not self.dead:
            self.outage = _judged(self.outage, await self.playing.judge())

    async def _kill(self, playing: Playing) -> None:
        begun, stack = monotonic(), playing.stack
        number = self.outage.number + 1 if self.outage else 1
        killed = tuple(part for part, members in PARTS.items() if set(members) & stack.pids.keys())
        outage = Outage(number=number, at=local(playing.run_now()), killed=killed)
        self.outage, before = outage, dict(stack.restarts)
        await stack.kill_all()
        returning = asyncio.create_task(stack.until_whole(RETURN_SECONDS))
        try:
            while not returning.done():
                self.outage = replace(outage, back=_back(stack, before, killed))
                await asyncio.sleep(LOOK_SECONDS)
            await returning
        finally:
            returning.cancel()
        outage = replace(outage, back=killed, seconds=monotonic() - begun)
        self.outage = _judged(outage, await _patiently(playing.judge))
        while not playing.caught_up():  # noqa: ASYNC110 -- seen by looking, not told
            await asyncio.sleep(LOOK_SECONDS)
        self.outage = replace(self.outage, caught_up=monotonic() - begun)


def _back(stack: Killable, before: dict[str, int], parts: tuple[str, ...]) -> tuple[str, ...]:
    restarts = stack.restarts
    return tuple(
        part
        for part in parts
        if all(restarts[name] > before.get(name, 0) for name in PARTS[part] if name in restarts)
    )


def _judged(outage: Outage, verdict: Verdict) -> Outage:
    return replace(outage, lost=verdict.lost, twice=verdict.twice, unknown=verdict.unknown)


async def _patiently(judge: Callable[[], Awaitable[Verdict]]) -> Verdict:
    while True:
        try:
            return await judge()
        except Unreachable:
            await asyncio.sleep(AGAIN_SECONDS)
