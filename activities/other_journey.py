"""Letting a customer enter another journey."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue
from temporalio import activity

from activities.run_record import RunRecords
from contracts.ids import effect_key, message_id
from contracts.names import START_RUN
from contracts.other_journey import ASKED_BY, OtherRunAsked, StartOtherRun


class RequestedEntries(Protocol):
    """Where it is asked that customers enter."""

    async def request(
        self,
        customer: str,
        journey: str,
        properties: Mapping[str, JsonValue],
        *,
        message_id: str,
        at: datetime,
    ) -> None:
        """Ask that a customer enter a journey. Twice under one message id is once."""
        ...


@dataclass(slots=True, frozen=True, kw_only=True)
class OtherJourneys:
    """Asks that customers enter other journeys; the router brings them in as it does everybody."""

    entries: RequestedEntries
    records: RunRecords

    @activity.defn(name=START_RUN)
    async def start_run(self, order: StartOtherRun) -> OtherRunAsked:
        """Ask that the customer enter the other journey. How it ended comes as a touchpoint."""
        run, start = order.run, order.start
        if order.record is not None:
            await self.records.write(run, order.record)
        key = effect_key(run.workflow_id, run.entry, start.n)
        await self.entries.request(
            run.customer,
            start.journey,
            {**start.properties, ASKED_BY: key},
            message_id=message_id("start", key),
            at=run.now,
        )
        return OtherRunAsked()
