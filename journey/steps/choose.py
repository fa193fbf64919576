"""`choose`: the first case whose condition holds."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, cast

from pydantic import Field, model_validator

from journey.language import Block, Condition, Model, Slug, Step
from journey.state import Thread
from journey.turn import Turn

if TYPE_CHECKING:
    from journey.language import AnyStep


class Case(Model):
    """A condition and what is done when it holds, or `otherwise` with what is done when none does."""

    when: Condition | None = None
    """The condition."""
    do: "list[AnyStep]" = []
    """What is done when it holds."""
    otherwise: "list[AnyStep] | None" = None
    """What is done when no case before it holds; the last case only."""


class Choose(Step):
    """Take the first case whose condition holds. A condition that cannot be told does not hold, and that is noted."""

    kind: ClassVar[str] = "choose"
    shorthand: ClassVar[str | None] = "cases"

    cases: list[Case] = Field(min_length=1, max_length=50)
    """The cases, in order."""
    id: Slug | None = None
    """Its name in addresses; no two steps of a journey have the same."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        return {"cases": cast("list[Any]", data)} if isinstance(data, list) else data

    def blocks(self) -> Iterator[Block]:
        for index, case in enumerate(self.cases):
            if case.otherwise is not None:
                yield "otherwise", ("cases", index, "otherwise"), case.otherwise
            else:
                yield f"{index}", ("cases", index, "do"), case.do

    def in_words(self) -> Iterator[str]:
        yield "choose by what holds"

    def way_in_words(self, block: str | None) -> str:
        return "otherwise" if block in (None, "otherwise") else self.cases[int(block)].when or ""

    def noted(self, block: str | None) -> tuple[str, str] | None:
        return "chose", "no case held" if block is None else self.way_in_words(block)

    def falls_through(self, block_falls: dict[str, bool]) -> bool:
        return "otherwise" not in block_falls or any(block_falls.values())

    def problems(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        for index, case in enumerate(self.cases):
            if (case.when is None) == (case.otherwise is None):
                yield (
                    ("cases", index),
                    "a case needs when: with do:, or otherwise:",
                    "write one of the two",
                )
            elif case.otherwise is not None and (index < len(self.cases) - 1 or case.do):
                yield (
                    ("cases", index),
                    "otherwise comes last and holds its own steps",
                    "move it to the end",
                )

    def begin(self, turn: Turn, thread: Thread) -> None:
        names = turn.names(thread)
        for index, case in enumerate(self.cases):
            if case.otherwise is not None:
                turn.note(thread.at, "chose", "otherwise")
                turn.enter(thread, "otherwise")
                return
            if case.when is not None and turn.holds(case.when, names, thread.at):
                turn.note(thread.at, "chose", case.when)
                turn.enter(thread, f"{index}")
                return
        turn.note(thread.at, "chose", "no case held")
        turn.proceed(thread)
