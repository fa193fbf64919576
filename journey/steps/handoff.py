"""`handoff`: to a member of staff, whose decision picks the path."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from pydantic import Field

from journey.business_time import read_business_span
from journey.effects import EscalateCase, OfferedDecision, OpenCase, Values
from journey.happenings import Answer, CaseAnswer
from journey.language import Block, Identifier, Model, OnFailure, Slug, Step, Template, Words
from journey.spans import read_span
from journey.state import Thread, Waiting
from journey.touchpoint import CASE_DECIDED
from journey.turn import Turn

FieldType = Literal["text", "number", "integer", "boolean"]

if TYPE_CHECKING:
    from journey.language import AnyStep


class AnswerWithin(Words):
    """A length of time, also in business hours: `30m`, `2 business hours`, `1 business day`."""

    __slots__ = ()
    pattern_words = "a length of time: 30m, 2d, 2 business hours or 1 business day"

    @classmethod
    def checked(cls, text: str) -> str:
        if read_business_span(text) is None:
            read_span(text)
        return text


class Decision(Model):
    """What staff may decide, what they fill in for it, and what is done then."""

    title: str | None = None
    """What it is called on the page of staff."""
    fields: dict[Identifier, FieldType] = {}
    """What is to be filled in, with its type."""
    authority: Identifier | None = None
    """The field whose amount must lie within the member's authority."""
    do: "list[AnyStep]" = []
    """What is done when it was decided."""


class Handoff(Step):
    """Open a case for staff and wait for their decision, which picks the path.

    Unanswered by `first_answer` it goes to `escalate_to`; undecided by `resolve` the steps
    under `late` are taken and the case is closed. Business time is that of
    the queue. The decision and its fields are the result.
    """

    kind: ClassVar[str] = "handoff"
    gives: ClassVar[dict[str, str]] = {
        "decision": "what was decided",
        "by": "who decided it",
    }

    name: Identifier | None = Field(default=None, alias="as")
    """The name under which the decision can be used later: `help.decision`, `help.amount`."""
    queue: Slug
    """Whose work it is."""
    brief: Template
    """What staff must know, in Liquid."""
    first_answer: AnswerWithin | None = None
    """Within what time somebody must have taken it."""
    resolve: AnswerWithin | None = None
    """Within what time it must be decided."""
    escalate_to: Slug | None = None
    """The queue that it goes to when nobody took it in time."""
    decisions: dict[Slug, Decision] = Field(min_length=1, max_length=20)
    """What may be decided."""
    late: "list[AnyStep]" = []
    """What is done when it was not decided in time."""
    id: Slug | None = None
    """Its name in addresses; no two steps of a journey have the same."""
    on_failure: OnFailure = "stop"

    def blocks(self) -> Iterator[Block]:
        for decision, offered in self.decisions.items():
            yield decision, ("decisions", decision, "do"), offered.do
        if self.resolve is not None:
            yield "late", ("late",), self.late
        if isinstance(self.on_failure, list):
            yield "on_failure", ("on_failure",), self.on_failure

    def hears(self) -> Iterator[str]:
        yield CASE_DECIDED

    def noted(self, block: str | None) -> tuple[str, str] | None:
        if block is not None and block in self.decisions:
            return "decided", block
        return super().noted(block)

    def in_words(self) -> Iterator[str]:
        yield f"hand over to {self.queue}"
        if self.first_answer is not None:
            to = f", else to {self.escalate_to}" if self.escalate_to else ""
            yield f"first answer within {self.first_answer}{to}"
        if self.resolve is not None:
            yield f"decided within {self.resolve}"

    def way_in_words(self, block: str | None) -> str:
        if block in self.decisions:
            title = self.decisions[block].title
            return f"{block}: {title}" if title else block
        if block == "late":
            return f"not decided within {self.resolve}"
        return "no case could be opened"

    def result(self) -> str | None:
        return self.name

    def falls_through(self, block_falls: dict[str, bool]) -> bool:
        return self.on_failure == "continue" or any(block_falls.values())

    def problems(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        for decision, offered in self.decisions.items():
            if offered.authority is not None and offered.authority not in offered.fields:
                path = ("decisions", decision, "authority")
                yield (
                    path,
                    f"{offered.authority!r} is not among its fields",
                    "name one of its fields",
                )
        if self.late and self.resolve is None:
            yield ("late",), "late is never reached without resolve", "add resolve:"
        if self.escalate_to and self.first_answer is None:
            yield (
                ("escalate_to",),
                "without first_answer it is never escalated",
                "add first_answer:",
            )

    def begin(self, turn: Turn, thread: Thread) -> None:
        thread.mark = turn.state.arrivals
        n = turn.count()
        effect = OpenCase(
            n=n,
            queue=self.queue,
            brief=self.brief,
            decisions={
                name: OfferedDecision(
                    title=offered.title, fields=dict(offered.fields), authority=offered.authority
                )
                for name, offered in self.decisions.items()
            },
            first_answer_by=self._by(turn, self.first_answer, turn.now),
            resolve_by=self._by(turn, self.resolve, turn.now),
            values=_for_staff(turn, thread),
            first_answer=self.first_answer,
            resolve=self.resolve,
            escalate_to=self.escalate_to,
        )
        turn.wait(thread, Waiting("effect", turn.now, n=n))
        turn.ask(effect, thread)

    def _by(self, turn: Turn, within: str | None, began: datetime) -> datetime | None:
        if within is None:
            return None
        business = read_business_span(within)
        if business is not None:
            return turn.program.business.after(business, began)
        return read_span(within).after(began, turn.state.zone)

    def answered(self, turn: Turn, thread: Thread, n: int, answer: Answer) -> None:
        if not isinstance(answer, CaseAnswer):
            return
        turn.note(thread.at, "case", f"case opened in {self.queue}")
        began = thread.waiting.began if thread.waiting else turn.now
        turn.wait(thread, Waiting("case", began, n=n, clocked=answer.clocked))
        self.refresh(turn, thread)
        self.mail(turn, thread)

    def refresh(self, turn: Turn, thread: Thread) -> None:
        waiting = thread.waiting
        if waiting is None or waiting.kind != "case" or waiting.clocked:
            return
        first = (
            self._by(turn, self.first_answer, waiting.began)
            if self.escalate_to and not waiting.late
            else None
        )
        resolve = self._by(turn, self.resolve, waiting.began)
        waiting.deadline = min((at for at in (first, resolve) if at is not None), default=None)

    def mail(self, turn: Turn, thread: Thread) -> None:
        waiting = thread.waiting
        if waiting is None or waiting.kind != "case":
            return
        mail = turn.answer_to(thread, CASE_DECIDED, "case")
        if mail is None:
            return
        said: dict[str, Any] = mail.touchpoint.properties
        if said.get("expired"):
            turn.meet(thread, mail)
            turn.changed = True
            turn.note(thread.at, "late", f"nobody decided within {self.resolve}")
            turn.enter(thread, "late")
            return
        decision = str(said.get("decision"))
        fields: Any = said.get("fields")
        turn.meet(thread, mail)
        if self.name:
            values = cast("Values", fields if isinstance(fields, dict) else {})
            turn.state.results[self.name] = {**values, "decision": decision, "by": said.get("by")}
        turn.changed = True
        if decision not in self.decisions:
            turn.note(thread.at, "decided", f"{decision} is not among the decisions; going on")
            turn.proceed(thread)
            return
        turn.note(thread.at, "decided", f"{said.get('by') or 'staff'} decided: {decision}")
        turn.enter(thread, decision)

    def alarm(self, turn: Turn, thread: Thread) -> None:
        waiting = thread.waiting
        if waiting is None or waiting.kind != "case" or waiting.n is None:
            return
        resolve = self._by(turn, self.resolve, waiting.began)
        if resolve is not None and turn.is_over(resolve):
            turn.note(thread.at, "late", f"nobody decided within {self.resolve}")
            turn.close_case(waiting.n, f"not decided within {self.resolve}")
            turn.enter(thread, "late")
            return
        if self.escalate_to and not waiting.late:
            waiting.late = True
            turn.note(
                thread.at,
                "escalated",
                f"no answer within {self.first_answer}: to {self.escalate_to}",
            )
            reason = f"no answer within {self.first_answer}"
            turn.ask(
                EscalateCase(n=turn.count(), case=waiting.n, queue=self.escalate_to, reason=reason),
                None,
            )
        self.refresh(turn, thread)

    def failed(self, turn: Turn, thread: Thread, n: int, why: str) -> None:
        turn.fail(thread, n, self.on_failure, f"case for {self.queue}: {why}")

    def words(self, turn: Turn, thread: Thread) -> str:
        waiting = thread.waiting
        if waiting and waiting.deadline:
            return f"staff in {self.queue} to decide, looked at again {waiting.deadline:%Y-%m-%d %H:%M} UTC"
        return f"staff in {self.queue} to decide"


def _for_staff(turn: Turn, thread: Thread) -> Values:
    values = turn.template_values(thread)
    run = cast("Values", values.get("run") or {})
    return {**values, "run": {**run, "stage": turn.state.stage}}
