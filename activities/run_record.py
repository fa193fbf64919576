"""Writing down how a run stands and why, and giving back what came after its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from temporalio import activity

from contracts.journey_run import HandBack, RecordRun, RunReference
from contracts.names import HAND_BACK, RECORD_END, RECORD_RUN
from journey.effects import RunRecord
from journey.touchpoint import Touchpoint


class RunRecords(Protocol):
    """Where runs are written down."""

    async def write(self, run: RunReference, record: RunRecord) -> None:
        """Write a record: twice is the same as once, and an older one never overwrites a newer one.

        What the run newly listens to is sent to it again, from when it began.
        """
        ...


class RunEnds(RunRecords, Protocol):
    """Where their ends are written down, too."""

    async def end_within_task(self, run: RunReference, record: RunRecord) -> bool:
        """Write the end of a run whose task may still be refused: a later record may undo it.

        False where somebody waits for the end, and nothing is written.
        """
        ...


@dataclass(slots=True, frozen=True, kw_only=True)
class RunJournal:
    """Records runs. Other activities write what rides in their input through `records`, too."""

    records: RunEnds

    @activity.defn(name=RECORD_RUN)
    async def record_run(self, order: RecordRun) -> None:
        """Write down how the run stands, its decisions and promises, and what it listens to."""
        await self.records.write(order.run, order.record)

    @activity.defn(name=RECORD_END)
    async def record_end(self, order: RecordRun) -> bool:
        """Write down the end within the task that ends the run; False where it must be certain first."""
        return await self.records.end_within_task(order.run, order.record)


class LateTouchpoints(Protocol):
    """Where touchpoints are routed."""

    async def hand_back(
        self, run: RunReference, run_id: str, key: str | None, touchpoints: Sequence[Touchpoint]
    ) -> None:
        """Route what came to this run after its end to the run that follows it. Twice is the same as once.

        `run_id` is the server's id of the run that is over. What nobody wants gets its fate.
        """
        ...


@dataclass(slots=True, frozen=True, kw_only=True)
class LateDesk:
    """Takes back what came to a run between its end and its close."""

    touchpoints: LateTouchpoints

    @activity.defn(name=HAND_BACK)
    async def hand_back(self, order: HandBack) -> None:
        """Hand touchpoints back: none of them is lost, and one that enters the journey begins it anew."""
        run_id = activity.info().workflow_run_id or ""
        await self.touchpoints.hand_back(order.run, run_id, order.key, order.touchpoints)
