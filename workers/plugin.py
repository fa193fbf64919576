"""One plugin for clients, workers and replayers: converter, codec, workflows, sandbox."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from temporalio import activity
from temporalio.plugin import SimplePlugin
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from contracts.definition_codec import Definitions
from contracts.ids import named_by
from contracts.journey_run import RunReference
from journey.effects import NOT_SENT, RunRecord
from workers.sealed_history import Sealing, data_converter
from workflows.customer_journey import CustomerJourney
from workflows.staff_case import StaffCase

PASSED_THROUGH = (
    "journey",
    "contracts",
    "workflows",
    "cel_expr_python",
    "whenever",
    "structlog",
    "orjson",
    "yaml",
    "rfc8785",
    "dateutil",
    "six",
    "holidays",
)
"""The only modules that a sandboxed workflow shares with its process; all of them are pure.

`holidays` is loaded late, where a definition names a country whose holidays are no business days.
"""

WORKFLOWS: list[type] = [CustomerJourney, StaffCase]


def sandbox() -> SandboxedWorkflowRunner:
    """The sandbox in which workflows of users run, with our one pass-through list."""
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    )


class FullReferences(Interceptor):
    """Puts into an order what its sender left out because the server or its record says it (RunReference)."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 -- the SDK's name
        """Wrap the activity."""
        return _FullReference(next)


class _FullReference(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 -- the SDK's name
        order: Any = input.args[0] if input.args else None
        run = getattr(order, "run", None)
        if isinstance(run, RunReference):
            record: RunRecord | None = getattr(order, "record", None)
            now = record.at if run.now == NOT_SENT and record is not None else run.now
            id_of_run = activity.info().workflow_id or ""
            journey, customer = named_by(id_of_run) or ("", "")
            full = replace(
                run,
                workflow_id=id_of_run,
                journey=run.journey or journey,
                customer=run.customer or customer,
                now=now,
            )
            order = replace(order, run=full)
            accepted: RunRecord | None = getattr(order, "accepted", None)
            if accepted is not None and accepted.at == NOT_SENT:
                trace = tuple(replace(entry, at=now) for entry in accepted.trace)
                stage = accepted.stage or (record.stage if record is not None else None)
                order = replace(order, accepted=replace(accepted, at=now, stage=stage, trace=trace))
            input.args = [order, *input.args[1:]]
        return await super().execute_activity(input)


def clew_plugin(
    definitions: Definitions,
    activities: Sequence[Callable[..., Any]] = (),
    *,
    runs_journeys: bool = True,
    sealing: Sealing | None,
) -> SimplePlugin:
    """The plugin. Give it to `Client.connect` only: the workers of that client inherit it.

    `runs_journeys`: whether workers of this client carry journeys, or only activities. `sealing`:
    what history is sealed with, the same in every process; None where histories are plain.
    """

    def runner(given: WorkflowRunner | None) -> WorkflowRunner:
        if isinstance(given, SandboxedWorkflowRunner):
            return replace(
                given, restrictions=given.restrictions.with_passthrough_modules(*PASSED_THROUGH)
            )
        return given or sandbox()

    return SimplePlugin(
        "clew",
        data_converter=data_converter(definitions, sealing),
        workflows=WORKFLOWS if runs_journeys else [],
        activities=list(activities),
        workflow_runner=runner,
        interceptors=[FullReferences()],
    )
