"""The journeys of scenario.py as one would write them by hand on Temporal: nothing but the waits and the sends."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

from benchmarks.side_by_side.scenario import ASKED, BOUGHT, STEPPED, STEPS, STEPS_A_HISTORY

SEND = "send"


@workflow.defn(name="bare")
class BareJourney:
    """One customer in one journey."""

    def __init__(self) -> None:
        self.came: list[str] = []

    @workflow.signal
    def touchpoint(self, told: dict[str, Any]) -> None:
        """Something happened."""
        self.came.append(told["event"])

    @workflow.run
    async def run(self, start: dict[str, Any]) -> str:
        """From the beginning to the end."""
        self.start = start
        self.came = [*start.get("came", []), *self.came]
        match start["journey"]:
            case "cart":
                return await self.cart(start["wait_seconds"])
            case "answer":
                await self.heard(ASKED)
                return await self.send("answer")
            case "long":
                return await self.long(start.get("done", 0))
            case _:
                await asyncio.sleep(
                    max(
                        0.0, (datetime.fromisoformat(start["due"]) - workflow.now()).total_seconds()
                    )
                )
                return await self.send("due")

    async def cart(self, seconds: float) -> str:
        """Remind, then hand over, until they buy."""
        for message in ("reminder", "handover"):
            if await self.heard(BOUGHT, seconds):
                return "bought"
            await self.send(message)
        return "handed over"

    async def long(self, done: int) -> str:
        """Step by step; every so many steps a new history."""
        for step in range(done, STEPS):
            await self.heard(STEPPED)
            self.came.remove(STEPPED)
            await self.send("step")
            if (step + 1) % STEPS_A_HISTORY == 0 and step + 1 < STEPS:
                # Whoever steps while the tenth message is on its way has signalled this history.
                workflow.continue_as_new({**self.start, "done": step + 1, "came": self.came})
        return "walked"

    async def heard(self, event: str, seconds: float | None = None) -> bool:
        """Wait until it comes; whether it did."""
        try:
            await workflow.wait_condition(lambda: event in self.came, timeout=seconds)
        except TimeoutError:
            return False
        return True

    async def send(self, message: str) -> str:
        """Send a message."""
        return await workflow.execute_activity(
            SEND,
            args=[self.start["customer"], message],
            result_type=str,
            start_to_close_timeout=timedelta(seconds=30),
        )
