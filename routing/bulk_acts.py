"""Acts on all who wait at a step are carried out: a portion each round, shared by all routers.

A run is told by an update with an id of its own, so whoever takes over from a dead router tells it nothing twice.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from contracts.bulk_acts import BulkAnswer, BulkDeed, said_reason
from contracts.converter import NOT_YET
from contracts.names import UPDATE_LEAVE, UPDATE_MOVE, UPDATE_NUDGE
from journey.nudging import nobody_at

AT_ONCE = 20
"""So many runs in one round of one router: what bounds the rate, with the breath between rounds."""

ANSWER_WITHIN = timedelta(seconds=20)
LEASE = timedelta(seconds=60)
"""Longer than a run may take to answer: whoever holds a portion so long is dead."""

GONE_ON = "it had gone on from the step"
ENDED = "the run had ended"


class DueDeeds(Protocol):
    """Where acts are kept; `stores.bulk_acts.BulkActStore` says what each guarantees."""

    async def due(self, most: int, lease: timedelta) -> Sequence[BulkDeed]: ...
    async def settle(self, deed: BulkDeed, answer: BulkAnswer) -> None: ...


class ToldRuns(Protocol):
    """Where runs live."""

    async def tell(self, deed: BulkDeed) -> BulkAnswer:
        """Do it once, however often it is asked."""
        ...


@dataclass(slots=True, frozen=True)
class BulkActs:
    """Carries out what is due."""

    deeds: DueDeeds
    runs: ToldRuns
    at_once: int = AT_ONCE
    lease: timedelta = LEASE

    async def round(self) -> bool:
        """Carry out a portion; whether there may be more."""
        due = await self.deeds.due(self.at_once, self.lease)
        await asyncio.gather(*(self._do(deed) for deed in due))
        return len(due) == self.at_once

    async def _do(self, deed: BulkDeed) -> None:
        await self.deeds.settle(deed, await self._answer(deed))

    async def _answer(self, deed: BulkDeed) -> BulkAnswer:
        if deed.obeyed:
            return BulkAnswer(became="done")
        if not deed.stands:
            return BulkAnswer(became="left_alone", why=GONE_ON)
        return await self.runs.tell(deed)


class TemporalBulk:
    """Runs as workflows, told by updates."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def tell(self, deed: BulkDeed) -> BulkAnswer:
        """See `ToldRuns`."""
        update, told = _said(deed)
        handle = self._client.get_workflow_handle(deed.workflow_id)
        try:
            answer: dict[str, Any] = await handle.execute_update(
                update, told, id=deed.key, rpc_timeout=ANSWER_WITHIN
            )
        except WorkflowUpdateRPCTimeoutOrCancelledError:
            return BulkAnswer(became="later", why="no worker answers")
        except WorkflowUpdateFailedError as error:
            if isinstance(error.cause, ApplicationError) and error.cause.type == NOT_YET:
                return BulkAnswer(became="later", why=str(error.cause))
            return BulkAnswer(became="refused", why=str(error.cause or error))
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return BulkAnswer(became="left_alone", why=ENDED)
            return BulkAnswer(became="later", why=error.message)
        return _became(deed, answer)


def _became(deed: BulkDeed, answer: Mapping[str, Any]) -> BulkAnswer:
    """What a run answered. One that ended by itself meanwhile obeys nothing."""
    if deed.kind in ("end", "nudge"):
        done = said_reason(deed.act, deed.reason) in answer.get("decided", ())
    else:
        done = answer.get("version") == deed.to_version
    if done:
        return BulkAnswer(became="done")
    if answer.get("outcome") is not None:
        return BulkAnswer(became="left_alone", why=ENDED)
    refused = answer.get("refused") or ["the run did not do it"]
    if deed.kind == "nudge" and refused[-1] == nobody_at(deed.address):
        return BulkAnswer(became="left_alone", why=GONE_ON)
    return BulkAnswer(became="refused", why=str(refused[-1]))


def _said(deed: BulkDeed) -> tuple[str, dict[str, Any]]:
    if deed.kind == "end":
        return UPDATE_LEAVE, {"reason": said_reason(deed.act, deed.reason)}
    if deed.kind == "nudge":
        told = {"address": deed.address, "reason": said_reason(deed.act, deed.reason)}
        return UPDATE_NUDGE, told
    return UPDATE_MOVE, {"version": deed.to_version, "step": deed.to_step}
