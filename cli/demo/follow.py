"""One passenger as a story: promises that move, cases, messages, and why."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from cli.demo.scene import local
from console.flight_picture import (
    FollowedPassenger,
    Moment,
    ShownCase,
    ShownDecision,
    ShownPromise,
)
from examples.flight.passengers import Passenger
from journey.effects import OfferedDecision, PromiseRecord, TraceEntry

INSTANT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d)(?::\d\d)? (UTC|E[SD]T)")

QUIET = {"chose", "set", "stage", "trait", "waiting", "sent"}
"""Kinds of decisions that the page leaves out: the record has them."""

MARKS = {
    "case": "case-opened",
    "decided": "decided",
    "finished": "end",
    "late": "trouble",
    "failed": "trouble",
    "not_sent": "trouble",
}
PROMISES = {
    "departure": "You leave on time",
    "bag_on_board": "Your bag flies with you",
}


@dataclass(slots=True, frozen=True, kw_only=True)
class ToldMessage:
    """A message of the story: its subject or name, and what became of it."""

    at: datetime
    state: Literal["sent", "held", "under way"]
    words: str
    href: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class ToldCase:
    """A case of the story."""

    case: str
    queue: str
    brief: str
    state: str
    decision: str | None
    by: str | None
    decisions: dict[str, OfferedDecision]


@dataclass(slots=True, frozen=True, kw_only=True)
class Story:
    """All that is known of the followed passenger's run."""

    stage: str | None
    waits_for: Sequence[str]
    outcome: str | None
    trace: Sequence[TraceEntry]
    promises: Sequence[PromiseRecord]
    messages: Sequence[ToldMessage]
    cases: Sequence[ToldCase]


class Follow:
    """Tells the story of one passenger; it remembers which deadlines a promise had before."""

    def __init__(self, passenger: Passenger) -> None:
        self._passenger = passenger
        self._deadlines: dict[int, list[str]] = {}

    def tell(self, story: Story | None, *, run_url: str, mails_url: str) -> FollowedPassenger:
        """The story so far."""
        passenger = self._passenger
        leg = passenger.legs[0]
        name = f"{passenger.first_name}, booking {passenger.pnr}"
        bags = f"{len(passenger.bags)} bags" if passenger.bags else "no bags"
        itinerary = f"{leg.number} {leg.origin} → {leg.dest}, {local(leg.departs)}, {bags}"
        if story is None:
            return FollowedPassenger(name=name, itinerary=itinerary, flight=leg.flight)
        stage = f"ended: {story.outcome}" if story.outcome else (story.stage or "")
        return FollowedPassenger(
            name=name,
            itinerary=itinerary,
            flight=leg.flight,
            stage=stage.replace("-", " "),
            waits_for="" if story.outcome else ", ".join(map(in_words, story.waits_for[:2])),
            run_url=run_url,
            mails_url=mails_url,
            promises=tuple(self._promise(promise) for promise in story.promises),
            moments=_moments(story),
            cases=tuple(_case(case) for case in story.cases),
        )

    def _promise(self, promise: PromiseRecord) -> ShownPromise:
        by = local(promise.by) if promise.by else ""
        known = self._deadlines.setdefault(promise.n, [])
        if by and (not known or known[-1] != by):
            known.append(by)
        return ShownPromise(
            words=PROMISES.get(promise.name, promise.name.replace("_", " ")),
            state=promise.state,
            by=by,
            was=tuple(known[:-1]),
            reason=in_words(promise.reason),
        )


def _moments(story: Story) -> tuple[Moment, ...]:
    told = [(entry.at, _decided(entry)) for entry in story.trace if entry.kind not in QUIET] + [
        (message.at, _message(message)) for message in story.messages
    ]
    return tuple(moment for _, moment in sorted(told, key=lambda pair: pair[0]))


def in_words(text: str) -> str:
    """A line of the record as the page says it: in New York's time, without the date."""
    said = INSTANT.sub(_clock, text)
    return said.removesuffix(" came").replace("promise: ", "the promise: ")


def _clock(found: re.Match[str]) -> str:
    at = datetime.strptime(found[1], "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    return local(at) if found[2] == "UTC" else f"{at:%H:%M}"


def _decided(entry: TraceEntry) -> Moment:
    kind = MARKS.get(entry.kind, "")
    if entry.kind == "promise":
        kind = "promise-kept" if entry.why.startswith("kept:") else ""
        kind = "trouble" if entry.why.startswith(("late", "kept late", "moved")) else kind
    return Moment(at=local(entry.at), kind=kind, words=in_words(entry.why))


def _message(message: ToldMessage) -> Moment:
    before = {"sent": "Mail: ", "held": "Not sent: ", "under way": "Mail under way: "}
    kind = "trouble" if message.state == "held" else "message"
    return Moment(
        at=local(message.at),
        kind=kind,
        words=before[message.state] + message.words,
        href=message.href,
    )


def _case(case: ToldCase) -> ShownCase:
    open_now = case.state in ("open", "claimed")
    decisions = tuple(
        ShownDecision(name=name, title=offered.title or name.replace("-", " "))
        for name, offered in case.decisions.items()
    )
    title = case.decisions[case.decision].title if case.decision in case.decisions else None
    decided = f"{title or case.decision} ({case.by})" if case.decision else ""
    return ShownCase(
        case=case.case,
        queue=case.queue,
        brief=case.brief,
        state=case.state,
        decided=decided,
        decisions=decisions if open_now else (),
    )
