"""Carrying erasures on: routing stops, runs end, their executions go, then the rows, then a last look.

Every step may be broken off anywhere and is done again by whoever carries the erasure on next.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, Protocol, TypeVar


class Wanted(Protocol):
    """Whose executions are looked for."""

    @property
    def ids(self) -> list[str]: ...
    @property
    def workflow_ids(self) -> list[str]: ...


class Going(Protocol):
    """An erasure under way. `state`: begun, ended (runs are gone), swept (rows are gone)."""

    @property
    def erasure(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def sought(self) -> Wanted: ...


Held = TypeVar("Held", bound=Going)


class Erasures(Protocol[Held]):
    """Where erasures are kept; `stores.erasures.ErasureStore` says what each guarantees."""

    async def hold(self, holder: str, erasure: str | None = None) -> Held | None: ...
    async def let_go(self, holder: str, erasure: str) -> None: ...
    async def routing_stopped(self, going: Held) -> bool: ...
    async def sending_ended(self, going: Held) -> bool: ...
    async def known_runs(self, going: Held) -> list[tuple[str, str]]: ...
    async def executions_gone(self, going: Held, deleted: int, *, all_gone: bool) -> None: ...
    async def take_out(self, going: Held) -> None: ...
    async def sweep(self, going: Held) -> bool: ...


class Executions(Protocol):
    """Where runs live."""

    async def erase(
        self, customers: Sequence[str], runs: Sequence[tuple[str, str]], most: int
    ) -> tuple[int, int]:
        """End and delete executions: of these customers, and of these workflow ids and run ids.

        At most so many at once; returns how many it found, 0 where nothing is left, and how many
        of them are gone.
        """
        ...


@dataclass(slots=True, frozen=True)
class Eraser(Generic[Held]):
    """Carries on one erasure at a time. `holder`: its own name among all who do."""

    erasures: Erasures[Held]
    executions: Executions
    holder: str
    portion: int = 50
    breath: timedelta = field(default=timedelta(milliseconds=200))

    async def round(self, erasure: str | None = None) -> bool:
        """Do the next step of one; whether there may be more to do at once."""
        going = await self.erasures.hold(self.holder, erasure)
        if going is None:
            return False
        try:
            return await self._step(going)
        finally:
            if erasure is None:
                await self.erasures.let_go(self.holder, going.erasure)

    async def finish(self, erasure: str) -> None:
        """Carry one on until it is done, or until somebody else has it."""
        try:
            while await self.erasures.hold(self.holder, erasure) is not None:
                if not await self.round(erasure):
                    await asyncio.sleep(self.breath.total_seconds())
        finally:
            await self.erasures.let_go(self.holder, erasure)

    async def _step(self, going: Held) -> bool:
        if going.state == "begun":
            if not await self.erasures.routing_stopped(going):
                return False
            found, gone = await self._executions(going)
            ended = not found and await self.erasures.sending_ended(going)
            await self.erasures.executions_gone(going, gone, all_gone=ended)
            return bool(found) or ended
        if going.state == "ended":
            await self.erasures.take_out(going)
            return True
        found, gone = await self._executions(going)
        if found:
            await self.erasures.executions_gone(going, gone, all_gone=False)
            return True
        return await self.erasures.sweep(going)

    async def _executions(self, going: Held) -> tuple[int, int]:
        runs = await self.erasures.known_runs(going)
        return await self.executions.erase(going.sought.ids, runs, self.portion)
