"""What stands in the inbox, in words: states, deadlines on the wall, and what happened to a case."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from contracts.clock import RunClock
from stores.inbox_list import ListedCase

STATES: dict[str, str] = {
    "open": "Waiting for somebody",
    "reopened": "Open again",
    "claimed": "Somebody has it",
    "snoozed": "Put off",
    "pending": "Customer is to answer",
    "resolved": "Decided",
    "expired": "Undecided in time",
    "closed": "Not needed any more",
}
SHORT_STATES: dict[str, str] = {
    "open": "open", "reopened": "reopened", "claimed": "claimed", "snoozed": "snoozed",
    "pending": "waits for customer", "resolved": "resolved", "expired": "expired", "closed": "closed",
}  # fmt: skip
SOON = timedelta(minutes=30)
_LONGEST_TITLE = 110


@dataclass(slots=True, frozen=True, kw_only=True)
class Due:
    """A deadline on the wall. `how`: over, soon or fine; `left`: as it is now, which the page keeps telling."""

    what: str
    at: datetime
    how: str
    left: str


def on_the_wall(at: datetime | None, clock: RunClock | None) -> datetime | None:
    """When an instant of a run's own time is, on the wall."""
    if at is None or clock is None:
        return at
    return clock.wall(at)


def due_of(case: ListedCase, now: datetime) -> Due | None:
    """The next deadline of a case that runs."""
    at = on_the_wall(case.due_at, case.clock)
    if at is None or case.state in ("resolved", "expired", "closed"):
        return None
    named = {
        "decide": case.resolve_by,
        "next answer": case.next_answer_by,
        "first answer": case.first_answer_by if case.answered_at is None else None,
    }
    what = next((name for name, by in named.items() if by == case.due_at), "due")
    how = "over" if at <= now else "soon" if at - now <= SOON else "fine"
    return Due(what=what, at=at, how=how, left=left_in_words(at, now))


def left_in_words(at: datetime, now: datetime) -> str:
    """`in 2 h 5 min`, `4 min late`. The script of the page tells it the same way."""
    seconds = (at - now).total_seconds()
    minutes = int(abs(seconds) // 60)
    days, hours = minutes // 1_440, minutes % 1_440 // 60
    if days:
        length = f"{days} d {hours} h" if hours else f"{days} d"
    elif hours:
        length = f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    else:
        length = f"{minutes} min"
    return f"in {length}" if seconds > 0 else f"{length} late"


def title_of(title: str, brief: str, queue: str) -> str:
    """What a case is called: its title, else how its brief begins."""
    said = title or next((line.strip() for line in brief.splitlines() if line.strip()), "")
    said = said or f"A case for {queue}"
    return said if len(said) <= _LONGEST_TITLE else said[: _LONGEST_TITLE - 1].rstrip() + "…"


def clock_words(at: datetime, zone: str, now: datetime | None = None) -> str:
    """A moment as a member reads it: the time today, else the day too."""
    local = at.astimezone(ZoneInfo(zone))
    if now is not None and local.date() == now.astimezone(ZoneInfo(zone)).date():
        return f"{local:%H:%M}"
    return f"{local:%a} {local.day} {local:%b %H:%M}"


DEEDS: dict[str, str] = {
    "opened": "opened the case",
    "claimed": "took it on",
    "let go": "let it go",
    "handed over": "handed it over",
    "snoozed": "put it off",
    "waits for the customer": "waits for the customer",
    "went on": "went on with it",
    "noted": "noted",
    "asked for approval": "asked for approval",
    "approved": "approved it",
    "disapproved": "refused it",
    "reopened": "opened it again",
    "merged": "merged it into another",
    "took in": "took in another case",
    "reminded": "reminded of a deadline",
    "escalated": "escalated it",
    "taken back": "took it back",
    "woke": "brought it back",
    "expired": "closed it undecided",
    "given": "gave it to somebody",
    "verified": "verified who it is",
    "answered in public": "answered in public",
    "mentioned us": "spoke of us in public",
    "lacked": "lacked something",
    "closed": "closed it",
}


def deed_in_words(did: str, detail: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """What happened: `gave it to Eva Novak`, `decided refund: amount 40`."""
    said = DEEDS.get(did, did)
    if did.startswith("decided "):
        fields: Mapping[str, Any] = detail.get("fields") or {}
        told = ", ".join(f"{name} {value}" for name, value in fields.items())
        return f"{did}: {told}" if told else did
    if did == "heard":
        by = f" by {detail['channel']}" if detail.get("channel") else ""
        return f"{detail.get('event')}{by}"
    to = detail.get("to") or detail.get("queue")
    if did in ("given", "handed over", "escalated") and to:
        whom = names.get(str(to), str(to))
        return {"given": f"gave it to {whom}", "handed over": f"handed it over to {whom}"}.get(
            did, f"escalated it to {whom}"
        )
    if did == "asked for approval":
        fields = detail.get("fields") or {}
        told = ", ".join(f"{name} {value}" for name, value in fields.items())
        return f"asked for approval of {detail.get('decision')}: {told}".rstrip(": ")
    return said


def utc_now() -> datetime:
    """Wall time."""
    return datetime.now(UTC)


_BROWSERS = {
    "Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari",
}  # fmt: skip
_SYSTEMS = ("iPhone", "iPad", "Android", "Windows", "Mac", "Linux")


def browser_words(agent: str) -> str:
    """A browser as its user would call it: Firefox on Linux. What it calls itself where we do not know it."""
    browser = next((words for sign, words in _BROWSERS.items() if sign in agent), None)
    system = next((each for each in _SYSTEMS if each in agent), None)
    if browser is None:
        return agent[:60] or "unknown"
    return f"{browser} on {system}" if system else browser
