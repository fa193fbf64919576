"""`go`: on to a stage."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, model_validator

from journey.language import Block, Slug, Step
from journey.state import Thread
from journey.turn import Turn

if TYPE_CHECKING:
    from journey.language import AnyStep


class Go(Step):
    """Take the customer to the first step of a stage, from wherever the journey was.

    In a reaction or for one of several items it takes the whole run there.
    """

    kind: ClassVar[str] = "go"
    shorthand: ClassVar[str | None] = "stage"

    stage: Slug
    """Where to."""
    at_most: int | None = Field(default=None, ge=1, le=1_000)
    """How often the stage may be entered this way or another."""
    then: "list[AnyStep]" = []
    """What is done instead once it was entered that often."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        return {"stage": data} if isinstance(data, str) else data

    def blocks(self) -> Iterator[Block]:
        if self.at_most is not None:
            yield "then", ("then",), self.then

    def in_words(self) -> Iterator[str]:
        yield f"go to {self.stage}"
        if self.at_most is not None:
            yield f"at most {self.at_most} times"

    def way_in_words(self, block: str | None) -> str:
        return f"was there {self.at_most} times"

    def noted(self, block: str | None) -> tuple[str, str] | None:
        return "at_most", ""

    def goes_to(self) -> Iterator[str]:
        yield self.stage

    def falls_through(self, block_falls: dict[str, bool]) -> bool:
        return block_falls.get("then", False)

    def problems(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        if self.then and self.at_most is None:
            yield ("then",), "then is never reached without at_most", "add at_most:"

    def begin(self, turn: Turn, thread: Thread) -> None:
        if self.at_most is not None and turn.state.visits.get(self.stage, 0) >= self.at_most:
            turn.note(thread.at, "at_most", f"{self.stage} was entered {self.at_most} times")
            turn.enter(thread, "then")
            return
        turn.go(thread, self.stage)
