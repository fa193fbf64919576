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
    async def executions_found(self, going: Held, run_ids: Sequence[str]) -> None: ...
    async def executions_gone(self, going: Held) -> None: ...
    async def take_out(self, going: Held) -> None: ...
    async def sweep(self, going: Held) -> bool: ...


class Executions(Protocol):
    """Where runs live."""

    async def find(
        self, customers: Sequence[str], runs: Sequence[tuple[str, str]], most: int
    ) -> list[tuple[str, str]]:
        """Those that are there, of these customers, and of these workflow ids and run ids.

        About so many at most; workflow id and run id of each. Empty where nothing is left.
        """
        ...

    async def delete(self, found: Sequence[tuple[str, str]]) -> None:
        """End and delete these. What is slow to go is found again."""
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
            if await self._executions_deleted(going):
                return True
            if not await self.erasures.sending_ended(going):
                return False
            await self.erasures.executions_gone(going)
            return True
        if going.state == "ended":
            await self.erasures.take_out(going)
            return True
        if await self._executions_deleted(going):
            return True
        return await self.erasures.sweep(going)

    async def _executions_deleted(self, going: Held) -> bool:
        """Delete a portion; False where nothing is left to delete."""
        runs = await self.erasures.known_runs(going)
        found = await self.executions.find(going.sought.ids, runs, self.portion)
        if found:
            # Written before they go: a process that dies here has counted them, and one that is
            # slow to go is found, and written, twice, and counts once.
            await self.erasures.executions_found(going, [run_id for _, run_id in found])
            await self.executions.delete(found)
        return bool(found)
