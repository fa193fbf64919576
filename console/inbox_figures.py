"""How work goes for staff: their own figures for everybody, those of members of their queues for leads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from starlette.responses import Response

from console.inbox_door import InboxDoor, Visit
from console.inbox_list import Houses, Members
from journey.queues import titles_of
from journey.spans import read_span
from journey.staff_figures import WorkFigures
from stores.staff_figures import StaffFigures

SPANS = {"7d": "a week", "28d": "four weeks", "91d": "a quarter"}


class Figures(Protocol):
    """Where figures are made."""

    async def figures(
        self, since: datetime, now: datetime, queue: str | None = None
    ) -> StaffFigures: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class FiguresPage:
    """The page. `now` is wall time."""

    door: InboxDoor
    figures: Figures
    house: Houses
    members: Members
    now: Callable[[], datetime]

    async def show(self, visit: Visit) -> Response:
        """`?since=7d`: of the queues that a member may see."""
        asked = visit.request.query_params.get("since", "28d")
        span = asked if asked in SPANS else "28d"
        now = self.now()
        told = await self.figures.figures(read_span(span).before(now, "UTC"), now)
        sees_all = visit.member.role in ("admin", "analyst") and not visit.member.queues
        own = set(told.queues) if sees_all else set(visit.member.queues)
        titles = titles_of((await self.house.house()).queues)
        everybody = await self.members.members()
        names = {each.member: each.name for each in everybody}
        mates = {each.member for each in everybody if sees_all or own & set(each.queues)}
        shown = mates if visit.leads or visit.member.role == "analyst" else {visit.member.member}
        values: dict[str, Any] = {
            "visit": visit,
            "span": span,
            "spans": SPANS,
            "queues": _rows({titles.get(q, q): f for q, f in told.queues.items() if q in own}),
            "members": _rows({names.get(m, m): f for m, f in told.members.items() if m in shown}),
            "places": [
                (each.service, each.place, _row(each.figures)) for each in told.places
            ] if visit.leads or visit.member.role == "analyst" else [],
            "load": {titles.get(q, q): hours for q, hours in told.load.items() if q in own and hours},
            "lacked": [
                (names.get(m, m), said)
                for m, f in told.members.items()
                if m in shown
                for said in f.lacked
            ][:50],
            "automatable": [each for each in told.automatable if each.queue in own],
            "cut": told.cut,
        }  # fmt: skip
        return self.door.page("figures.html", values)


def _rows(figures: Mapping[str, WorkFigures]) -> list[tuple[str, dict[str, str]]]:
    return [(name, _row(each)) for name, each in sorted(figures.items())]


def _row(each: WorkFigures) -> dict[str, str]:
    decided = each.within_authority + each.above_authority
    return {
        "opened": f"{each.opened}",
        "waiting": _spread(each.waiting.count, each.waiting.p50, each.waiting.p90, count=True),
        "first answer": _spread(each.first_answer.count, each.first_answer.p50, each.first_answer.p90),
        "resolved in": _spread(each.resolution.count, each.resolution.p50, each.resolution.p90),
        "resolved": f"{each.resolved}",
        "reopened": f"{each.reopened}",
        "escalated": f"{each.escalated}",
        "in hand": f"{each.in_hand}",
        "above authority": f"{each.above_authority} of {decided}" if decided else "0",
    }  # fmt: skip


def _spread(n: int, p50: float | None, p90: float | None, *, count: bool = False) -> str:
    if not n or p50 is None or p90 is None:
        return "0" if count else "–"
    said = f"{length(p50)} / {length(p90)}"
    return f"{n}: {said}" if count else said


def length(seconds: float) -> str:
    """`45 s`, `12 min`, `3.5 h`: of business time."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 5_400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3_600:.1f} h"
