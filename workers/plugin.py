"""One plugin for clients, workers and replayers: converter, codec, workflows, sandbox."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from temporalio.converter import DataConverter, DefaultFailureConverter
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from contracts.converter import ClewPayloadConverter
from contracts.definition_codec import DefinitionCodec, Definitions
from workflows.customer_journey import CustomerJourney

PASSED_THROUGH = ("journey", "contracts", "workflows", "cel_expr_python", "whenever", "structlog", "orjson", "yaml", "rfc8785")
"""The only modules that a sandboxed workflow shares with its process; all of them are pure."""

WORKFLOWS: list[type] = [CustomerJourney]


def data_converter(definitions: Definitions) -> DataConverter:
    """How values cross: plain JSON, with definitions fetched beside the history."""
    return DataConverter(
        payload_converter_class=ClewPayloadConverter,
        failure_converter_class=DefaultFailureConverter,
        payload_codec=DefinitionCodec(definitions),
    )


def sandbox() -> SandboxedWorkflowRunner:
    """The sandbox in which workflows of users run, with our one pass-through list."""
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    )


def clew_plugin(
    definitions: Definitions, activities: Sequence[Callable[..., Any]] = (), *, runs_journeys: bool = True
) -> SimplePlugin:
    """The plugin. Give it to `Client.connect` only: the workers of that client inherit it.

    `runs_journeys`: whether workers of this client carry journeys, or only activities.
    """

    def runner(given: WorkflowRunner | None) -> WorkflowRunner:
        if isinstance(given, SandboxedWorkflowRunner):
            return replace(
                given, restrictions=given.restrictions.with_passthrough_modules(*PASSED_THROUGH)
            )
        return given or sandbox()

    return SimplePlugin(
        "clew",
        data_converter=data_converter(definitions),
        workflows=WORKFLOWS if runs_journeys else [],
        activities=list(activities),
        workflow_runner=runner,
    )
