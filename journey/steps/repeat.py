"""`repeat`: the same steps again, a bounded number of times."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from journey.language import Block, Condition, Identifier, Slug, Step
from journey.state import Thread
from journey.turn import Turn

if TYPE_CHECKING:
    from journey.language import AnyStep


class Repeat(Step):
    """Do the steps up to `at_most` times, then go on behind them.

    Before each round it is looked whether `until` holds already, or `while` holds no more.
    `as` names the number of the round, 1 first, for conditions and messages inside.
    """

    kind: ClassVar[str] = "repeat"

    at_most: int = Field(ge=1, le=1_000)
    """How many rounds at the most."""
    until: Condition | None = None
    """No further round once this holds."""
    condition: Condition | None = Field(default=None, alias="while")
    """A further round only while this holds."""
    name: Identifier | None = Field(default=None, alias="as")
    """What the number of the round is called inside."""
    do: "list[AnyStep]" = Field(min_length=1)
    """The steps of a round."""
    id: Slug | None = None
    """Its name in addresses; no two steps of a journey have the same."""

    def blocks(self) -> Iterator[Block]:
        yield "do", ("do",), self.do

    def in_words(self) -> Iterator[str]:
        yield f"repeat, at most {self.at_most} times"
        if self.until is not None:
            yield f"until {self.until}"
        if self.condition is not None:
            yield f"while {self.condition}"

    def way_in_words(self, block: str | None) -> str:
        return "no further round" if block is None else "each time"

    def noted(self, block: str | None) -> tuple[str, str] | None:
        return "rounds" if block is None else "round", ""

    def binds(self, block: str) -> frozenset[str]:
        return frozenset(filter(None, (self.name,)))

    def ends(self, block: str) -> Literal["next", "nothing", "here"]:
        return "here"

    def falls_through(self, block_falls: dict[str, bool]) -> bool:
        return True

    def begin(self, turn: Turn, thread: Thread) -> None:
        done = thread.rounds.get(thread.at, 0)
        over = self._over(turn, thread, done)
        if over is None:
            thread.rounds[thread.at] = done + 1
            if self.name is not None:
                thread.items[self.name] = done + 1
            turn.note(thread.at, "round", f"round {done + 1} of at most {self.at_most}")
            turn.enter(thread, "do")
            return
        thread.rounds.pop(thread.at, None)
        if self.name is not None:
            thread.items.pop(self.name, None)
        turn.note(thread.at, "rounds", over)
        turn.proceed(thread)

    def _over(self, turn: Turn, thread: Thread, done: int) -> str | None:
        """Why there is no further round; None where there is one."""
        if done >= self.at_most:
            return f"{done} rounds are done"
        names = turn.names(thread)
        if self.until is not None and turn.holds(self.until, names, thread.at):
            return f"after {done} rounds: {self.until}"
        if self.condition is not None and not turn.holds(self.condition, names, thread.at):
            return f"after {done} rounds: no longer {self.condition}"
        return None
