"""The sweeper: runs that ended outside of Clew are found, and their end is written down.

Somebody terminates a run in Temporal's Web UI, or the server loses it: the run itself can no longer say so. Each
round asks the server what it ended lately, and whether so many of the runs that are open with us are there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from contracts.run_standing import EndedOutside, OpenRecord, Sweep

SUSPICIOUS = 20
"""So many runs that are not on the server, and none in the same round that is: then it may be the wrong server."""

_log = structlog.get_logger(__name__)


class SweptRuns(Protocol):
    """Where runs are kept; `stores.run_sweep.RunSweepStore` says what each guarantees."""

    async def begin(self, most: int, pause: timedelta) -> Sweep | None: ...
    async def done(self, *, more: bool) -> None: ...
    async def open_under(self, workflow_ids: Sequence[str]) -> list[OpenRecord]: ...
    async def end(self, ended: EndedOutside) -> bool: ...


class ServerSide(Protocol):
    """Where runs live."""

    async def ended_since(self, since: datetime | None, most: int) -> list[str]:
        """Workflow ids of runs that the server ended without their doing, the newest first."""
        ...

    async def under_way(self, workflow_ids: Sequence[str]) -> set[str]:
        """Those of them that its search has under way; it may lag behind."""
        ...

    async def end_of(self, run: OpenRecord) -> EndedOutside | None:
        """How a run ended; None where it is under way, or is about to say itself how it ended."""
        ...


@dataclass(slots=True)
class RunSweeper:
    """Looks at `portion` runs each `pause`: 1,000 runs cost 2 statements and 25 questions to the search.

    `even_if_all`: runs are ended also where none of them is on the server.
    """

    runs: SweptRuns
    server: ServerSide
    portion: int = 1_000
    pause: timedelta = field(default=timedelta(seconds=30))
    even_if_all: bool = False
    ended: list[EndedOutside] = field(default_factory=list[EndedOutside])
    missing: int = 0
    """Runs of the last round that are not on the server and were left as they are."""
    whole: bool = False
    """Whether the last round came to the end of all open runs."""

    async def round(self) -> bool:
        """Look once, unless another process does; whether there is more to do at once."""
        sweep = await self.runs.begin(self.portion, self.pause)
        if sweep is None:
            return False
        self.whole, self.missing = sweep.whole, 0
        found = await self._ended(sweep)
        for each in found:
            if await self.runs.end(each):
                self.ended.append(each)
                _log.warning(
                    "run_ended_outside",
                    entry=each.run.entry,
                    workflow_id=each.run.workflow_id,
                    how=each.how,
                )
        more = bool(found) and not sweep.whole
        await self.runs.done(more=more)
        return more

    async def _ended(self, sweep: Sweep) -> list[EndedOutside]:
        closed = await self.server.ended_since(sweep.closed_since, self.portion)
        looked_at = {run.entry: run for run in sweep.runs}
        there = await self.server.under_way([run.workflow_id for run in sweep.runs])
        if closed:
            looked_at |= {run.entry: run for run in await self.runs.open_under(closed)}
        suspects = [
            r for r in looked_at.values() if r.workflow_id not in there or r.workflow_id in closed
        ]
        ends = [end for run in suspects if (end := await self.server.end_of(run)) is not None]
        lost = [end for end in ends if end.how == "not_found"]
        if len(lost) >= SUSPICIOUS and len(lost) == len(looked_at) and not self.even_if_all:
            self.missing = len(lost)
            _log.error(
                "runs_not_on_this_server",
                runs=len(lost),
                remedy="is TEMPORAL_ADDRESS the server that they run on? If they are lost: clew sweep --even-if-all",
            )
            return [end for end in ends if end.how != "not_found"]
        return ends
