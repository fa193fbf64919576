"""`wait`: until one of several touchpoints comes, or all of them, or a moment does."""

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from journey.language import Block, MomentText, On, Slug, SpanText, Step, Yes, end_in_words, one_of
from journey.spans import read_span
from journey.state import ENTRY, Mail, Thread, Waiting
from journey.touchpoint import minute
from journey.turn import Turn

if TYPE_CHECKING:
    from journey.language import AnyStep


class Counted(On):
    """A touchpoint that must come, once or several times."""

    times: int = Field(default=1, ge=1, le=100)
    """How often it must come."""
    within: SpanText | None = None
    """Within how long all these times must be, by when they happened."""

    @property
    def named(self) -> str:
        """What must come, as a person would say it."""
        often = f"{self.times} × {self.on}" if self.times > 1 else self.on
        return f"{often} within {self.within}" if self.within else often


class Branch(Counted):
    """A touchpoint that ends the wait, and what is done then."""

    do: "list[AnyStep]" = []
    """Steps; after them, or without any, the journey goes on behind the wait."""


class Wait(Step):
    """Wait until one of `any` comes, or all of `all` have, or `until` has passed.

    A touchpoint that came since the previous wait was met counts, so one that arrives before
    this step is reached is not lost; after a send or a hand-off, one that came since then. A
    deadline that names a trait or a kept value moves with it.
    """

    kind: ClassVar[str] = "wait"
    shorthand: ClassVar[str | None] = "until"

    any: list[Branch] = Field(default=[], max_length=50)
    """Touchpoints, the first that fits ends the wait."""
    all: list[Counted] = Field(default=[], max_length=20)
    """Touchpoints that must all come, in any order; then the journey goes on behind the wait."""
    until: MomentText | None = None
    """When the wait ends by itself."""
    late: "list[AnyStep]" = []
    """What is done when it ended by itself."""
    forever: Yes | None = None
    """Say so when the wait may never end."""
    since: Literal["previous", "entry", "now"] = "previous"
    """From when touchpoints count: since the previous wait was met, since entry, or from now on."""
    id: Slug | None = None
    """Its name in addresses; no two steps of a journey have the same."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        return {"until": data} if isinstance(data, str) else data

    def blocks(self) -> Iterator[Block]:
        for index, branch in enumerate(self.any):
            yield f"any/{index}", ("any", index, "do"), branch.do
        if self.until is not None or self.late:
            yield "late", ("late",), self.late

    def in_words(self) -> Iterator[str]:
        names = one_of(branch.named for branch in self.any)
        if self.all:
            names = " and ".join(wanted.in_words for wanted in self.all)
        if names:
            yield f"wait for {names}"
            yield "however long it takes" if self.until is None else end_in_words(self.until)
        elif self.until is not None:
            yield f"wait {end_in_words(self.until, '').strip()}"
        if self.since != "previous":
            yield {"entry": "also what came since entry", "now": "only what comes from now on"}[
                self.since
            ]

    def way_in_words(self, block: str | None) -> str:
        if block is None:
            return "all came"
        if block == "late":
            return "late" if self.any or self.all else ""
        return self.any[int(block.removeprefix("any/"))].in_words

    def noted(self, block: str | None) -> tuple[str, str] | None:
        if block == "late":
            return "late", ""
        if block is None:
            return ("met", f"{self._all_of_it} came") if self.all else None
        return "met", f"{self._said(self.any[int(block.removeprefix('any/'))])} came"

    def listens(self) -> Iterator[On]:
        yield from self.any
        yield from self.all

    def falls_through(self, block_falls: dict[str, bool]) -> bool:
        if self.all:
            return True
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
        if self.any and self.all:
            yield ("all",), "any and all cannot both be said", "keep one of them"
        for name, listed in (("any", self.any), ("all", self.all)):
            for index, wanted in enumerate(listed):
                if wanted.within is not None and wanted.times == 1:
                    yield (name, index, "within"), "within counts nothing", "add times:"
        if self.forever and not (self.any or self.all):
            yield (), "nothing can end this wait", "name touchpoints under any:"
        if self.late and self.until is None:
            yield ("late",), "late is never reached without until", "add until:"

    def begin(self, turn: Turn, thread: Thread) -> None:
        since = self.since
        mark = None if since == "previous" else ENTRY if since == "entry" else turn.state.arrivals
        turn.wait(thread, Waiting("touchpoint", turn.now, mark=mark))
        self.refresh(turn, thread)
        self.mail(turn, thread)

    def mail(self, turn: Turn, thread: Thread) -> None:
        waiting = thread.waiting
        if waiting is None:
            return
        behind = thread.mark if waiting.mark is None else waiting.mark
        for mail in turn.state.mailbox:
            arrival = mail.arrival
            if arrival <= behind or arrival in thread.met:
                continue
            event = mail.touchpoint.event
            if event not in self.awaited and not waiting.tally:
                waiting.tallied = max(waiting.tallied, arrival)
                continue
            by_name = turn.program.match is None and not waiting.tally
            met = self.at_once.get(event) if by_name else None
            if met is None:
                with turn.looking_at(thread, mail):
                    met = self._met_by(turn, thread, mail)
            if met is not None:
                words, block = met
                turn.note(thread.at, "met", f"{words} came")
                turn.consume(thread, mail)
                turn.enter(thread, block)
                return

    @cached_property
    def awaited(self) -> frozenset[str]:
        """Names of the touchpoints that it may be met by."""
        return frozenset(on.on for on in self.listens())

    @cached_property
    def at_once(self) -> dict[str, tuple[str, str]]:
        """What ends the wait by its name alone, in words and as the block to go on with.

        It asks for nothing besides, and nothing before it in the list has the same name.
        """
        found: dict[str, tuple[str, str]] = {}
        for index, branch in enumerate(self.any):
            plain = branch.when is None and branch.about is None and branch.match is None
            if plain and branch.times == 1 and branch.on not in [b.on for b in self.any[:index]]:
                found[branch.on] = self._said(branch), f"any/{index}"
        return found

    def _met_by(self, turn: Turn, thread: Thread, mail: Mail) -> tuple[str, str] | None:
        """What has come with this touchpoint, and the block to go on with, if it ends the wait."""
        waiting = thread.waiting
        assert waiting is not None
        fresh, waiting.tallied = (
            mail.arrival > waiting.tallied,
            max(waiting.tallied, mail.arrival),
        )
        for index, branch in enumerate(self.any):
            if (fresh or branch.times == 1) and self._is_enough(turn, thread, mail, branch, index):
                return self._said(branch), f"any/{index}"
        if fresh and self.all:
            done = [self._is_enough(turn, thread, mail, *each) for each in self._all()]
            if all(done):
                return self._all_of_it, "all"
        return None

    @cached_property
    def _all_of_it(self) -> str:
        return " and ".join(wanted.named for wanted in self.all)

    def _said(self, branch: Branch) -> str:
        """What came, so that it is told from all else that may come here."""
        alike = [each for each in self.any if each.named == branch.named]
        return branch.in_words if len(alike) > 1 else branch.named

    def _all(self) -> Iterator[tuple[Counted, int]]:
        yield from ((wanted, index) for index, wanted in enumerate(self.all))

    def _is_enough(
        self, turn: Turn, thread: Thread, mail: Mail, wanted: Counted, place: int
    ) -> bool:
        """Whether what is wanted at this place has come often enough, this touchpoint included."""
        waiting, touchpoint = thread.waiting, mail.touchpoint
        if waiting is None:
            return False
        if wanted.times == 1 and not self.all and not waiting.tally:
            return turn.is_about(wanted, touchpoint, thread, thread.at)
        came = waiting.tally.get(place, [])
        if not (self.all and len(came) >= wanted.times) and turn.is_about(
            wanted, touchpoint, thread, thread.at
        ):
            came = sorted([*came, touchpoint.timestamp])
            if wanted.within is not None:
                span, zone = read_span(wanted.within), turn.state.zone
                came = [at for at in came if span.after(at, zone) >= came[-1]]
            if wanted.times > 1 or self.all:
                waiting.tally[place] = came
        return len(came) >= wanted.times

    def alarm(self, turn: Turn, thread: Thread) -> None:
        turn.note(
            thread.at,
            "late",
            f"{'nothing came' if self.any else 'waited' if not self.all else 'not all came'}"
            f" {self._until(thread)}",
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
            turn.note(thread.at, "deadline", f"{self.until} is now {minute(waiting.deadline)} UTC")

    def _until(self, thread: Thread) -> str:
        at = thread.waiting.deadline if thread.waiting else None
        return f"until {minute(at)} UTC" if at else f"until {self.until}"

    def words(self, turn: Turn, thread: Thread) -> str:
        names = " or ".join(dict.fromkeys(branch.named for branch in self.any))
        if self.all:
            names = " and ".join(wanted.named for wanted in self._missing(thread))
        if self.until is None:
            return names
        return f"{names} {self._until(thread)}" if names else self._until(thread)

    def _missing(self, thread: Thread) -> list[Counted]:
        """What of `all` has not come yet."""
        tally = thread.waiting.tally if thread.waiting else {}
        return [want for want, place in self._all() if len(tally.get(place, ())) < want.times]
