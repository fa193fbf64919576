"""Telling the workflows of cases that something changed, and starting those that are not there yet."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

import structlog
from temporalio.client import Client
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.service import RPCError

from contracts.fault_points import reach
from contracts.names import JOURNEYS_QUEUE, SIGNAL_CHANGED, STAFF_CASE
from contracts.search_attributes import CUSTOMER
from contracts.staff_case import CaseToMind
from routing.temporal_search import RPC_TIMEOUT

AT_ONCE = 20
"""Clocks that are told side by side."""

_log = structlog.get_logger(__name__)


class Rung(Protocol):
    """A case whose clock is to be told. `clock`: the id of its workflow."""

    @property
    def case(self) -> str: ...
    @property
    def rung_at(self) -> datetime: ...
    @property
    def clock(self) -> str | None: ...
    @property
    def customer(self) -> str | None: ...
    @property
    def title(self) -> str | None: ...


Bell = TypeVar("Bell", bound=Rung)


class RungCases(Protocol[Bell]):
    """Where cases are kept; `stores.case_clocks.CaseClockStore` says what each guarantees."""

    async def rung(self, most: int) -> list[Bell]: ...
    async def told(self, cases: Sequence[Bell]) -> None: ...


class Clocks(Protocol):
    """Where the workflows of cases live."""

    async def tell(self, rung: Rung) -> bool:
        """Whether it was told; where not, it is told again later."""
        ...


@dataclass(slots=True, frozen=True)
class CaseClocks(Generic[Bell]):
    """Tells clocks, a portion each round."""

    cases: RungCases[Bell]
    clocks: Clocks

    async def round(self) -> bool:
        """Tell a portion; whether there may be more."""
        rung = await self.cases.rung(AT_ONCE)
        if not rung:
            return False
        answers = await asyncio.gather(*(self._tell(each) for each in rung))
        told = [each for each, was in zip(rung, answers, strict=True) if was]
        reach("case.after_ring")
        await self.cases.told(told)
        return len(told) == AT_ONCE

    async def _tell(self, rung: Bell) -> bool:
        return rung.clock is None or await self.clocks.tell(rung)


class TemporalClocks:
    """The workflows of cases, through a Temporal client: signalled, and started where they are not there."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def tell(self, rung: Rung) -> bool:
        """See `Clocks`."""
        assert rung.clock is not None
        try:
            await self._client.start_workflow(
                STAFF_CASE,
                CaseToMind(case=rung.case),
                id=rung.clock,
                task_queue=JOURNEYS_QUEUE,
                start_signal=SIGNAL_CHANGED,
                search_attributes=TypedSearchAttributes(
                    [SearchAttributePair(CUSTOMER, rung.customer or "")]
                ),
                static_summary=f"Case for staff: {rung.title}"[:200],
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                request_eager_start=False,
                rpc_timeout=RPC_TIMEOUT,
            )
        except RPCError as error:
            _log.warning("case_clock_not_told", case=rung.case, error=error.message)
            return False
        return True
