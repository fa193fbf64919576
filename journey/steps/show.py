"""`show`: what to say to the customer at a place, as long as it is true."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from journey.effects import ShowRecord, Values
from journey.language import Condition, MomentText, Slug, Step, Template, end_in_words
from journey.state import OpenShow, Thread, Waiting
from journey.turn import Turn


class Show(Step):
    """Have something said wherever the customer looks or asks: web, app, IVR, till, agent.

    The journey goes on at once. It is said whenever `while` holds, until `until`, and no longer when
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
        turn.state.shows.append(OpenShow(n, None))
        turn.note(thread.at, "show", f"to be said at {', '.join(self.places)}")
        self.refresh(turn, watch)
        turn.proceed(thread)

    def refresh(self, turn: Turn, thread: Thread) -> None:
        waiting = thread.waiting
        if waiting is None or waiting.n is None:
            return
        before = waiting.deadline
        waiting.deadline = turn.moment_or(self.until, waiting.began, thread, before)
        seen = _seen(turn, waiting.n)
        if self.condition is not None:
            holds = turn.holds(self.condition, turn.names(thread), thread.at)
            if holds is not (seen is not None):
                told = "said: it is true that" if holds else "no longer said: no longer true:"
                turn.note(thread.at, "show", f"{told} {self.condition}")
            if not holds:
                if seen is not None:
                    turn.keep_show(OpenShow(waiting.n, None))
                    turn.show(ShowRecord(n=waiting.n, shown=False))
                return
        if seen != turn.template_values(thread) or before != waiting.deadline:
            self._say(turn, thread, waiting.n)

    def alarm(self, turn: Turn, thread: Thread) -> None:
        turn.note(thread.at, "show", "no longer said: its time is over")
        turn.drop_thread(thread, "its time is over")

    def _say(self, turn: Turn, thread: Thread, n: int) -> None:
        values = turn.template_values(thread)
        turn.keep_show(OpenShow(n, values))
        turn.show(
            ShowRecord(
                n=n,
                places=tuple(self.places),
                say=self.say,
                priority=self.priority,
                until=thread.waiting.deadline if thread.waiting else None,
                values=values,
                name=self.id or "",
            )
        )

    def words(self, turn: Turn, thread: Thread) -> str:
        waiting = thread.waiting
        until = waiting.deadline if waiting else None
        told = f"said at {', '.join(self.places)}"
        if waiting and waiting.n is not None and _seen(turn, waiting.n) is None:
            told = f"not {told} now"
        return f"{told} until {until:%Y-%m-%d %H:%M} UTC" if until else told


def _seen(turn: Turn, n: int) -> Values | None:
    """The values with which it is said now; None where it is not said."""
    return next((show.seen for show in turn.state.shows if show.n == n), None)
