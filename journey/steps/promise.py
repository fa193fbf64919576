"""`promise`: what the customer was told will be, by when, and what keeps it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from journey.language import Block, Condition, Identifier, MomentText, On, Slug, Step
from journey.state import OpenPromise, Thread, Waiting
from journey.turn import Turn

if TYPE_CHECKING:
    from journey.language import AnyStep


class Promise(Step):
    """Keep an eye on what was promised, while the journey goes on.

    Kept by the touchpoint `kept_by`, or once `kept_when` holds, such as what a decision of staff set.
    Late when `by` passes first, and then `late` is done at once while it can still be kept. `by` moves
    with what it names. What is no longer true by `while` is dropped with the reason; what is open when
    the journey ends is dropped, what is late by then is broken.
    """

    kind: ClassVar[str] = "promise"

    name: Identifier = Field(alias="as")
    """What it is called in reports and in the state of the run."""
    text: str = Field(min_length=1, max_length=300)
    """What was promised, as the customer would say it."""
    by: MomentText
    """By when it must be kept."""
    kept_by: On | None = None
    """The touchpoint that keeps it."""
    kept_when: Condition | None = None
    """What is true once it is kept, such as `run.answered == true`."""
    condition: Condition | None = Field(default=None, alias="while")
    """The promise stands while this holds."""
    because: str | None = None
    """In words, why it falls when `while` no longer holds."""
    late: "list[AnyStep]" = []
    """What is done at once when its time has passed, beside the journey."""
    id: Slug | None = None
    """Its name in addresses; no two steps of a journey have the same."""

    def blocks(self) -> Iterator[Block]:
        yield "late", ("late",), self.late

    def in_words(self) -> Iterator[str]:
        yield f"promise: {self.text}"
        yield f"by {self.by}"
        if self.kept_by is not None:
            yield f"kept by {self.kept_by.in_words}"
        if self.kept_when is not None:
            yield f"kept when {self.kept_when}"
        if self.condition is not None:
            yield f"while {self.condition}"

    def noted(self, block: str | None) -> tuple[str, str] | None:
        return None

    def listens(self) -> Iterator[On]:
        if self.kept_by is not None:
            yield self.kept_by

    def ends(self, block: str) -> Literal["next", "nothing", "here"]:
        return "nothing"

    def falls_through(self, block_falls: dict[str, bool]) -> bool:
        return True

    def problems(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        if self.kept_by is None and self.kept_when is None:
            yield (), "nothing can keep this promise", "add kept_by: or kept_when:"

    def begin(self, turn: Turn, thread: Thread) -> None:
        watch = turn.spawn(thread, thread.at, "promise", joins=False)
        promise = OpenPromise(turn.count(), self.name, None)
        turn.state.promises.append(promise)
        turn.wait(watch, Waiting("promise", turn.now, n=promise.n))
        self._look_at_deadline(turn, watch, promise)
        turn.note(thread.at, "promise", f"promised: {self.text}{_by(promise)}")
        turn.settle_promise(promise, "open", "")
        self.refresh(turn, watch)
        if watch in turn.state.threads:
            self.mail(turn, watch)
        turn.proceed(thread)

    def _promise(self, turn: Turn, thread: Thread) -> OpenPromise | None:
        n = thread.waiting.n if thread.waiting else None
        return next((promise for promise in turn.state.promises if promise.n == n), None)

    def _end(self, turn: Turn, thread: Thread, promise: OpenPromise) -> None:
        turn.state.promises = [other for other in turn.state.promises if other is not promise]
        turn.state.threads = [other for other in turn.state.threads if other is not thread]

    def mail(self, turn: Turn, thread: Thread) -> None:
        promise, kept_by = self._promise(turn, thread), self.kept_by
        if promise is None or kept_by is None:
            return
        mail = turn.earliest(
            thread, lambda touchpoint: turn.is_about(kept_by, touchpoint, thread, thread.at)
        )
        if mail is not None:
            self._kept(turn, thread, promise, f"{kept_by.on} came")

    def _kept(self, turn: Turn, thread: Thread, promise: OpenPromise, why: str) -> None:
        late = promise.state == "late"
        turn.settle_promise(promise, "kept_late" if late else "kept", why)
        turn.note(thread.at, "promise", f"{'kept late' if late else 'kept'}: {self.text}")
        self._end(turn, thread, promise)

    def alarm(self, turn: Turn, thread: Thread) -> None:
        promise, waiting = self._promise(turn, thread), thread.waiting
        if promise is None or waiting is None:
            return
        waiting.late, waiting.deadline = True, None
        turn.settle_promise(promise, "late", f"not kept{_by(promise)}")
        turn.note(thread.at, "promise", f"late: {self.text}, not kept{_by(promise)}")
        first = turn.node(thread).blocks.get("late")
        if first is not None:
            turn.run_thread(turn.spawn(thread, first, "reaction", joins=False))

    def refresh(self, turn: Turn, thread: Thread) -> None:
        promise = self._promise(turn, thread)
        if promise is None:
            return
        names = turn.names(thread)
        if self.kept_when is not None and turn.holds(self.kept_when, names, thread.at):
            self._kept(turn, thread, promise, f"{self.kept_when} is true")
            return
        if self.condition is not None and not turn.holds(self.condition, names, thread.at):
            reason = self.because or f"no longer true: {self.condition}"
            turn.settle_promise(promise, "dropped", reason)
            turn.note(thread.at, "promise", f"dropped: {self.text}: {reason}")
            self._end(turn, thread, promise)
            return
        before = promise.by
        self._look_at_deadline(turn, thread, promise)
        if before is not None and promise.by != before:
            turn.note(thread.at, "promise", f"moved: {self.text}{_by(promise)}")
            turn.settle_promise(promise, promise.state, "moved")

    def _look_at_deadline(self, turn: Turn, thread: Thread, promise: OpenPromise) -> None:
        waiting = thread.waiting
        if waiting is None:
            return
        promise.by = turn.moment_or(self.by, waiting.began, thread, promise.by)
        if not waiting.late:
            waiting.deadline = promise.by

    def words(self, turn: Turn, thread: Thread) -> str:
        promise = self._promise(turn, thread)
        return f"promise: {self.text}{_by(promise) if promise else ''}"


def _by(promise: OpenPromise) -> str:
    return f" by {promise.by:%Y-%m-%d %H:%M} UTC" if promise.by else ""
