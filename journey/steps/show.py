"""`show`: what to say to the customer at a place, as long as it is true."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from journey.effects import ShowRecord
from journey.language import Condition, MomentText, Slug, Step, Template, end_in_words
from journey.state import OpenShow, Thread, Waiting
from journey.turn import Turn


class Show(Step):
    """Have something said wherever the customer looks or asks: web, app, IVR, till, agent.

    The journey goes on at once. It is said while `while` holds and until `until`, and no longer when
    the run has ended. It says what holds when it is looked at. Of several at one place the one with
    the highest `priority` comes first. Nothing is said to a customer who is held out.
    """

    kind: ClassVar[str] = "show"

    places: list[Slug] = Field(alias="at", min_length=1, max_length=20)
    """Where: web, app, ivr, till, agent, or a place of one's own."""
    say: Template
    """What is said, in Liquid."""
    condition: Condition | None = Field(default=None, alias="while")
    """It is said while this holds."""
    until: MomentText | None = None
    """It is said until then."""
    priority: int = Field(default=50, ge=1, le=100)
    """Of several at one place the highest comes first."""
    id: Slug | None = None
    """Its name in addresses; no two steps of a journey have the same."""

    def in_words(self) -> Iterator[str]:
        yield f"show at {', '.join(self.places)}"
        yield self.say
        if self.condition is not None:
            yield f"while {self.condition}"
        if self.until is not None:
            yield end_in_words(self.until, "for")

    def begin(self, turn: Turn, thread: Thread) -> None:
        if turn.state.held_out:
            turn.note(thread.at, "show", "not said: the customer is in the hold-out group")
            turn.proceed(thread)
            return
        watch = turn.spawn(thread, thread.at, "show", joins=False)
        n = turn.count()
        turn.wait(watch, Waiting("show", turn.now, n=n))
        turn.state.shows.append(OpenShow(n))
        turn.note(thread.at, "show", f"to be said at {', '.join(self.places)}")
        self._say(turn, watch, n)
        self.refresh(turn, watch)
        turn.proceed(thread)

    def refresh(self, turn: Turn, thread: Thread) -> None:
        waiting = thread.waiting
        if waiting is None or waiting.n is None:
            return
        if self.condition is not None and not turn.holds(
            self.condition, turn.names(thread), thread.at
        ):
            self._end(turn, thread, f"no longer true: {self.condition}")
            return
        before = waiting.deadline
        waiting.deadline = turn.moment_or(self.until, waiting.began, thread, before)
        shown = next((show for show in turn.state.shows if show.n == waiting.n), None)
        if (
            shown is None
            or shown.seen != turn.template_values(thread)
            or before != waiting.deadline
        ):
            self._say(turn, thread, waiting.n)

    def alarm(self, turn: Turn, thread: Thread) -> None:
        self._end(turn, thread, "its time is over")

    def _say(self, turn: Turn, thread: Thread, n: int) -> None:
        values = turn.template_values(thread)
        shows = [show for show in turn.state.shows if show.n != n]
        turn.state.shows = [*shows, OpenShow(n, values)]
        turn.show(
            ShowRecord(
                n=n,
                places=tuple(self.places),
                say=self.say,
                priority=self.priority,
                until=thread.waiting.deadline if thread.waiting else None,
                values=values,
            )
        )

    def _end(self, turn: Turn, thread: Thread, why: str) -> None:
        turn.note(thread.at, "show", f"no longer said: {why}")
        turn.drop_thread(thread, why)

    def words(self, turn: Turn, thread: Thread) -> str:
        until = thread.waiting.deadline if thread.waiting else None
        told = f"said at {', '.join(self.places)}"
        return f"{told} until {until:%Y-%m-%d %H:%M} UTC" if until else told
