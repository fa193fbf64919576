"""The scanner: time alone also moves people. It looks at those whose look is due, and keeps schedules.

As many may run as one likes: each journey's scan is one process's at a time, and a customer looked
at twice enters once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import structlog

from journey.entry_looks import entry_kind, is_looked_at
from journey.program import Program
from routing.journey_programs import JourneyPrograms

_log = structlog.get_logger(__name__)


class DueLook(Protocol):
    """A customer to be looked at."""

    @property
    def journey(self) -> str: ...
    @property
    def customer(self) -> str: ...


class EntryLooks(Protocol):
    """Where looks are kept; `stores.entry_looks.EntryLookStore` says what each guarantees."""

    async def look(self, customer: str, program: Program) -> None: ...
    async def due(self) -> Sequence[DueLook]: ...
    async def forget(self, journey: str, customer: str) -> None: ...
    async def scan(self, program: Program) -> bool: ...
    async def keep_schedule(self, program: Program) -> bool: ...


@dataclass(slots=True)
class EntryScanner:
    """Looks again and again, `pause` between two rounds in which there was nothing to do."""

    looks: EntryLooks
    programs: JourneyPrograms
    pause: timedelta = field(default=timedelta(seconds=2))

    async def run(self) -> None:
        """Look until cancelled. A round that fails is told and tried again."""
        while True:
            try:
                more = await self.round()
            except Exception as error:  # whatever it is, the next round may find it mended
                _log.warning("entries_not_scanned", error=repr(error))
                more = False
            if not more:
                await asyncio.sleep(self.pause.total_seconds())

    async def round(self) -> bool:
        """Look once at all that is due; whether there may be more at once."""
        live = await self.programs.live()
        more = False
        for program in live:
            if is_looked_at(program):
                more |= await self.looks.scan(program)
            elif entry_kind(program) == "schedule":
                more |= await self.looks.keep_schedule(program)
        looked_at = {program.journey: program for program in live if is_looked_at(program)}
        due = await self.looks.due()
        for each in due:
            program = looked_at.get(each.journey)
            if program is None:
                await self.looks.forget(each.journey, each.customer)
            else:
                await self.looks.look(each.customer, program)
        return more or bool(due)
