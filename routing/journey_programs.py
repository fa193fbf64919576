"""The programs that the router asks: what a version listens to, and whom a live journey admits."""

from collections.abc import Sequence
from typing import Protocol

from journey.program import Program
from journey.programs import PROGRAMS, Programs


class LiveJourney(Protocol):
    """A journey that customers may enter, and the version they enter."""

    @property
    def journey(self) -> str: ...
    @property
    def version(self) -> str: ...


class Definitions(Protocol):
    """Where definitions are kept."""

    async def load(self, version: str) -> bytes | None: ...
    async def live_journeys(self) -> Sequence[LiveJourney]: ...


class JourneyPrograms:
    """Programs by version, loaded once a process; which ones are live is asked each time."""

    def __init__(self, definitions: Definitions, programs: Programs = PROGRAMS) -> None:
        self._definitions = definitions
        self._programs = programs

    async def program(self, version: str) -> Program | None:
        """The program of a version; None where there is no such definition."""
        held = self._programs.get(version)
        if held is None:
            canonical = await self._definitions.load(version)
            held = None if canonical is None else self._programs.add(canonical)
        return held

    async def live(self) -> list[Program]:
        """The programs that customers may enter now."""
        found = [
            await self.program(live.version) for live in await self._definitions.live_journeys()
        ]
        return [program for program in found if program is not None]
