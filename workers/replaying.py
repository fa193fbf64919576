"""Histories lived again by this build: whether it would carry runs on that an earlier one began."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from contracts.definition_codec import Definitions
from journey.programs import PROGRAMS
from workers.plugin import clew_plugin
from workers.sealed_history import Sealing

RPC_TIMEOUT = timedelta(seconds=20)
_UNNAMED = "replayed"


@dataclass(slots=True, frozen=True, kw_only=True)
class Replayed:
    """One history. `differs`: the first command that this build gives in place of what is written; '' where none."""

    run: str
    events: int
    differs: str = ""


@dataclass(slots=True)
class HeldDefinitions:
    """Definitions that came with a recorded history."""

    held: dict[str, bytes] = field(default_factory=dict[str, bytes])

    async def load(self, version: str) -> bytes | None:
        """The canonical JSON of a version."""
        return self.held.get(version)

    def add(self, canonical: bytes) -> None:
        """Hold one more."""
        self.held[PROGRAMS.add(canonical).version] = canonical


async def replay_recorded(path: Path) -> Replayed:
    """Live a recorded history again: a file of tests/replay/histories."""
    kept: dict[str, Any] = json.loads(await asyncio.to_thread(path.read_text))
    definitions = HeldDefinitions()
    for canonical in kept["definitions"]:
        definitions.add(canonical.encode())
    history = WorkflowHistory.from_json(_UNNAMED, kept["history"])
    return await _replayed(f"{path.parent.name}/{path.stem}", history, definitions, None)


async def replay_runs(
    client: Client,
    workflow_ids: Iterable[str],
    definitions: Definitions,
    sealing: Sealing | None,
) -> AsyncIterator[Replayed]:
    """Live the histories of runs again as the server has them; those that are gone meanwhile are left out."""
    for workflow_id in workflow_ids:
        handle = client.get_workflow_handle(workflow_id)
        try:
            history = await handle.fetch_history(rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                continue
            raise
        yield await _replayed(workflow_id, history, definitions, sealing)


async def _replayed(
    run: str, history: WorkflowHistory, definitions: Definitions, sealing: Sealing | None
) -> Replayed:
    replayer = Replayer(workflows=[], plugins=[clew_plugin(definitions, sealing=sealing)])
    told = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    failure = told.replay_failure
    words = "" if failure is None else " ".join(str(failure).split())[:400] or repr(failure)
    return Replayed(run=run, events=len(history.events), differs=words)
