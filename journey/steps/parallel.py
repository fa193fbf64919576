"""`parallel`: several ways at the same time."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from journey.language import Block, Model, Slug, Step, told_apart
from journey.state import Thread, Waiting
from journey.turn import Turn

if TYPE_CHECKING:
    from journey.language import AnyStep


class Way(Model):
    """One of several ways that are gone side by side."""

    arm: Slug
    """What this way is called."""
    do: "list[AnyStep]" = Field(min_length=1)
    """Its steps."""


class Parallel(Step):
    """Go several ways side by side, each with a thread and a look-back of its own.

    The journey goes on behind it when `all` are done, or with the `first`: then the others are
    dropped, and what they left open is undone.
    """

    kind: ClassVar[str] = "parallel"

    arms: list[Way] = Field(min_length=2, max_length=20)
    """The ways that are gone side by side."""
    join: Literal["all", "first"] = "all"
    """Whether it goes on when all are done, or with the first."""
    id: Slug | None = None
    """Its name in addresses; no two steps of a journey have the same."""

    def blocks(self) -> Iterator[Block]:
        for index, way in enumerate(self.arms):
            yield way.arm, ("arms", index, "do"), way.do

    def in_words(self) -> Iterator[str]:
        yield "side by side"
        yield f"until {'all are' if self.join == 'all' else 'the first is'} done"

    def way_in_words(self, block: str | None) -> str:
        if block is not None:
            return block
        return "all are done" if self.join == "all" else "the first is done"

    def noted(self, block: str | None) -> tuple[str, str] | None:
        return ("joined", "") if block is None else None

    def ends(self, block: str) -> Literal["next", "nothing", "here"]:
        return "nothing"

    def falls_through(self, block_falls: dict[str, bool]) -> bool:
        return (all if self.join == "all" else any)(block_falls.values())

    def problems(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        yield from told_apart([way.arm for way in self.arms])

    def begin(self, turn: Turn, thread: Thread) -> None:
        turn.wait(thread, Waiting("threads", turn.now))
        node = turn.node(thread)
        for way in self.arms:
            first = node.blocks[way.arm]
            if first is not None:
                turn.run_thread(turn.spawn(thread, first, thread.home, joins=True))

    def joined(self, turn: Turn, thread: Thread, left: list[Thread]) -> None:
        if self.join == "first":
            for other in left:
                turn.drop_thread(other, "another way was done first")
            left = []
        if not left:
            turn.note(thread.at, "joined", f"{self.join} of {len(self.arms)} ways done")
            turn.proceed(thread)

    def words(self, turn: Turn, thread: Thread) -> str:
        return " and ".join(way.arm for way in self.arms)
