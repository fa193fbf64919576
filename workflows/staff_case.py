"""The workflow of one case: it waits until something is due on it, and has it done.

How a case stands is in our own database; who claims and decides does so there, at once, also while Temporal is
away. Here is what must not be forgotten: the next deadline, and that somebody is told of it.
"""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from contracts.case_message import CaseMessageSent, SendCaseMessage
from contracts.converter import Answer
from contracts.names import (
    DELIVER_CASE_MESSAGE,
    MIND_CASE,
    QUERY_STANDING,
    SIGNAL_CHANGED,
    STAFF_CASE,
    delivery_queue,
)
from contracts.staff_case import CaseMinded, CaseToMind
from workflows.activity_options import DELIVERED, WRITTEN

SHORTEST_WAIT = timedelta(seconds=1)
"""A clock that is told again and again that something is due now asks once a second at most."""

LOOKS_PER_RUN = 200
"""After so many looks it continues as new: whoever looks at it sees a short history."""


@workflow.defn(name=STAFF_CASE)
class StaffCase:
    """Keeps the time of one case until it is over."""

    @workflow.init
    def __init__(self, order: CaseToMind) -> None:
        self._changed = False
        self._sending: dict[int, asyncio.Task[None]] = {}
        self._standing = CaseMinded(state="open", words="", over=False)

    @workflow.run
    async def run(self, order: CaseToMind) -> Answer:
        """Mind the case whenever something is due or changed. Returns how it ended."""
        looks = 0
        while True:
            if looks >= LOOKS_PER_RUN and not self._sending:
                workflow.continue_as_new(order)
            looks += 1
            self._changed = False
            minded = await workflow.execute_activity(
                MIND_CASE, order, result_type=CaseMinded, summary="See what is due", **WRITTEN
            )
            self._standing = minded
            workflow.set_current_details(minded.words)
            self._send_all(order, minded)
            if minded.over and minded.look_at is None and not (self._changed or self._sending):
                return Answer(state=minded.state)
            await self._wait(minded)

    @workflow.signal(name=SIGNAL_CHANGED)
    def changed(self) -> None:
        """Something changed: what is due next may have, too."""
        self._changed = True

    @workflow.query(name=QUERY_STANDING)
    def standing(self) -> Answer:
        """How the case stood when it was looked at last, in words, and when it is looked at next."""
        at = self._standing.look_at
        return Answer(
            state=self._standing.state,
            words=self._standing.words,
            look_at=at.isoformat() if at is not None else None,
        )

    def _send_all(self, order: CaseToMind, minded: CaseMinded) -> None:
        """Each beside the other: a provider that is slow holds up no deadline."""
        for message in minded.send:
            if message not in self._sending:
                self._sending[message] = asyncio.create_task(self._send(order.case, message))

    async def _send(self, case: str, message: int) -> None:
        try:
            await workflow.execute_activity(
                DELIVER_CASE_MESSAGE,
                SendCaseMessage(case=case, message=message),
                result_type=CaseMessageSent,
                task_queue=delivery_queue("service"),
                summary=f"Message {message} of staff",
                **DELIVERED,
            )
        except ActivityError as error:  # it is asked for again, as long as it waits
            workflow.logger.warning("a message of staff did not leave: %s", error)
        finally:
            del self._sending[message]
            self._changed = True

    async def _wait(self, minded: CaseMinded) -> None:
        if minded.look_at is None:
            await workflow.wait_condition(lambda: self._changed)
            return
        wait = max(minded.look_at - workflow.now(), SHORTEST_WAIT)
        try:
            await workflow.wait_condition(
                lambda: self._changed, timeout=wait, timeout_summary=minded.words
            )
        except TimeoutError:
            return
