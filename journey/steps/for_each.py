"""`for_each`: the same steps for each of several things, side by side."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, JsonValue

from journey import conditions
from journey.language import Block, Identifier, Slug, Step, Value
from journey.state import Thread, Waiting
from journey.turn import Turn

if TYPE_CHECKING:
    from journey.language import AnyStep


class ForEach(Step):
    """Run the steps once for each item of a list, each with a thread and a look-back of its own.

    The journey goes on behind it when all are done. An item changes when the list it came from does.
    Items beyond `at_most` are left out, and that is noted.
    """

    kind: ClassVar[str] = "for_each"

    of: Value
    """The list, such as `run.bags`."""
    name: Identifier = Field(alias="as")
    """What an item is called inside."""
    at_most: int = Field(ge=1, le=100)
    """How many items at the most."""
    do: "list[AnyStep]" = Field(min_length=1)
    """What is done for each item."""
    id: Slug | None = None
    """Its name in addresses; no two steps of a journey have the same."""

    def blocks(self) -> Iterator[Block]:
        yield "do", ("do",), self.do

    def in_words(self) -> Iterator[str]:
        yield f"for each {self.name} of {self.of}"
        yield f"at most {self.at_most}, side by side"

    def way_in_words(self, block: str | None) -> str:
        return "all are done" if block is None else f"each {self.name}"

    def binds(self, block: str) -> frozenset[str]:
        return frozenset((self.name,))

    def ends(self, block: str) -> Literal["next", "nothing", "here"]:
        return "nothing"

    def falls_through(self, block_falls: dict[str, bool]) -> bool:
        return True

    def begin(self, turn: Turn, thread: Thread) -> None:
        try:
            items = turn.value(self.of, turn.names(thread))
        except conditions.ConditionError as error:
            turn.note(thread.at, "condition_error", str(error))
            items = []
        if not isinstance(items, list):
            turn.note(thread.at, "condition_error", f"{self.of} is not a list")
            items = []
        if len(items) > self.at_most:
            turn.note(
                thread.at, "at_most", f"{len(items) - self.at_most} of {len(items)} items left out"
            )
        first = turn.node(thread).blocks["do"]
        if not items or first is None:
            turn.proceed(thread)
            return
        turn.wait(thread, Waiting("threads", turn.now))
        # What came with a touchpoint is as it was told; the next one to come is not asked about it.
        follows = "event" not in conditions.compiled(self.of, turn.program.names).roots
        for index, item in enumerate(items[: self.at_most]):
            child = turn.spawn(thread, first, thread.home, joins=True)
            child.items[self.name] = item
            child.links.pop(self.name, None)
            if follows:
                child.links[self.name] = (thread.at, index)
            turn.run_thread(child)

    def read_again(self, turn: Turn, thread: Thread, index: int) -> None:
        """Give a thread its item as the list now has it."""
        names = turn.names(thread)
        try:
            items = turn.value(self.of, names)
        except conditions.ConditionError:
            return
        if isinstance(items, list) and index < len(items):
            thread.items[self.name] = items[index]

    def write_back(self, turn: Turn, index: int, item: JsonValue) -> bool:
        """Put a changed item into the kept list that it came from; False where it came from elsewhere."""
        root, _, name = self.of.partition(".")
        items = turn.state.values.get(name)
        if root != "run" or not isinstance(items, list) or index >= len(items):
            return False
        turn.state.values[name] = [*items[:index], item, *items[index + 1 :]]
        return True

    def words(self, turn: Turn, thread: Thread) -> str:
        return f"each {self.name}"
