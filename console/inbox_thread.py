"""What happened to a case and what was said both ways, in one order, as its page tells it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from console.inbox_words import clock_words, deed_in_words, on_the_wall
from contracts.clock import RunClock
from stores.case_events import CaseEvent
from stores.case_messages import CaseMessage
from stores.conversations import Spoken

SHOWN_AS_MESSAGES = frozenset({
    "wrote", "wrote to the customer", "sent", "not sent", "perhaps not sent", "held back", "undid a message",
})  # fmt: skip
"""Of these the thread has the messages themselves."""

NOT_SHOWN = "Verify who it is first: what was said stands here then."

_BECAME = {
    "waiting": "leaves in a moment",
    "leaving": "is leaving",
    "undone": "undone, not sent",
    "refused": "not sent",
    "unknown": "perhaps not sent: nobody can tell",
}
_WHO = {"clew": "Clew", "customer": "The customer"}


@dataclass(slots=True, frozen=True, kw_only=True)
class ThreadFile:
    """A file of a message. `path`: below that of the case, with what names it there."""

    name: str
    path: str
    kilobytes: int


@dataclass(slots=True, frozen=True, kw_only=True)
class ThreadLine:
    """One thing in the thread. `kind`: event, note, in or out; `undo`: the message that may still be undone."""

    kind: str
    at: datetime
    who: str
    words: str
    text: str = ""
    label: str = ""
    when: str = ""
    files: tuple[ThreadFile, ...] = ()
    undo: int | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class Reader:
    """Who reads it. `names`: what members are called; `withheld`: what was said is not for them yet."""

    names: Mapping[str, str]
    zone: str
    now: datetime
    withheld: bool
    works: bool


def thread_of(
    events: Iterable[CaseEvent],
    spoken: Iterable[Spoken],
    written: Sequence[CaseMessage],
    clock: RunClock | None,
    reader: Reader,
) -> list[ThreadLine]:
    """The oldest first. A message of staff stands here once, with its words and what became of it."""
    ours = {each.delivery for each in written}
    lines = [
        *(_happened(each, reader) for each in events if each.did not in SHOWN_AS_MESSAGES),
        *(_spoken(each, reader) for each in spoken if each.id not in ours),
        *(_written(each, reader) for each in written),
    ]

    def when(line: ThreadLine) -> str:
        return clock_words(on_the_wall(line.at, clock) or line.at, reader.zone, reader.now)

    return [replace(each, when=when(each)) for each in sorted(lines, key=lambda each: each.at)]


def _happened(event: CaseEvent, reader: Reader) -> ThreadLine:
    note = event.did == "noted"
    return ThreadLine(
        kind="note" if note else "event",
        at=event.at,
        who=reader.names.get(event.who, _WHO.get(event.who, event.who)),
        words="" if note else deed_in_words(event.did, event.detail, reader.names),
        text=event.why,
    )


def _spoken(spoken: Spoken, reader: Reader) -> ThreadLine:
    came = spoken.way == "in"
    state = "" if came or spoken.state == "accepted" else f", {spoken.state}"
    hidden = reader.withheld and (came or bool(spoken.text))
    files = () if hidden else _files("in", spoken.id, spoken.files)
    return ThreadLine(
        kind="in" if came else "out",
        at=spoken.at,
        who="The customer" if came else "We",
        words=f"by {spoken.channel or 'post'}{state}",
        label=spoken.message or "" if hidden else spoken.subject or spoken.message or "",
        text=NOT_SHOWN if hidden else spoken.text,
        files=files,
    )


def _written(message: CaseMessage, reader: Reader) -> ThreadLine:
    by = f"by {message.went_by or message.channel}" if message.went_by or message.channel else ""
    became = _BECAME.get(message.state, "")
    why = f" ({message.words or message.reason})" if message.state in ("refused", "unknown") else ""
    return ThreadLine(
        kind="out" if message.state != "undone" else "event",
        at=message.written_at,
        who=reader.names.get(message.by, message.by),
        words=", ".join(each for each in (by, f"{became}{why}") if each),
        label=message.subject or message.template or "",
        text=message.text,
        files=_files("out", message.message, message.files),
        undo=message.message if message.state == "waiting" and reader.works else None,
    )


def _files(
    way: str, message: object, files: Iterable[Mapping[str, object]]
) -> tuple[ThreadFile, ...]:
    return tuple(
        ThreadFile(
            name=f"{each['name']}",
            path=f"file?{urlencode({'way': way, 'message': message, 'n': each['n']})}",
            kilobytes=max(1, int(f"{each['bytes']}") // 1_000),
        )
        for each in files
    )
