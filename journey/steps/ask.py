"""`ask`: a question to the customer, answered on a page of ours or by a touchpoint."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from journey import conditions
from journey.channels import Way
from journey.effects import Asked, Deliver, Purpose, SetTraits, Values
from journey.happenings import Answer, DeliveryAnswer
from journey.language import (
    Block,
    Identifier,
    MomentText,
    On,
    Slug,
    Step,
    Value,
    end_in_words,
    one_of,
)
from journey.state import Mail, Thread, Waiting
from journey.steps.send import ask_again, put_off, said
from journey.survey import SurveyKind, group_of
from journey.touchpoint import SURVEY_ANSWERED
from journey.turn import Turn

if TYPE_CHECKING:
    from journey.language import AnyStep

REMINDER = "reminder"
"""The thread in which the customer is reminded."""


class AnsweredBy(On):
    """A touchpoint that answers in place of the page, and where in it the answer is."""

    score: Value | None = None
    """The score, such as `event.properties.stars`."""
    text: Value | None = None
    """What was said in words, such as `event.properties.comment`."""


class Ask(Step):
    """Ask the customer: NPS, CSAT, CES, one question with choices, or free text.

    An invitation goes out with a link to a page of ours, once more after `remind`, and expires at
    `until`. The first answer counts. It is the step's result (`NAME.score`, `NAME.group`, `NAME.text`),
    it is kept on the profile as the trait `trait`, and its group picks the block under `answers`. Whoever cannot be
    asked, or does not answer in time, takes `late`.
    """

    kind: ClassVar[str] = "ask"
    gives: ClassVar[dict[str, str]] = {
        "score": "the score",
        "text": "what was said in words",
        "choice": "the choice",
        "group": "the group of the answer, which picks the way",
    }

    survey: Slug
    """Name of the survey file, which has the words."""
    type: SurveyKind
    """What kind of answer it has: nps (0 to 10), csat (1 to 5), ces (1 to 7), choice or text."""
    name: Identifier = Field(alias="as")
    """The name under which the answer can be used later."""
    purpose: Purpose
    """Of the invitation: `service`, or `marketing` that needs consent."""
    via: list[Way] = ["email"]
    """Channels of the invitation, in order of preference; `where_they_came` as for a send."""
    topic: Slug | None = None
    """What the invitation is about, as for a send."""
    priority: int | None = Field(default=None, ge=1, le=100)
    """Who gets the last place of a cap, as for a send."""
    message: Slug | None = None
    """The message that invites; named as the survey unless said otherwise. It has `{{ survey.link }}` in it."""
    remind: MomentText | None = None
    """When the invitation is sent once more, if nobody answered."""
    until: MomentText
    """When it is too late to answer."""
    answered_by: AnsweredBy | None = None
    """A touchpoint that answers in place of the page."""
    trait: Identifier | None = None
    """The trait that keeps the score, the choice or the words; named as the survey unless said otherwise."""
    answers: "dict[Slug, list[AnyStep]]" = {}
    """Steps by the group of the answer: promoter, passive, detractor; satisfied, neutral, dissatisfied; easy, neutral,
    hard; the choice; or `answered`."""
    late: "list[AnyStep]" = []
    """What is done when they cannot be asked, or do not answer in time."""
    id: Slug | None = None
    """Its name in addresses; no two steps of a journey have the same."""

    @property
    def invitation(self) -> str:
        """The message that invites."""
        return self.message or self.survey

    def blocks(self) -> Iterator[Block]:
        for group, steps in self.answers.items():
            yield f"answers/{group}", ("answers", group), steps
        yield "late", ("late",), self.late

    def noted(self, block: str | None) -> tuple[str, str] | None:
        if block is not None and block.startswith("answers/"):
            return "answered", block.removeprefix("answers/")
        return super().noted(block)

    def in_words(self) -> Iterator[str]:
        yield f"ask {self.survey} by {one_of(self.via)}"
        if self.purpose == "marketing":
            yield "marketing: only with consent"
        yield (
            f"answered by {self.answered_by.in_words}"
            if self.answered_by
            else f"{self.type}, on a page of ours"
        )
        if self.remind is not None:
            yield f"asked once more: {self.remind}"
        yield end_in_words(self.until)

    def way_in_words(self, block: str | None) -> str:
        if block is None:
            return "any other answer" if self.answers else "answered"
        return "no answer" if block == "late" else block.removeprefix("answers/")

    def listens(self) -> Iterator[On]:
        if self.answered_by is not None:
            yield self.answered_by

    def hears(self) -> Iterator[str]:
        yield SURVEY_ANSWERED

    def result(self) -> str | None:
        return self.name

    def falls_through(self, block_falls: dict[str, bool]) -> bool:
        groups = GROUPS.get(self.type)
        named = {name.partition("/")[2] for name in block_falls if name != "late"}
        return any(block_falls.values()) or groups is None or not groups <= named

    def problems(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        groups = GROUPS.get(self.type)
        for group in self.answers:
            if groups is not None and group not in groups:
                known = ", ".join(sorted(groups))
                yield (
                    ("answers", group),
                    f"{self.type} has no answer {group!r}",
                    f"they are {known}",
                )
        by = self.answered_by
        if by is not None and by.score is None and by.text is None:
            yield ("answered_by",), "it does not say where the answer is", "add score: or text:"

    def begin(self, turn: Turn, thread: Thread) -> None:
        thread.mark = turn.state.arrivals
        n = turn.count()
        turn.wait(thread, Waiting("effect", turn.now, n=n))
        turn.ask(self._invites(turn, thread, n, n), thread)

    def _invites(self, turn: Turn, thread: Thread, n: int, asked: int) -> Deliver:
        return Deliver(
            n=n,
            message=self.invitation,
            purpose=self.purpose,
            via=tuple(self.via),
            feeling=turn.program.feelings.get(turn.node(thread).stage or ""),
            values=turn.template_values(thread),
            expires=turn.moment_or(self.until, turn.now, thread, None),
            expires_because="it is too late to answer",
            asks=Asked(survey=self.survey, n=asked),
            topic=self.topic,
            priority=self.priority,
        )

    def answered(self, turn: Turn, thread: Thread, n: int, answer: Answer) -> None:
        message = self.invitation
        if not isinstance(answer, DeliveryAnswer) or put_off(turn, thread, n, message, answer):
            return
        turn.note(thread.at, *said(message, answer))
        if thread.home == REMINDER:
            turn.end_thread(thread)
            return
        if answer.state == "refused":
            turn.enter(thread, "late")
            return
        began = thread.waiting.began if thread.waiting else turn.now
        turn.wait(thread, Waiting("survey", began, n=n))
        self.refresh(turn, thread)
        self.mail(turn, thread)

    def failed(self, turn: Turn, thread: Thread, n: int, why: str) -> None:
        turn.note(thread.at, "failed", f"{self.invitation}: {why}")
        turn.state.outstanding.pop(n, None)
        if thread.home == REMINDER:
            turn.end_thread(thread)
        else:
            self._on(turn, thread, "late")

    def refresh(self, turn: Turn, thread: Thread) -> None:
        waiting = thread.waiting
        if waiting is None or waiting.kind != "survey":
            return
        moments = [self.until] if waiting.late or self.remind is None else [self.remind, self.until]
        ends = [turn.moment_or(text, waiting.began, thread, waiting.began) for text in moments]
        waiting.deadline = min(end for end in ends if end is not None)

    def alarm(self, turn: Turn, thread: Thread) -> None:
        waiting = thread.waiting
        if waiting is None or waiting.n is None:
            return
        if waiting.kind == "deferred":
            ask_again(turn, thread)
            return
        until = turn.moment_or(self.until, waiting.began, thread, waiting.began)
        if until is None or turn.is_over(until):
            turn.note(thread.at, "late", f"{self.survey} was not answered")
            self._on(turn, thread, "late")
            return
        waiting.late = True
        turn.note(thread.at, "reminded", f"{self.survey} is asked once more")
        # In a thread of its own: it may have to wait for the morning, and an answer counts meanwhile.
        reminder, n = turn.spawn(thread, thread.at, REMINDER, joins=True), turn.count()
        turn.wait(reminder, Waiting("effect", turn.now, n=n))
        turn.ask(self._invites(turn, thread, n, waiting.n), reminder)
        self.refresh(turn, thread)

    def _on(self, turn: Turn, thread: Thread, block: str) -> None:
        """Go on inside a block; nobody is reminded any more."""
        for other in [other for other in turn.state.threads if other.parent == thread.thread]:
            turn.drop_thread(other, f"{self.survey} is over")
        turn.enter(thread, block)

    def mail(self, turn: Turn, thread: Thread) -> None:
        waiting = thread.waiting
        if waiting is None or waiting.kind != "survey":
            return
        for mail in turn.state.mailbox:
            if not thread.may_meet(mail):
                continue
            with turn.looking_at(thread, mail):
                answer = self._answer(turn, thread, mail)
            if answer is not None:
                turn.meet(thread, mail)
                self._take(turn, thread, answer)
                return

    def _answer(self, turn: Turn, thread: Thread, mail: Mail) -> Values | None:
        """The answer that a touchpoint holds, if it holds one to this question."""
        touchpoint, waiting = mail.touchpoint, thread.waiting
        said: dict[str, Any] = touchpoint.properties
        if touchpoint.event == SURVEY_ANSWERED and waiting is not None:
            if not str(said.get("ask", "")).endswith(f":{turn.state.entry}:{waiting.n}"):
                return None
            return self._grouped(said.get("score"), said.get("text"), said.get("choice"))
        by = self.answered_by
        if by is None or not turn.is_about(by, touchpoint, thread, thread.at):
            return None
        names = turn.names(thread, touchpoint)
        try:
            score = turn.value(by.score, names) if by.score else None
            text = turn.value(by.text, names) if by.text else None
        except conditions.ConditionError as error:
            turn.note(thread.at, "condition_error", str(error))
            return None
        return self._grouped(score, text, text if self.type == "choice" else None)

    def _grouped(self, score: Any, text: Any, choice: Any) -> Values | None:
        """The answer with its group; None where it is no answer of this kind."""
        group = group_of(self.type, score, choice if choice is not None else text)
        if group is None:
            return None
        return {"score": score, "text": text, "choice": choice, "group": group}

    def _take(self, turn: Turn, thread: Thread, answer: Values) -> None:
        turn.state.results[self.name] = answer
        turn.changed = True
        group = str(answer["group"])
        turn.note(thread.at, "answered", f"{self.survey} answered: {group}")
        known = (answer["score"], answer["choice"], answer["text"])
        kept = next((part for part in known if part is not None), None)
        trait = self.trait or self.survey.replace("-", "_")
        turn.ask(SetTraits(n=turn.count(), traits={trait: kept}), None)
        if trait in turn.program.traits:
            turn.state.traits[trait] = kept
        self._on(turn, thread, f"answers/{group}")

    def words(self, turn: Turn, thread: Thread) -> str:
        waiting = thread.waiting
        if waiting and waiting.kind == "survey" and waiting.deadline:
            return (
                f"an answer to {self.survey}, looked at again {waiting.deadline:%Y-%m-%d %H:%M} UTC"
            )
        return f"{self.invitation} to be sent"


GROUPS: dict[str, frozenset[str]] = {
    "nps": frozenset({"promoter", "passive", "detractor"}),
    "csat": frozenset({"satisfied", "neutral", "dissatisfied"}),
    "ces": frozenset({"easy", "neutral", "hard"}),
    "text": frozenset({"answered"}),
}
"""The groups of answers; those of a choice are its choices."""
