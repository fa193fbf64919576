"""`send`: one message to the customer."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from journey.channels import Way
from journey.delivery_policy import HELD_BY, STOPPED
from journey.effects import Deliver, Purpose, Values
from journey.happenings import Answer, DeliveryAnswer
from journey.language import (
    Block,
    Condition,
    Identifier,
    MomentText,
    OnFailure,
    Slug,
    SpanText,
    Step,
    one_of,
)
from journey.spans import in_zone, read_span
from journey.state import Thread, Waiting
from journey.turn import Turn


class Send(Step):
    """Send a message by the first channel that reaches the customer.

    It is sent once. It is dropped, and the reason kept, when its moment has passed
    (`good_for`, `until`) or what it says is no longer true (`while`), looked at again right
    before it leaves. The next wait looks back to this step.

    The channel is the one that the customer prefers, else the one that reached them best, else as
    `via` has them; one that refuses for good is passed over for the next. What `policy.yaml` says of consent,
    caps and quiet hours is decided right before it leaves; marketing that has to wait goes at the first
    minute at which it may, if it is still of use. What became of it is the step's result.
    """

    kind: ClassVar[str] = "send"
    gives: ClassVar[dict[str, str]] = {
        "state": "accepted, refused, unknown or failed",
        "reason": "why it was not sent: no_consent, capped, quiet_until, paused, unreachable, suppressed, expired, "
        "condition, replaced, held_out, left, or the provider's word such as bounced; empty where it was",
        "channel": "by which channel it went, or was last tried",
    }

    message: Slug
    """Name of the message file."""
    purpose: Purpose
    """`service`: the customer needs it. `marketing`: only with consent, and with an unsubscribe link."""
    via: list[Way] = ["email"]
    """Channels in order of preference; `where_they_came` is the one by which the customer last came to us."""
    topic: Slug | None = None
    """What it is about: a topic of `policy.yaml`, which customers may not want and caps may count."""
    priority: int | None = Field(default=None, ge=1, le=100)
    """Who gets the last place of a cap; 100 is the highest. The journey's unless said otherwise."""
    good_for: SpanText | None = None
    """How long after this step it may still go out."""
    until: MomentText | None = None
    """The moment after which it is of no use."""
    because: str | None = None
    """In words, what that moment is: `the flight left`."""
    condition: Condition | None = Field(default=None, alias="while")
    """What must still be true when it leaves."""
    replaces: Slug | None = None
    """`id` of an earlier send that this one corrects."""
    unknown: Literal["send_again", "leave"] | None = None
    """When nobody can tell whether it left: default send again for service, leave for marketing."""
    name: Identifier | None = Field(default=None, alias="as")
    """The name under which what became of it can be used later."""
    id: Slug | None = None
    """Its name in addresses; no two steps of a journey have the same."""
    on_failure: OnFailure = "continue"

    def blocks(self) -> Iterator[Block]:
        if isinstance(self.on_failure, list):
            yield "on_failure", ("on_failure",), self.on_failure

    def in_words(self) -> Iterator[str]:
        yield f"send {self.message} by {one_of(self.via)}"
        if self.purpose == "marketing":
            yield "marketing: only with consent"
        if self.good_for is not None:
            yield f"good for {self.good_for}"
        if self.until is not None:
            yield f"until {self.until}"
        if self.condition is not None:
            yield f"while {self.condition}"
        if self.replaces is not None:
            yield f"in place of {self.replaces}, if that was sent"
        if self.topic is not None:
            yield f"about {self.topic}"
        if self.priority is not None:
            yield f"priority {self.priority}"

    def way_in_words(self, block: str | None) -> str:
        return "cannot be sent" if block else ""

    def result(self) -> str | None:
        return self.name

    def begin(self, turn: Turn, thread: Thread) -> None:
        node = turn.node(thread)
        thread.mark = turn.state.arrivals
        n = turn.count()
        replaced = turn.state.sends.get(self.replaces) if self.replaces else None
        if self.id:
            turn.state.sends[self.id] = n
        expires = self._expires(turn, thread, turn.now, None)
        effect = Deliver(
            n=n,
            message=self.message,
            purpose=self.purpose,
            via=tuple(self.via),
            expires=expires,
            expires_because=self._because(turn, expires),
            condition=self.condition,
            replaces=replaced,
            resend_unknown=None if self.unknown is None else self.unknown == "send_again",
            feeling=turn.program.feelings.get(node.stage or ""),
            values=turn.template_values(thread),
            last_act=turn.state.outcome is not None,
            topic=self.topic,
            priority=self.priority,
        )
        turn.wait(thread, Waiting("effect", turn.now, n=n))
        turn.ask(effect, thread)

    def _expires(
        self, turn: Turn, thread: Thread, began: datetime, before: datetime | None
    ) -> datetime | None:
        until = turn.moment_or(self.until, began, thread, before)
        if not self.good_for:
            return until
        end = read_span(self.good_for).after(began, turn.state.zone)
        return end if until is None else min(until, end)

    def _because(self, turn: Turn, expires: datetime | None) -> str:
        """Why it is of no use any more, with the customer's own time: `landed 14:02`."""
        if self.because is None or expires is None:
            return ""
        local = in_zone(expires, turn.state.zone)
        return f"{self.because} {local.hour:02}:{local.minute:02}"

    def answered(self, turn: Turn, thread: Thread, n: int, answer: Answer) -> None:
        if not isinstance(answer, DeliveryAnswer) or put_off(turn, thread, n, self.message, answer):
            return
        self._tell(turn, answer.state, answer.reason, answer.channel)
        turn.note(thread.at, *said(self.message, answer))
        turn.proceed(thread)

    def _tell(self, turn: Turn, state: str, reason: str, channel: str | None) -> None:
        if self.name is not None:
            told: Values = {"state": state, "reason": reason, "channel": channel}
            turn.state.results[self.name] = told
            turn.changed = True

    def alarm(self, turn: Turn, thread: Thread) -> None:
        waiting = thread.waiting
        if waiting is None or waiting.kind != "deferred" or waiting.n is None:
            return
        asked = turn.state.outstanding[waiting.n]
        if isinstance(asked.effect, Deliver):
            # Until when it is of use may have changed since it was put off.
            expires = self._expires(turn, thread, waiting.began, asked.effect.expires)
            asked.effect = replace(
                asked.effect, expires=expires, expires_because=self._because(turn, expires)
            )
        ask_again(turn, thread)

    def failed(self, turn: Turn, thread: Thread, n: int, why: str) -> None:
        self._tell(turn, "failed", why[:200], None)
        turn.fail(thread, n, self.on_failure, f"{self.message}: {why}")

    def words(self, turn: Turn, thread: Thread) -> str:
        waiting = thread.waiting
        if waiting and waiting.kind == "deferred" and waiting.deadline:
            return f"{self.message} to go out at {waiting.deadline:%Y-%m-%d %H:%M} UTC"
        return f"{self.message} to be sent"


def put_off(turn: Turn, thread: Thread, n: int, message: str, answer: DeliveryAnswer) -> bool:
    """Wait until a message that may not go now may be tried again; False where it was not put off."""
    if answer.state != "deferred" or answer.until is None:
        return False
    until, why = answer.until, answer.reason[:200]
    if may_be_lifted(why) and thread.waiting is not None and thread.waiting.late:
        until = turn.now  # what held it has ended meanwhile
    turn.note(
        thread.at, "deferred", f"{message}: {why or 'not now'}, again at {until:%Y-%m-%d %H:%M} UTC"
    )
    began = thread.waiting.began if thread.waiting else turn.now
    turn.wait(thread, Waiting("deferred", began, deadline=until, n=n, why=why))
    return True


def may_be_lifted(why: str) -> bool:
    """Whether it waits for something that will be told to have ended: another journey, a stop."""
    return why.startswith((HELD_BY, STOPPED))


def ask_again(turn: Turn, thread: Thread) -> None:
    """Ask again for a delivery that was put off, with what its message says as it is now."""
    waiting = thread.waiting
    if waiting is None or waiting.n is None:
        return
    asked = turn.state.outstanding[waiting.n]
    if isinstance(asked.effect, Deliver):
        asked.effect = replace(asked.effect, values=turn.template_values(thread))
    asked.held = False
    turn.wait(thread, Waiting("effect", waiting.began, n=waiting.n))
    turn.effects.append(asked.effect)


def said(message: str, answer: DeliveryAnswer) -> tuple[str, str]:
    """What became of a delivery, as a kind of decision and in words."""
    if answer.state == "accepted":
        return (
            "sent",
            f"{message} sent by {answer.channel}" if answer.channel else f"{message} sent",
        )
    if answer.state == "unknown":
        return "unknown", f"{message}: nobody can tell whether it left; not sent again"
    why = f"{answer.reason}: {answer.words}" if answer.words else answer.reason or "refused"
    return "not_sent", f"{message} not sent: {why}"
