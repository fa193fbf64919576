"""Promises to customers: kept in time, late or broken, by journey and by what was promised, and who still waits."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from starlette.responses import Response

from console.control_door import control_page, instant_of, number_of
from console.control_live import Shared
from console.control_window import Window, choices, in_address, named, window_of
from console.inbox_door import CONTROL, InboxDoor, Visit
from console.share_in_words import ShareInWords, share_in_words, stacked_bar
from insight.measured_graph import length_in_words
from journey.program import Program
from journey.steps.promise import Promise
from stores.promise_looks import (
    MOST_PEOPLE,
    MOST_PROMISES,
    STANDINGS,
    CountedPromises,
    Place,
    PromiseTo,
    Standing,
)

HERE = f"{CONTROL}/promises"
WORDS: Mapping[Standing, str] = {
    "overdue": "Overdue: who waits longest first",
    "open": "Open: what is due next first",
    "kept": "Kept in time",
    "kept_late": "Kept, but late",
    "broken": "Broken",
    "dropped": "Dropped, as they were true no longer",
}
_STANDINGS: Mapping[str, Standing] = {each: each for each in STANDINGS}
MOST_ROWS = 200


class Looks(Protocol):
    """Where promises are read; `stores.promise_looks` says what each guarantees."""

    async def due(
        self, before: datetime, since: datetime, now: datetime, most: int = MOST_PROMISES
    ) -> list[CountedPromises]: ...
    async def waited_for(
        self, now: datetime, most: int = MOST_PROMISES
    ) -> list[CountedPromises]: ...
    async def who(
        self, standing: Standing, since: datetime, now: datetime, *, journey: str | None = None,
        name: str | None = None, after: Place | None = None, most: int = MOST_PEOPLE,
    ) -> list[PromiseTo]: ...  # fmt: skip


class Programs(Protocol):
    """Journeys that customers may enter."""

    async def live(self) -> list[Program]: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class Wanted:
    """Whose promises are listed: those that stand so, of one journey, of one name."""

    standing: Standing
    journey: str | None
    name: str | None
    after: Place | None

    def query(self, span: str, **other: str | None) -> str:
        """The same with something else."""
        parts = {
            "since": span, "standing": self.standing, "journey": self.journey, "name": self.name, **other,
        }  # fmt: skip
        return in_address(parts)


@dataclass(slots=True, frozen=True, kw_only=True)
class PromisesPage:
    """The page. `run_now`: the time of runs, by which promises stand."""

    door: InboxDoor
    looks: Looks
    programs: Programs
    shared: Shared
    run_now: Callable[[], datetime]

    async def show(self, visit: Visit) -> Response:
        """`?since=28d&standing=overdue&journey=cart&name=answer`; `&after=` a place in the list, to leaf on."""
        window = window_of(visit, self.run_now())
        wanted = _wanted(visit.request.query_params)
        figures = await self.shared.once(
            ("promises", window.span), None, lambda: self._figures(window)
        )
        people = await self.looks.who(
            wanted.standing, window.since, window.until, journey=wanted.journey, name=wanted.name,
            after=wanted.after,
        )  # fmt: skip
        texts: Mapping[tuple[str, str], str] = figures["texts"]
        values = {
            **figures,
            "wanted": wanted,
            "here": HERE,
            "heading": _heading(wanted),
            "people": [
                {
                    "promise": each,
                    "text": texts.get((each.journey, each.name), each.name),
                    "over": length_in_words(abs((window.until - each.by).total_seconds())),
                }
                for each in people
            ],
            "more": _more(wanted, window.span, people),
        }
        return control_page(self.door, visit, "control-promises.html", values)

    async def _figures(self, window: Window) -> dict[str, Any]:
        due = await self.looks.due(window.before or window.since, window.since, window.until)
        waited = await self.looks.waited_for(window.until)
        texts = promised(await self.programs.live())
        now, before = _by_name(due, later=True), _by_name(due, later=False)
        waiting = _by_name(waited, later=True)
        names = sorted(
            {*now, *waiting},
            key=lambda each: (-waiting[each]["overdue"], -sum(now[each].values()), each),
        )
        all_now, all_before = _all(now), _all(before)
        return {
            "window": window,
            "spans": choices(),
            "texts": texts,
            "kept": _kept(all_now, all_before),
            "due": all_now,
            "waiting": _all(waiting),
            "rows": [
                {
                    "journey": journey,
                    "name": name,
                    "text": texts.get((journey, name), name),
                    "due": now[journey, name],
                    "waiting": waiting[journey, name],
                    "kept": _kept(now[journey, name], before[journey, name]),
                    "parts": _parts(now[journey, name]),
                }
                for journey, name in names[:MOST_ROWS]
            ],
            "most_rows": MOST_ROWS if len(names) > MOST_ROWS else 0,
            "cut_due": MOST_PROMISES if _cut(due) else 0,
            "cut_waiting": MOST_PROMISES if _cut(waited) else 0,
        }


def promised(programs: Sequence[Program]) -> dict[tuple[str, str], str]:
    """By journey and name, what was promised, as the customer would say it."""
    return {
        (program.journey, node.step.name): node.step.text
        for program in programs
        for node in program.nodes.values()
        if isinstance(node.step, Promise)
    }


def _by_name(
    counted: Sequence[CountedPromises], *, later: bool
) -> dict[tuple[str, str], Counter[str]]:
    sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for each in counted:
        if each.later == later:
            sums[each.journey, each.name][each.standing] += each.n
    return sums


def _all(sums: Mapping[tuple[str, str], Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in sums.values():
        total.update(each)
    return total


def _cut(counted: Sequence[CountedPromises]) -> bool:
    sums = [sum(each.n for each in counted if each.later == later) for later in (True, False)]
    return max(sums) >= MOST_PROMISES


def _kept(now: Mapping[str, int], before: Mapping[str, int]) -> ShareInWords:
    """How many of those that were due were kept in time. Dropped ones count to neither."""
    return share_in_words(_in_time(now), _in_time(before))


def _in_time(counts: Mapping[str, int]) -> tuple[int, int]:
    kept = counts.get("kept", 0)
    return kept, kept + sum(counts.get(each, 0) for each in ("kept_late", "broken", "overdue"))


def _parts(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """A bar of those that were due: in time, late, and not yet or never."""
    kept, of = _in_time(counts)
    late = counts.get("kept_late", 0)
    return stacked_bar(((kept, "high"), (late, "middle"), (of - kept - late, "low")), of)


def _wanted(query: Mapping[str, str]) -> Wanted:
    by, _, rest = query.get("after", "").partition("|")
    entry, _, n = rest.partition("|")
    at, numbers = instant_of(by), (number_of(entry), number_of(n))
    place = None
    if at is not None and numbers[0] is not None and numbers[1] is not None:
        place = Place(by=at, entry=numbers[0], n=numbers[1])
    return Wanted(
        standing=_STANDINGS.get(query.get("standing", ""), "overdue"),
        journey=named(query, "journey"),
        name=named(query, "name"),
        after=place,
    )


def _heading(wanted: Wanted) -> str:
    parts = [WORDS[wanted.standing]]
    if wanted.journey is not None:
        parts.append(f"in {wanted.journey}")
    if wanted.name is not None:
        parts.append(f"({wanted.name})")
    return " ".join(parts)


def _more(wanted: Wanted, span: str, people: Sequence[PromiseTo]) -> str | None:
    if len(people) < MOST_PEOPLE:
        return None
    place = people[-1].place
    after = f"{place.by.isoformat()}|{place.entry}|{place.n}"
    return f"{HERE}?{wanted.query(span, after=after)}#who"
