"""`clew staff-figures`: how work goes for staff."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import STATE, AsJson, State, print_json, print_table, run, say, wrong_use

if TYPE_CHECKING:
    from collections.abc import Iterable

    from journey.staff_figures import Spread, WorkFigures
    from stores.staff_figures import StaffFigures

_HEAD = (
    "opened", "wait", "first answer", "resolved in", "resolved", "reopened", "escalated", "in hand", "above authority",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("staff-figures")(staff_figures)


def staff_figures(
    queue: Annotated[str | None, typer.Option(help="Only this queue of staff.")] = None,
    since: Annotated[str, typer.Option(help="So long back: 28d, 2w.")] = "28d",
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Show how work goes: p50 / p90 in business time of each queue."""
    from dataclasses import asdict

    from journey.spans import SpanError, read_span

    now = datetime.now(UTC)
    try:
        begins = read_span(since).before(now, "UTC")
    except SpanError as error:
        wrong_use(f"--since {since}: {error}")
    told = run(_figures(state, begins, now, queue))
    if as_json:
        print_json(asdict(told))
        return
    _table("queue", told.queues.items())
    _table("member", told.members.items())
    _table("at", ((f"{each.service} at {each.place}", each.figures) for each in told.places))
    for name, hours in told.load.items():
        if hours:
            say(f"\n{name} over the day: hour, cases that come, in hand, room for")
            rows = [
                (f"{each.hour:02}:00", each.opened, each.in_hand, each.capacity) for each in hours
            ]
            print_table(("hour", "come", "in hand", "room"), rows)
    for each in told.automatable:
        say(
            f"{each.queue}: {each.decision} was decided {each.taken} times of {each.of}, and worked"
            f" {each.worked} times of {each.judged}: perhaps nobody need decide it."
        )
    lacked = [(name, words) for name, each in told.members.items() for words in each.lacked]
    if lacked:
        print_table(("member", "lacked"), lacked)


def _table(what: str, figures: "Iterable[tuple[str, WorkFigures]]") -> None:
    rows = [
        (
            name,
            each.opened,
            f"{each.waiting.count}: {_lengths(each.waiting)}" if each.waiting.count else "0",
            _lengths(each.first_answer),
            _lengths(each.resolution),
            each.resolved,
            each.reopened,
            each.escalated,
            each.in_hand,
            each.above_authority,
        )
        for name, each in figures
    ]
    if rows:
        print_table((what, *_HEAD), rows)


def _lengths(spread: "Spread") -> str:
    if spread.p50 is None or spread.p90 is None:
        return "-"
    return f"{_length(spread.p50)} / {_length(spread.p90)}"


def _length(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"


async def _figures(
    state: Path, since: datetime, now: datetime, queue: str | None
) -> "StaffFigures":
    from cli.installation import database
    from stores.staff_figures import StaffFiguresStore

    async with database(state) as pool:
        return await StaffFiguresStore(pool).figures(since, now, queue)
