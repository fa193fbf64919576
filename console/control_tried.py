"""What would be if a source were published: the last four weeks played through it, and its scenarios."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from activities.message_text import PublishedMessage
from insight.backtest_figures import GOES_ON
from insight.month_tried import PARTS_IN_ORDER
from insight.tried import (
    LiveMessage,
    Measure,
    MonthOrder,
    MonthTried,
    NotTried,
    Part,
    Row,
    StoriesOrder,
    StoriesTried,
)
from journey.publication import Publishable
from journey.steps.ask import Ask
from journey.steps.send import Send

BACK = timedelta(weeks=4)

TITLES: dict[Part, tuple[str, str]] = {
    "enters": ("Who would enter", "Who"),
    "sent": ("What they would get", "Message"),
    "held": ("What would be held back", "Message"),
    "ends": ("How it would end", "End"),
    "cases": ("Cases for staff", "Queue"),
    "kept_out": ("Why others would not enter", "Reason"),
    "fails": ("What would not work", "Where"),
}
REASONS = {
    "replaced": "a later message corrects it",
    "left": "the journey had ended before",
    "held_out": "held out",
    "expired": "its time had passed",
    "condition": "no longer true",
    "no_consent": "no consent",
    "suppressed": "nothing may go to that address",
    "unreachable": "no address",
    "capped": "over a cap",
    "quiet_until": "quiet hours",
    "paused": "the customer paused",
    "waiting": "still waits at the end",
}
WHO = {
    "customers": "Customers who enter",
    "times": "Times that they enter",
    "held out": "of them held out",
}


class Trials(Protocol):
    """Where things are tried; `workers.trials` says what it guarantees."""

    async def try_(
        self, member: str, order: MonthOrder | StoriesOrder
    ) -> MonthTried | StoriesTried | NotTried: ...


class Messages(Protocol):
    """Messages that are live."""

    async def live(self, name: str) -> PublishedMessage | None: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class WhatIfs:
    """Has a source tried, and puts what came of it into what a page shows.

    `url`: the database whose past is played. `run_now`: the time of runs; `now`: wall time.
    """

    trials: Trials
    messages: Messages
    url: str
    run_now: Callable[[], datetime]
    now: Callable[[], datetime]

    async def month(self, member: str, edited: Publishable, live: bytes | None) -> dict[str, Any]:
        """The last four weeks through it, beside the `live` version where there is one."""
        ends = self.run_now()
        order = MonthOrder(
            url=self.url, edited=edited.canonical.decode(), live=live.decode() if live else None,
            begins=ends - BACK, ends=ends, received_since=min(ends, self.now()) - BACK,
        )  # fmt: skip
        found = await self.trials.try_(member, order)
        if isinstance(found, NotTried):
            return {"not_tried": found.why}
        assert isinstance(found, MonthTried), "a month was asked for"
        return {"month": found, "tiles": list(_tiles(found)), "tables": list(_tables(found))}

    async def stories(self, member: str, edited: Publishable, text: str) -> dict[str, Any]:
        """These scenarios on it."""
        messages = [await self.messages.live(name) for name in sent_by(edited)]
        told = [
            LiveMessage(name=each.name, revision=each.revision, source=each.source, shared=dict(each.shared))
            for each in messages if each is not None
        ]  # fmt: skip
        order = StoriesOrder(edited=edited.canonical.decode(), stories=text, messages=told)
        found = await self.trials.try_(member, order)
        if isinstance(found, NotTried):
            return {"not_tried": found.why}
        assert isinstance(found, StoriesTried), "scenarios were asked for"
        return {"told": found, "green": sum(not each.faults for each in found.stories)}


def sent_by(journey: Publishable) -> list[str]:
    """The messages that a journey may send."""
    steps = [node.step for node in journey.program.nodes.values()]
    named = {each.message for each in steps if isinstance(each, Send)}
    return sorted(named | {each.invitation for each in steps if isinstance(each, Ask)})


def _tiles(tried: MonthTried) -> Iterator[dict[str, str]]:
    """The five that are asked for first, each beside what it is now."""
    asked: tuple[tuple[str, Callable[[Row], bool]], ...] = (
        ("customers would enter", lambda row: (row.part, row.name) == ("enters", "customers")),
        ("messages would go out", lambda row: row.part == "sent"),
        ("would be held back", lambda row: row.part == "held"),
        ("would reach the goal", lambda row: (row.part, row.detail) == ("ends", "goal")),
        ("cases for staff", lambda row: row.part == "cases"),
    )
    for words, wanted in asked:
        rows = [row for row in tried.rows if wanted(row)]
        live = [row.live for row in rows if row.live is not None]
        yield {
            "words": words,
            "edited": f"{sum(row.edited.n for row in rows):,}",
            "live": f"{sum(each.n for each in live):,}" if _beside(tried) else "",
        }


def _beside(tried: MonthTried) -> bool:
    return any(row.live is not None for row in tried.rows)


def _tables(tried: MonthTried) -> Iterator[dict[str, Any]]:
    for part in PARTS_IN_ORDER:
        rows = [row for row in tried.rows if row.part == part]
        if rows:
            title, head = TITLES[part]
            yield {
                "part": part,
                "title": title,
                "head": head,
                "rows": list(_lines(rows)),
                "beside": _beside(tried),
            }


def _lines(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    most = max([1, *(max(row.edited.n, row.live.n if row.live else 0) for row in rows)])
    for row in rows:
        live = row.live or Measure()
        change = row.edited.n - live.n
        yield {
            "name": _name(row),
            "detail": _detail(row),
            "edited": _figure(row.edited),
            "live": _figure(live),
            "change": f"{change:+,}" if change else "the same",
            "differs": row.differs,
            "wide": round(100 * row.edited.n / most, 1),
            "wide_live": round(100 * live.n / most, 1),
        }


def _figure(measure: Measure) -> str:
    return f"{measure.n:,} ± {measure.margin:,}" if measure.margin else f"{measure.n:,}"


def _name(row: Row) -> str:
    match row.part:
        case "enters":
            return WHO[row.name]
        case "ends" if row.name == GOES_ON:
            return "still under way"
        case "fails":
            return row.name.replace("condition_error at", "a condition cannot be told at")
        case _:
            return row.name


def _detail(row: Row) -> str:
    match row.part:
        case "sent":
            return f"by {row.detail}" if row.detail else ""
        case "held":
            return REASONS.get(row.detail, row.detail)
        case "ends" if row.name == GOES_ON:
            return f"in {row.detail}"
        case "ends":
            return "the goal" if row.detail else ""
        case _:
            return row.detail
