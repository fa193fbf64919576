"""What several pages of mission control read; the stores say what each guarantees."""

from typing import Protocol

from contracts.journey_figures import Standing
from journey.program import Program
from stores.definitions import PublishedDefinition


class Definitions(Protocol):
    """What was published."""

    async def versions(self, journey: str) -> list[PublishedDefinition]: ...
    async def live(self, journey: str) -> str | None: ...


class Programs(Protocol):
    """The program of a version."""

    async def program(self, version: str) -> Program | None: ...


class Stands(Protocol):
    """Who stands where now."""

    async def stands(self, journey: str, version: str | None = None) -> list[Standing]: ...
