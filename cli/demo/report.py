"""The end of the demo: the account drawn up from the database, and what to try next."""

import os
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cli.demo.lateness import Lateness
from cli.demo.verdict import Verdict
from console.flight_picture import ReportLine, ShownReport
from examples.flight.account import Account, CaseRow, DeliveryRow, PromiseRow, RunRow, account
from examples.flight.day import Day
from examples.flight.naive import WRONG, naive
from stores.demo_figures import DemoFigures, PersonStands

JOURNEY = "flight"
QUANTILES = {"p50": 0.5, "p99": 0.99}


async def draw_up(day: Day, figures: DemoFigures, touchpoints: int, seconds: float) -> Account:
    """The account of the day, from what the database holds."""
    users = {passenger.pnr: user for user, passenger in day.passengers.items()}
    standing = await figures.standing(JOURNEY)
    return account(
        passengers=day.passengers,
        runs=[_run(person, users) for person in standing.people],
        deliveries=[
            DeliveryRow(
                user_id=users.get(row["key"], str(row["key"])),
                message=row["message"],
                state=row["state"],
                reason=row["reason"],
                words=row["words"],
            )
            for row in await figures.deliveries(JOURNEY)
        ],
        promises=[PromiseRow(**row) for row in await figures.promises(JOURNEY)],
        cases=[CaseRow(**row) for row in await figures.decisions(JOURNEY)],
        touchpoints=touchpoints,
        seconds=seconds,
        naive=naive(day),
    )


def _run(person: PersonStands, users: dict[str, str]) -> RunRow:
    return RunRow(
        user_id=users.get(person.key or "", person.customer),
        outcome=person.outcome if person.state == "finished" else None,
        with_staff=person.with_staff,
        stuck=person.stuck,
    )


def report(
    drawn: Account, verdict: Verdict, lateness: Lateness, state: Path, run: str
) -> ShownReport:
    """The account as a person reads it. `run`: the workflow id of the followed passenger."""
    held = drawn.deliveries.total() - drawn.deliveries["sent"]
    states = Counter[str]()
    for each in drawn.promises.values():
        states.update(each)
    why = drawn.promise_reasons
    lines = [
        _line("finished", drawn.finished, drawn.outcomes),
        _line("still travelling", drawn.travelling),
        _line("with staff", drawn.with_staff),
        _line("messages sent", drawn.deliveries["sent"]),
        _line("messages held back", held, _without(drawn.deliveries, "sent")),
        _line("promises kept", states["kept"]),
        _line("kept late", states["kept_late"], why.get("kept_late")),
        _line("not kept in time", states["late"] + states["broken"], why.get("late")),
        _line("promises dropped as out of date", states["dropped"], why.get("dropped")),
        _line("cases", drawn.cases.total(), drawn.cases),
        ReportLine(
            words="behind the clock (median)",
            figure=f"{lateness.overall(0.5):.1f} s",
            more=f"p99 {lateness.overall(0.99):.1f} s; touchpoints lost {verdict.lost}, mails twice "
            f"{verdict.twice}, unknown {verdict.unknown}",
        ),
    ]
    return ShownReport(
        balances=drawn.balance(),
        sentence=_sentence(drawn),
        lines=tuple(lines),
        why_not=drawn.why_not or "No message came too late to be sent.",
        naive=_naively(drawn),
        commands=_commands(state, run),
    )


def closing_line(
    drawn: Account,
    verdict: Verdict,
    lateness: Lateness,
    late: dict[str, Lateness],
    factor: float,
    kills: int,
) -> dict[str, Any]:
    """The last line of `--json`."""
    return {
        **drawn.as_json(),
        "lost": verdict.lost,
        "runs_twice": drawn.twice,
        "twice": verdict.twice,
        "unknown": verdict.unknown,
        "kills": kills,
        "speed": round(factor, 1),
        "lateness": {**_shares(lateness), **{name: _shares(each) for name, each in late.items()}},
    }


def _shares(lateness: Lateness) -> dict[str, float]:
    return {name: round(lateness.overall(share), 3) for name, share in QUANTILES.items()}


def _sentence(drawn: Account) -> str:
    sum_ = (
        f"{drawn.passengers} passengers = {drawn.finished} finished + "
        f"{drawn.travelling} still travelling + {drawn.with_staff} with staff"
    )
    if drawn.balance():
        return f"The day is over and the account balances: {sum_}."
    odd = f"{len(drawn.missing)} missing, {drawn.stuck} stuck, {len(drawn.twice)} twice"
    return f"The day is over and the account does NOT balance: {sum_}; {odd}."


def _line(words: str, figure: int, more: Counter[str] | None = None) -> ReportLine:
    said = ", ".join(f"{reason.replace('_', ' ')} {n}" for reason, n in (more or {}).items() if n)
    return ReportLine(words=words, figure=f"{figure:,}", more=said)


def _without(counts: Counter[str], *names: str) -> Counter[str]:
    return Counter({name: count for name, count in counts.most_common() if name not in names})


def _naively(drawn: Account) -> str:
    told = drawn.naive
    if told is None:
        return ""
    worst: Iterable[tuple[str, int]] = told.wrong.most_common(3)
    kinds = "; ".join(f"{count} {WRONG[kind]}" for kind, count in worst)
    example = f" {told.example}." if told.example else ""
    return (
        f"{told.wrong.total()} of its {told.sent} messages would have been wrong, to "
        f"{len(told.misled)} people: {kinds}.{example}"
    )


def _commands(state: Path, run: str) -> tuple[tuple[str, str], ...]:
    clew = Path(sys.argv[0]) if Path(sys.argv[0]).name == "clew" else Path("clew")
    command = os.path.relpath(clew) if clew.is_absolute() else str(clew)
    where = os.path.relpath(state)
    return (
        (
            f"{command} up --state {where}",
            "all of it again: runs, mails, cases, the Temporal Web UI",
        ),
        (f"{command} show '{run}' --state {where}", "one passenger: every decision, and why"),
        (f"{command} demo flights --day 2013-04-21", "the same on a calm day: none cancelled"),
    )
