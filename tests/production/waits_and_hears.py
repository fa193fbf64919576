"""A workflow of a timer, a signal and a result: what a server writes for any run."""

from datetime import timedelta

from temporalio import workflow


@workflow.defn(name="waits_and_hears")
class WaitsAndHears:
    """Waits a moment, and ends with the words that it hears."""

    def __init__(self) -> None:
        self._heard = ""

    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(timedelta(milliseconds=10))
        await workflow.wait_condition(lambda: bool(self._heard))
        return self._heard

    @workflow.signal
    def hear(self, words: str) -> None:
        self._heard = words
