"""`run`: the same customer through another journey."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, JsonValue, StringConstraints

from journey import conditions
from journey.effects import StartRun
from journey.happenings import Answer
from journey.language import (
    Block,
    Identifier,
    MomentText,
    OnFailure,
    Slug,
    Step,
    Value,
    end_in_words,
)
from journey.state import Thread, Waiting
from journey.touchpoint import ENTER_NAMES, RUN_ENDED
from journey.turn import Turn

if TYPE_CHECKING:
    from journey.language import AnyStep

RunOutcome = Annotated[
    str,
    StringConstraints(pattern=r"^(?:[a-z][a-z0-9]*(?:-[a-z0-9]+)*|not_admitted)$", max_length=64),
]
"""How another journey ended: the outcome that it names, `left`, or `not_admitted`."""


class Run(Step):
    """Let the customer enter another journey, and wait for its outcome, or not.

    It enters by request, under the other journey's own rules (`when`, `key`, `again`, caps). Its
    outcome is the step's result (`NAME.outcome`, `NAME.goal`) and picks the block under `outcomes`;
    `not_admitted` is one. The other run lives on by itself, also where this one does not wait for it any more.
    """

    kind: ClassVar[str] = "run"
    gives: ClassVar[dict[str, str]] = {
        "outcome": "how the other run ended; `not_admitted` where it never began",
        "goal": "whether that was its goal",
        "reason": "why, where it was not admitted",
    }

    journey: Slug
    """The other journey."""
    values: dict[Identifier, Value] = Field(default={}, alias="with", max_length=50)
    """Properties of the entering touchpoint: name → CEL."""
    name: Identifier | None = Field(default=None, alias="as")
    """The name under which its outcome can be used later."""
    wait: bool = True
    """Whether the journey waits for the outcome."""
    until: MomentText | None = None
    """How long it waits."""
    outcomes: "dict[RunOutcome, list[AnyStep]]" = Field(default={}, max_length=50)
    """Steps by outcome."""
    late: "list[AnyStep]" = []
    """What is done when it has not ended in time."""
    id: Slug | None = None
    """Its name in addresses; no two steps of a journey have the same."""
    on_failure: OnFailure = "continue"

    def blocks(self) -> Iterator[Block]:
        for outcome, steps in self.outcomes.items():
            yield f"outcomes/{outcome}", ("outcomes", outcome), steps
        if self.until is not None:
            yield "late", ("late",), self.late
        if isinstance(self.on_failure, list):
            yield "on_failure", ("on_failure",), self.on_failure

    def noted(self, block: str | None) -> tuple[str, str] | None:
        if block is not None and block.startswith("outcomes/"):
            return "run", block.removeprefix("outcomes/")
        return super().noted(block)

    def in_words(self) -> Iterator[str]:
        yield f"run the journey {self.journey}"
        if not self.wait:
            yield "goes on at once"
        elif self.until is not None:
            yield f"waits for its outcome, {end_in_words(self.until)}"

    def way_in_words(self, block: str | None) -> str:
        if block is None:
            return "any other outcome" if self.outcomes else "it ended"
        if block == "late":
            return "late"
        return "cannot begin" if block == "on_failure" else block.removeprefix("outcomes/")

    def hears(self) -> Iterator[str]:
        if self.wait:
            yield RUN_ENDED

    def result(self) -> str | None:
        return self.name

    def falls_through(self, block_falls: dict[str, bool]) -> bool:
        return True

    def problems(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        for name in ENTER_NAMES:
            if name in self.values:
                yield ("with", name), f"{name!r} is a name of our own here", "choose another name"
        if self.wait and self.until is None:
            yield (
                (),
                "it may wait for ever for the other run",
                "add until: with a moment and late: with what to do then, or wait: false",
            )
        if not self.wait:
            for name in ("until", "outcomes", "late"):
                if getattr(self, name):
                    yield (name,), f"{name} is never reached with wait: false", "remove it"
        if self.late and self.until is None:
            yield ("late",), "late is never reached without until", "add until:"

    def begin(self, turn: Turn, thread: Thread) -> None:
        thread.mark = turn.state.arrivals
        n, names = turn.count(), turn.names(thread)
        properties: dict[str, JsonValue] = {}
        for name, source in self.values.items():
            try:
                properties[name] = turn.value(source, names)
            except conditions.ConditionError as error:
                turn.note(thread.at, "condition_error", f"{name} is left out: {error}")
        turn.wait(thread, Waiting("effect", turn.now, n=n))
        turn.ask(StartRun(n=n, journey=self.journey, properties=properties), thread)

    def answered(self, turn: Turn, thread: Thread, n: int, answer: Answer) -> None:
        turn.note(thread.at, "run", f"{self.journey} asked to begin")
        if not self.wait:
            turn.proceed(thread)
            return
        began = thread.waiting.began if thread.waiting else turn.now
        turn.wait(thread, Waiting("run", began, n=n))
        self.refresh(turn, thread)
        self.mail(turn, thread)

    def failed(self, turn: Turn, thread: Thread, n: int, why: str) -> None:
        turn.fail(thread, n, self.on_failure, f"{self.journey}: {why}")

    def refresh(self, turn: Turn, thread: Thread) -> None:
        waiting = thread.waiting
        if waiting is not None and waiting.kind == "run":
            before = waiting.deadline or waiting.began
            waiting.deadline = turn.moment_or(self.until, waiting.began, thread, before)

    def mail(self, turn: Turn, thread: Thread) -> None:
        waiting = thread.waiting
        if waiting is None or waiting.kind != "run":
            return
        mail = turn.answer_to(thread, RUN_ENDED, "run")
        if mail is None:
            return
        said: dict[str, Any] = mail.touchpoint.properties
        outcome = str(said.get("outcome"))
        turn.meet(thread, mail)
        if self.name is not None:
            told: dict[str, JsonValue] = {
                name: said.get(name) for name in ("outcome", "goal", "reason")
            }
            turn.state.results[self.name] = told
            turn.changed = True
        turn.note(thread.at, "run", f"{self.journey} ended: {outcome}")
        turn.enter(thread, f"outcomes/{outcome}")

    def alarm(self, turn: Turn, thread: Thread) -> None:
        turn.note(thread.at, "late", f"{self.journey} has not ended in time")
        turn.enter(thread, "late")

    def words(self, turn: Turn, thread: Thread) -> str:
        until = thread.waiting.deadline if thread.waiting else None
        told = f"{self.journey} to end"
        return f"{told} until {until:%Y-%m-%d %H:%M} UTC" if until else told
