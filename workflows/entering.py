"""The first task of a run: is it admitted, and is its definition at hand."""

from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from contracts import names
from contracts.converter import NOT_YET
from contracts.journey_run import (
    Admission,
    AdmitRun,
    Admitted,
    DefinitionFound,
    FindDefinition,
    JourneyResult,
    NotAdmitted,
)
from contracts.search_attributes import CUSTOMER, JOURNEY, VERSION
from journey.machine import KNOWN_ENGINES, NUDGE_ENGINE
from journey.program import Program
from journey.programs import PROGRAMS
from journey.touchpoint import MERGED_OUTCOME, RefusedTouchpointError
from workflows.activity_options import FOUND, LOOKED_UP, WRITTEN
from workflows.inbox import Inbox
from workflows.start_request import StartRequest

FIRST_TOUCHPOINT_WITHIN = timedelta(minutes=1)
"""How long a run that was started without a signal waits for the touchpoint that it enters by."""

TOLD_AT_ADMISSION = 20
"""How many of the touchpoints that came with the start are looked at for the entering one."""


async def ask_admission(start: StartRequest, inbox: Inbox, now: datetime) -> Admitted | NotAdmitted:
    """Ask whether this run may begin; a start without a signal waits for its touchpoint first."""
    if not inbox.touchpoints:
        workflow.set_current_details(f"Waiting for the touchpoint that enters **{start.journey}**")
        with suppress(TimeoutError):  # admission says what that means
            await workflow.wait_condition(
                lambda: bool(inbox.touchpoints),
                timeout=FIRST_TOUCHPOINT_WITHIN,
                timeout_summary="the touchpoint that it enters by",
            )
    info = workflow.info()
    order = AdmitRun(
        workflow_id=info.workflow_id,
        first_run_id=info.first_execution_run_id,
        journey=start.journey,
        customer=start.customer,
        key=start.key,
        version=start.version,
        began_at=info.workflow_start_time,
        now=now,
        arrived=tuple(inbox.touchpoints[:TOLD_AT_ADMISSION]),
    )
    workflow.set_current_details(f"Asking whether this customer may enter **{start.journey}**")
    try:
        admission = await workflow.execute_local_activity(
            names.ADMIT, order, result_type=Admission, **LOOKED_UP
        )
    except FailureError:  # a local activity's failure comes bare, not as an ActivityError
        admission = await workflow.execute_activity(
            names.ADMIT, order, result_type=Admission, summary="May this customer enter?", **WRITTEN
        )
    if isinstance(admission.answer, NotAdmitted):
        # The first has its fate. Asked a second time, in a task lived again, the answer is the
        # same whatever came since: that must be tried by itself.
        del inbox.touchpoints[:1]
    if isinstance(admission.answer, Admitted):
        return admission.answer.whole(start.version, start.customer)
    return admission.answer


async def hold_program(version: str) -> Program:
    """The program of a version. Where its definition is missing the run says so, and waits until it is there."""
    missing = PROGRAMS.get(version) is None
    # The marker makes a replay, which may find what was missing then, take the same path.
    if (missing or workflow.unsafe.is_replaying()) and workflow.patched("definition-was-missing"):
        words = f"**Stopped**: definition `{version}` cannot be found. Publish it again."
        workflow.set_current_details(words)
        await workflow.execute_activity(
            names.FIND_DEFINITION,
            FindDefinition(version=version),
            result_type=DefinitionFound,
            summary=f"Find definition {version[:12]}",
            **FOUND,
        )
    program = PROGRAMS.get(version)
    if program is None:
        raise RuntimeError(f"definition {version} cannot be found: publish it again")
    return program


def check_engine(engine: int) -> None:
    """Fails the task, never the run, where this worker does not know the engine: another takes it up."""
    if engine not in KNOWN_ENGINES:
        raise RuntimeError(f"this worker does not know engine {engine}; deploy one that does")


def check_nudge(engine: int) -> None:
    """Refuses where the run's engine is below the first that can be nudged. `engine`: 0 where it is not known yet.

    Raises: `RefusedTouchpointError`, with the remedy; `ApplicationError` of the type `NOT_YET`.
    """
    if engine == 0:
        words = "the run has just begun: tell it again in a moment"
        raise ApplicationError(words, type=NOT_YET, non_retryable=True)
    if engine < NUDGE_ENGINE:
        raise RefusedTouchpointError(
            f"a run of engine {engine} cannot be nudged; `clew engine retire {engine}` takes it to a newer one"
        )


def make_findable(journey: str, version: str, customer: str) -> None:
    """Search attributes where the starter gave none; a router's start has them, at the cost of no event."""
    known = workflow.info().typed_search_attributes
    if known.get(JOURNEY) is None or known.get(VERSION) != version:
        workflow.upsert_search_attributes(
            [JOURNEY.value_set(journey), VERSION.value_set(version), CUSTOMER.value_set(customer)]
        )


def not_admitted(reason: str, detail: str, journey: str = "") -> JourneyResult:
    """The end of a run that never began."""
    workflow.set_current_details(f"Not admitted: {reason}. {detail}")
    told = f"{reason}: {detail}" if detail else reason
    if (
        reason == MERGED_OUTCOME
    ):  # what came is on its way to a run of the customer whom this one became
        return JourneyResult(outcome=MERGED_OUTCOME, reason=detail, journey=journey)
    return JourneyResult(outcome="not_admitted", reason=told, journey=journey)
