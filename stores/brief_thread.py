"""What a customer went through on every channel, in order, as lines of a case's brief."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from contracts.case_brief import Passed
from journey.touchpoint import CASE_DECIDED, SURVEY_ANSWERED
from stores.conversations import Spoken

MOST = 60
"""So many lines, the newest."""

_FAILURES = ("fail", "error", "declin", "reject", "crash", "bounce")
"""Parts of the name of a touchpoint that is a failure: `Payment Failed`, `Card Declined`."""

_TOLD_OTHERWISE = frozenset({CASE_DECIDED, SURVEY_ANSWERED})
"""Touchpoints that stand in the thread as what they are about."""


def is_failure(event: str) -> bool:
    """Whether a touchpoint is one in which something failed the customer."""
    return any(part in event.lower() for part in _FAILURES)


def thread(
    spoken: Iterable[Spoken], rows: Mapping[str, Sequence[Mapping[str, Any]]], *, open_: bool
) -> tuple[Passed, ...]:
    """The newest lines, the oldest of them first. `open_`: what was said and answered may be shown, too."""
    lines = [
        *(_said(each, open_=open_) for each in spoken),
        *(_touchpoint(each) for each in rows["touchpoints"] if _is_theirs(each["event"])),
        *(_answer(each, open_=open_) for each in rows["answers"]),
        *(_case(each) for each in rows["cases"]),
        *(_promise(each) for each in rows["promises"]),
    ]
    return tuple(sorted(lines, key=lambda each: each.at)[-MOST:])


def failed(lines: Iterable[Passed]) -> tuple[str, ...]:
    """What failed, in words, the newest first."""
    told = [f"{each.at:%Y-%m-%d %H:%M} UTC: {each.words}" for each in lines if each.failed]
    return tuple(reversed(told))


def _is_theirs(event: str) -> bool:
    return not event.startswith("$") and event not in _TOLD_OTHERWISE


def _said(each: Spoken, *, open_: bool) -> Passed:
    channel = each.channel or ""
    if each.way == "in":
        text = (
            f": {_short(each.text or each.subject)}"
            if open_ and (each.text or each.subject)
            else ""
        )
        return Passed(at=each.at, kind="reply", channel=channel, words=f"wrote to us{text}")
    lost = each.state in ("refused", "unknown")
    fate = _FATES.get(each.state, each.state)
    why = f" ({each.reason})" if each.reason else ""
    words = f"{each.message}: {fate}{why}"
    return Passed(at=each.at, kind="message", channel=channel, words=words, failed=lost)


_FATES = {
    "intended": "is being sent",
    "accepted": "sent",
    "refused": "not sent",
    "deferred": "waits",
    "unknown": "nobody can tell whether it was sent",
}


def _touchpoint(row: Mapping[str, Any]) -> Passed:
    context: Mapping[str, Any] = row["context"]
    named = (context.get(each) for each in ("channel", "place", "source"))
    channel = next((each for each in named if isinstance(each, str)), "")
    place = context.get("place")
    words = f"{row['event']} at {place}" if isinstance(place, str) else row["event"]
    lost = is_failure(row["event"])
    return Passed(
        at=_at(row["at"]),
        kind="failure" if lost else "touchpoint",
        channel=channel,
        words=words,
        failed=lost,
    )


def _answer(row: Mapping[str, Any], *, open_: bool) -> Passed:
    said = f": {_short(row['words'])}" if open_ and row["words"] else ""
    score = f" ({row['score']:g})" if row["score"] is not None else ""
    words = f"answered {row['survey']}: {row['answer_group']}{score}{said}"
    return Passed(at=_at(row["at"]), kind="reply", channel="survey", words=words)


def _case(row: Mapping[str, Any]) -> Passed:
    came = f", decided {row['decision']}" if row["decision"] else ""
    words = f"case {row['name']} in {row['queue']}: {row['state']}{came}"
    lost = row["state"] == "expired"
    return Passed(at=_at(row["opened_at"]), kind="case", channel="staff", words=words, failed=lost)


def _promise(row: Mapping[str, Any]) -> Passed:
    by = f" by {_at(row['by']):%Y-%m-%d %H:%M} UTC" if row["by"] else ""
    lost = row["state"] in ("late", "broken", "kept_late")
    words = f"promised {row['name']}{by}: {row['state'].replace('_', ' ')}"
    return Passed(at=_at(row["at"]), kind="promise", channel="", words=words, failed=lost)


def _at(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(f"{value}")


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= 200 else f"{plain[:199]}…"
