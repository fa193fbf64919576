"""`finish`: the end of the run."""

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import model_validator

from journey.language import Slug, Step
from journey.state import Thread
from journey.turn import Turn


class Finish(Step):
    """End the run with an outcome. Open cases are closed, promises not kept are settled."""

    kind: ClassVar[str] = "finish"
    shorthand: ClassVar[str | None] = "outcome"

    outcome: Slug
    """How it ended, in a word that reports count by."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        return {"outcome": data} if isinstance(data, str) else data

    def in_words(self) -> Iterator[str]:
        yield f"finish: {self.outcome}"

    def falls_through(self, block_falls: dict[str, bool]) -> bool:
        return False

    def begin(self, turn: Turn, thread: Thread) -> None:
        turn.finish(thread.at, self.outcome, f"finished: {self.outcome}")
