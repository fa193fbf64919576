"""`wait`: until one of several touchpoints comes, or a moment does."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from journey.language import Block, MomentText, On, Slug, Step
from journey.state import ENTRY, Thread, Waiting
from journey.turn import Turn

if TYPE_CHECKING:
    from journey.language import AnyStep


class Branch(On):
    """A touchpoint that ends the wait, and what is done then."""

    do: "list[AnyStep]" = []
    """Steps; after them, or without any, the journey goes on behind the wait."""


class Wait(Step):
    """Wait until one of `any` comes, or `until` has passed.

    A touchpoint that came since the previous wait was met counts, so one that arrives before
    this step is reached is not lost; after a send or a hand-off, one that came since then. A
    deadline that names a trait or a kept value moves with it.
    """

    kind: ClassVar[str] = "wait"
    shorthand: ClassVar[str | None] = "until"

    any: list[Branch] = Field(default=[], max_length=50)
    """Touchpoints, the first that fits ends the wait."""
    until: MomentText | None = None
    """When the wait ends by itself."""
    late: "list[AnyStep]" = []
    """What is done when it ended by itself."""
    forever: Literal[True] | None = None
    """Say so when the wait may never end."""
    since: Literal["previous", "entry", "now"] = "previous"
    """From when touchpoints count: since the previous wait was met, since entry, or from now on."""
    id: Slug | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        return {"until": data} if isinstance(data, str) else data

    def blocks(self) -> Iterator[Block]:
        for index, branch in enumerate(self.any):
            yield f"any/{index}", ("any", index, "do"), branch.do
        yield "late", ("late",), self.late

    def listens(self) -> Iterator[On]:
        yield from self.any

    def falls_through(self, block_falls: dict[str, bool]) -> bool:
        if self.until is None:
            block_falls = {name: falls for name, falls in block_falls.items() if name != "late"}
        return any(block_falls.values())

    def problems(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        if self.until is None and self.forever is None:
            yield (
                (),
                "the wait has no end",
                "add until: with a moment and late: with what to do then, or forever: true",
            )
        if self.until is not None and self.forever:
            yield ("forever",), "forever and until cannot both be said", "keep one of them"
        if self.forever and not self.any:
            yield (), "nothing can end this wait", "name touchpoints under any:"
        if self.late and self.until is None:
            yield ("late",), "late is never reached without until", "add until:"

    def begin(self, turn: Turn, thread: Thread) -> None:
        marks = {"previous": None, "entry": ENTRY, "now": turn.state.arrivals}
        turn.wait(thread, Waiting("touchpoint", turn.now, mark=marks[self.since]))
        self.refresh(turn, thread)
        self.mail(turn, thread)

    def mail(self, turn: Turn, thread: Thread) -> None:
        for mail in turn.state.mailbox:
            if not thread.may_meet(mail):
                continue
            for index, branch in enumerate(self.any):
                if turn.is_about(branch, mail.touchpoint, thread, thread.at):
                    turn.note(thread.at, "met", f"{branch.on} came")
                    turn.consume(thread, mail)
                    turn.enter(thread, f"any/{index}")
                    return

    def alarm(self, turn: Turn, thread: Thread) -> None:
        turn.note(
            thread.at,
            "late",
            f"nothing came {self._until(thread)}" if self.any else f"waited {self._until(thread)}",
        )
        turn.enter(thread, "late")

    def refresh(self, turn: Turn, thread: Thread) -> None:
        waiting = thread.waiting
        if waiting is None or self.until is None:
            if waiting is not None:
                waiting.deadline = None
            return
        before = waiting.deadline
        # A moment that cannot be told is noted, and asked again when what it names changes: the customer is not lost.
        waiting.deadline = turn.moment_or(
            self.until, waiting.began, thread, before or waiting.began
        )
        if before is not None and waiting.deadline is not None and waiting.deadline != before:
            turn.note(
                thread.at, "deadline", f"{self.until} is now {waiting.deadline:%Y-%m-%d %H:%M} UTC"
            )

    def _until(self, thread: Thread) -> str:
        at = thread.waiting.deadline if thread.waiting else None
        return f"until {at:%Y-%m-%d %H:%M} UTC" if at else f"until {self.until}"

    def words(self, turn: Turn, thread: Thread) -> str:
        names = " or ".join(dict.fromkeys(branch.on for branch in self.any))
        if self.until is None:
            return names
        return f"{names} {self._until(thread)}" if names else self._until(thread)
