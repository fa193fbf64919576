"""Minding a case: what is due on it is done, and when to look again is told to its workflow."""

from dataclasses import dataclass
from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.staff_cases import UnknownCaseError
from contracts.names import MIND_CASE
from contracts.staff_case import CaseMinded, CaseToMind


class MindedCases(Protocol):
    """Where cases are kept."""

    async def mind(self, case: str) -> CaseMinded:
        """Do what is due on a case, once. Raises: `UnknownCaseError`."""
        ...


@dataclass(slots=True, frozen=True, kw_only=True)
class CaseMinding:
    """What the workflow of a case asks for: twice is once."""

    cases: MindedCases

    @activity.defn(name=MIND_CASE)
    async def mind_case(self, order: CaseToMind) -> CaseMinded:
        """Do what is due. A case that is there no more, as its customer was erased, is over."""
        try:
            return await self.cases.mind(order.case)
        except UnknownCaseError as error:
            raise ApplicationError(
                str(error), type=UnknownCaseError.__name__, non_retryable=True
            ) from error
