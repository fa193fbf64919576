"""Writing down how a run stands and why: the front of everything that a person sees of it."""

from dataclasses import dataclass
from typing import Protocol

from temporalio import activity

from contracts.journey_run import RecordRun, RunReference
from contracts.names import RECORD_RUN
from journey.effects import RunRecord


class RunRecords(Protocol):
    """Where runs are written down."""

    async def write(self, run: RunReference, record: RunRecord) -> None:
        """Write a record: twice is the same as once, and an older one never overwrites a newer one.

        What the run newly listens to is sent to it again, from when it began.
        """
        ...


@dataclass(slots=True, frozen=True, kw_only=True)
class RunJournal:
    """Records runs. Other activities write what rides in their input through `records`, too."""

    records: RunRecords

    @activity.defn(name=RECORD_RUN)
    async def record_run(self, order: RecordRun) -> None:
        """Write down how the run stands, its decisions and promises, and what it listens to."""
        await self.records.write(order.run, order.record)
