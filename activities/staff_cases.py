"""Handing a customer over to staff: a case, in a queue, with a brief."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.customer_traits import CustomerProfiles
from activities.message_text import MessageCannotRenderError
from activities.run_record import RunRecords
from contracts.ids import case_id
from contracts.journey_run import RunReference
from contracts.names import CLOSE_CASE, ESCALATE_CASE, OPEN_CASE
from contracts.staff_case import CloseStaffCase, EscalateStaffCase, OpenStaffCase, StaffCaseChanged
from journey.effects import CloseCase, EscalateCase, OpenCase


class UnknownCaseError(LookupError):
    """There is no such case."""


class BriefRenderer(Protocol):
    """Puts a brief into words."""

    def render(self, template: str, values: Mapping[str, JsonValue], now: datetime) -> str:
        """The text for these values. Raises: `MessageCannotRenderError`."""
        ...


class Cases(Protocol):
    """Where cases are kept."""

    async def open(
        self, case: str, run: RunReference, order: OpenCase, brief: str
    ) -> StaffCaseChanged:
        """Open a case, or say how it stands where it was opened before."""
        ...

    async def escalate(self, case: str, order: EscalateCase, at: datetime) -> StaffCaseChanged:
        """Move a case that is open and unclaimed. Raises: `UnknownCaseError`."""
        ...

    async def close(self, case: str, order: CloseCase, at: datetime) -> StaffCaseChanged:
        """Close a case that is not resolved. Raises: `UnknownCaseError`."""
        ...


@dataclass(slots=True, frozen=True, kw_only=True)
class StaffCases:
    """Opens, escalates and closes cases, each under the case's id: twice is once."""

    cases: Cases
    profiles: CustomerProfiles
    briefs: BriefRenderer
    records: RunRecords

    @activity.defn(name=OPEN_CASE)
    async def open_case(self, order: OpenStaffCase) -> StaffCaseChanged:
        """Open the case with its brief. One that cannot be filled in never keeps it from staff."""
        run = order.run
        if order.record is not None:
            await self.records.write(run, order.record)
        brief = await self._brief(run, order.open)
        case = case_id(run.workflow_id, run.entry, order.open.n)
        return await self.cases.open(case, run, order.open, brief)

    @activity.defn(name=ESCALATE_CASE)
    async def escalate_case(self, order: EscalateStaffCase) -> StaffCaseChanged:
        """Move the case to another queue, unless it was claimed or resolved meanwhile."""
        run = order.run
        if order.record is not None:
            await self.records.write(run, order.record)
        case = case_id(run.workflow_id, run.entry, order.escalate.case)
        try:
            return await self.cases.escalate(case, order.escalate, run.now)
        except UnknownCaseError as error:
            raise _unknown(error) from error

    @activity.defn(name=CLOSE_CASE)
    async def close_case(self, order: CloseStaffCase) -> StaffCaseChanged:
        """Close the case, unless it was resolved meanwhile."""
        run = order.run
        if order.record is not None:
            await self.records.write(run, order.record)
        case = case_id(run.workflow_id, run.entry, order.close.case)
        try:
            return await self.cases.close(case, order.close, run.now)
        except UnknownCaseError as error:
            raise _unknown(error) from error

    async def _brief(self, run: RunReference, order: OpenCase) -> str:
        known = await self.profiles.read(run.customer)
        customer: dict[str, JsonValue] = {**known.traits, "id": run.customer, "zone": known.zone}
        values: dict[str, JsonValue] = {**order.values, "customer": customer}
        try:
            return await asyncio.to_thread(self.briefs.render, order.brief, values, run.now)
        except MessageCannotRenderError as error:
            return f"{order.brief}\n\n(This brief could not be filled in: {error})"


def _unknown(error: UnknownCaseError) -> ApplicationError:
    return ApplicationError(str(error), type=UnknownCaseError.__name__, non_retryable=True)
