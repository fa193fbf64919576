"""Every workflow loads, without a server, in the sandbox that refuses any import beyond our one list.

`CustomerJourney` runs without the sandbox in production, which halves its cost. That it could run in
it, and that nothing it imports reaches beyond the list, is held here; lint bans and replay do the rest.
"""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from journey.public_holidays import holidays_in
from tests.architecture.counting_business_days import CountBusinessDays
from workers.plugin import PASSED_THROUGH, WORKFLOWS, sandbox

CLONE = Path(__file__).resolve().parents[2]
RAISES = workflow.SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH

ALWAYS_THERE = {
    "temporalio",
    "google",
    "nexusrpc",
    "pydantic",
    "pydantic_core",
    "annotated_types",
} | {
    "typing_extensions",
    "typing_inspection",
}
"""What the SDK passes through by itself, and what belongs to it."""


def strict(*names: str) -> SandboxedWorkflowRunner:
    """A sandbox that shares these modules with its process, and refuses to share any other."""
    default = SandboxRestrictions.default.with_passthrough_modules(*names)
    return SandboxedWorkflowRunner(restrictions=replace(default, import_notification_policy=RAISES))


def load(kind: type, runner: SandboxedWorkflowRunner) -> None:
    definition = workflow._Definition.must_from_class(kind)
    runner.prepare_workflow(replace(definition, sandboxed=True))


@pytest.mark.parametrize("kind", WORKFLOWS, ids=lambda kind: kind.__name__)
async def test_a_workflow_loads_in_the_sandbox(kind: type) -> None:
    load(kind, strict(*PASSED_THROUGH))


@pytest.mark.parametrize("missing", ["contracts", "journey"])
async def test_the_sandbox_refuses_what_is_not_on_the_list(missing: str) -> None:
    """The test above would otherwise prove nothing."""
    listed = [name for name in PASSED_THROUGH if name not in ("workflows", missing)]

    with pytest.raises(Exception, match="was not intentionally passed through"):
        load(WORKFLOWS[0], strict(*listed))


async def test_holidays_are_counted_in_the_sandbox() -> None:
    """They are loaded late, where a definition that names a country is read: before any run needs them."""
    holidays_in("CZ")

    load(CountBusinessDays, strict(*PASSED_THROUGH))


async def test_workflows_of_users_get_the_same_list() -> None:
    assert set(PASSED_THROUGH) <= set(sandbox().restrictions.passthrough_modules)


def test_nothing_that_is_shared_imports_anything_beyond_the_list() -> None:
    """What is passed through is not looked into by the sandbox, so its own imports are looked at here."""
    program = """
import sys
before = set(sys.modules)
import workflows.customer_journey
from journey.public_holidays import holidays_in
holidays_in("CZ")
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(name for name in loaded if name not in sys.stdlib_module_names))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(CLONE)!r}){program}"],
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = {name for name in done.stdout.split() if not name.startswith("_")}

    assert loaded - set(PASSED_THROUGH) - ALWAYS_THERE == set()
