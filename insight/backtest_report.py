"""The report of a backtest: sections with tables of plain values, for a terminal."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from insight.backtest_figures import GOES_ON, Figures
from journey.program import Node, Program
from journey.steps.choose import Choose
from journey.steps.split import Split
from journey.steps.wait import Wait

BARS = "▁▂▃▄▅▆▇█"
WIDE = 24
"""So many bars at most: months, weeks or days, whichever fit."""

MOST_ROWS = 20
"""Rows of a table on a terminal; all of them are in the JSON."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Section:
    """One table, named by its first column. `left_out`: rows that are not shown."""

    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]
    left_out: int = 0


@dataclass(slots=True, frozen=True, kw_only=True)
class Report:
    """What would have happened, as it is told."""

    headline: str
    lines: list[str]
    sections: list[Section]


def report(program: Program, figures: Figures, begins: datetime, ends: datetime) -> Report:
    """Draw up the report. Sections in which there is nothing to tell are left out."""
    sections = [
        _ended(figures),
        _ways(program, figures),
        _sent(figures),
        _cases(figures),
        _promises(figures),
        _offers(figures),
        _why_not(figures),
    ]
    return Report(
        headline=f"{program.journey}: {figures.touchpoints:,} touchpoints of {figures.customers:,} "
        f"customers, {begins:%Y-%m-%d} to {ends:%Y-%m-%d}",
        lines=list(_lines(figures, begins.date(), ends.date())),
        sections=[section for section in sections if section.rows],
    )


def _lines(figures: Figures, begins: date, ends: date) -> Iterator[str]:
    sent: Counter[date] = Counter()
    for (day, _), count in figures.sent_days.items():
        sent[day] += count
    cases: Counter[date] = Counter()
    for (day, _), count in figures.case_days.items():
        cases[day] += count
    held = f", {share(figures.held_out, figures.runs)} of them held out" if figures.held_out else ""
    told = (
        ("entered", f"by {figures.entered:,} customers{held}", figures.entry_days),
        ("sent", "messages", sent),
        ("cases", "for staff", cases),
    )
    for what, words, days in told:
        total = days.total()
        if total or what == "entered":
            yield f"{what:<8}{total:>9,}  {_bars(days, begins, ends)}  {words}{_busiest(days)}"


def _busiest(days: Counter[date]) -> str:
    if not days:
        return ""
    day, most = min(days.items(), key=lambda each: (-each[1], each[0]))
    return f"; {most:,} on {day}, the busiest day"


def _bars(days: Counter[date], begins: date, ends: date) -> str:
    """How it went over time: a bar a day, a week, or however long fits."""
    width = min(WIDE, (ends - begins).days + 1)
    heights = [0] * width
    span = (ends - begins).days + 1
    for day, count in days.items():
        place = (day - begins).days * width // span
        heights[min(max(place, 0), width - 1)] += count
    top = max(heights, default=0) or 1
    return "".join(BARS[-(-height * (len(BARS) - 1) // top)] for height in heights)


def _ended(figures: Figures) -> Section:
    """Outcomes, and what would have been without us beside them."""
    runs = figures.runs
    spoken_to, held_out = runs - figures.held_out, figures.held_out
    counts: Counter[tuple[str, bool]] = Counter()
    held: Counter[tuple[str, bool]] = Counter()
    for (outcome, goal, is_held), count in figures.outcomes.items():
        counts[outcome, goal] += count
        held[outcome, goal] += count if is_held else 0
    order = sorted(counts, key=lambda each: (each[0] == GOES_ON, -counts[each], each))
    rows: list[tuple[object, ...]] = []
    for outcome, goal in order:
        all_of_them, without = counts[outcome, goal], held[outcome, goal]
        name = f"{outcome} (the goal)" if goal else outcome
        row = (name, f"{all_of_them:,}", share(all_of_them, runs))
        if held_out:
            row = (*row, share(all_of_them - without, spoken_to), share(without, held_out))
        rows.append(row)
        if outcome == GOES_ON:
            blank = ("", "") if held_out else ()
            rows += [
                (f"  now {stage}", f"{count:,}", share(count, runs), *blank)
                for stage, count in _by_count(figures.standing)
            ]
    compared = ("spoken to", "held out") if held_out else ()
    return Section(columns=("How it ended", "runs", "share", *compared), rows=rows)


def _ways(program: Program, figures: Figures) -> Section:
    """Stages in their order, and inside each the ways that were taken."""
    rows: list[tuple[object, ...]] = []
    for stage in program.stages:
        came = figures.stages[stage]
        if not came:
            continue
        rows.append((stage, f"{came:,}", share(came, figures.runs)))
        for address, node in program.nodes.items():
            if node.stage == stage:
                rows += _ways_at(figures, address, node)
    for index, rule in enumerate(program.reactions):
        times = sum(n for (at, _), n in figures.ways.items() if at == f"whenever/{index}")
        if times:
            what = f"whenever {rule.on or rule.when}"
            rows.append((what, f"{times:,}", share(times, figures.runs)))
    columns = ("Which way they went", "runs", "of those here")
    return Section(columns=columns, **_cut(rows, 2 * MOST_ROWS))


def _ways_at(figures: Figures, address: str, node: Node) -> list[tuple[object, ...]]:
    taken = {way: count for (at, way), count in figures.ways.items() if at == address}
    if not taken or not isinstance(node.step, Choose | Split | Wait):
        return []
    if isinstance(node.step, Wait) and set(taken) == {"its time passed"}:
        return []
    here = sum(taken.values())
    order = sorted(taken.items(), key=lambda each: (-each[1], each[0]))
    return [
        (f"    {_asked(node.step)} → {way}", f"{count:,}", share(count, here))
        for way, count in order
    ]


def _asked(step: Choose | Split | Wait) -> str:
    """What was asked at a step, in a word or two."""
    match step:
        case Wait():
            return f"wait until {step.until}" if step.until else "wait"
        case Split():
            return f"split {step.name}"
        case Choose():
            return "choose"


def _sent(figures: Figures) -> Section:
    messages = sorted({message for message, _, _ in figures.deliveries})
    rows: list[tuple[object, ...]] = []
    for message in messages:
        by: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        for (name, state, reason), count in figures.deliveries.items():
            if name == message:
                by[state] += count
                reasons[reason] += count if state == "refused" else 0
        days: Counter[date] = Counter(
            {day: count for (day, name), count in figures.sent_days.items() if name == message}
        )
        most = max(days.values(), default=0)
        why = ", ".join(f"{reason} {count:,}" for reason, count in _by_count(reasons) if count)
        waiting = by["asked"] + by["deferred"]
        rows.append(
            (message, f"{by['accepted']:,}", f"{by['refused']:,}", why, f"{waiting:,}", f"{most:,}")
        )
    columns = ("Message", "sent", "not sent", "because", "put off", "most a day")
    return Section(columns=columns, rows=rows)


def _cases(figures: Figures) -> Section:
    queues = sorted({queue for _, queue in figures.case_days})
    rows: list[tuple[object, ...]] = []
    for queue in queues:
        days = {day: count for (day, name), count in figures.case_days.items() if name == queue}
        day, most = min(days.items(), key=lambda each: (-each[1], each[0]))
        decided = {how: count for (name, how), count in figures.cases.items() if name == queue}
        told = ", ".join(f"{how} {count:,}" for how, count in _by_count(Counter(decided)))
        rows.append((queue, f"{sum(days.values()):,}", len(days), f"{most:,} on {day}", told))
    columns = ("Cases for", "cases", "days", "busiest day", "decided")
    return Section(columns=columns, rows=rows)


def _promises(figures: Figures) -> Section:
    names = sorted({name for name, _ in figures.promises})
    rows: list[tuple[object, ...]] = []
    for name in names:
        by = {state: count for (of, state), count in figures.promises.items() if of == name}
        late = by.get("late", 0) + by.get("kept_late", 0) + by.get("broken", 0)
        left = by.get("open", 0) + by.get("dropped", 0)
        rows.append((name, f"{by.get('kept', 0):,}", f"{late:,}", f"{left:,}"))
    columns = ("Promise", "kept", "late or broken", "open or dropped")
    return Section(columns=columns, rows=rows)


def _offers(figures: Figures) -> Section:
    rows: list[tuple[object, ...]] = [
        (offer, state, f"{count:,}") for (offer, state), count in sorted(figures.offers.items())
    ]
    rows += [(journey, "begun", f"{count:,}") for journey, count in sorted(figures.started.items())]
    return Section(columns=("Offer or journey", "", "runs"), rows=rows)


def _why_not(figures: Figures) -> Section:
    order = sorted(figures.why_not.items(), key=lambda each: (-each[1], each[0]))
    rows: list[tuple[object, ...]] = [
        (what, why, f"{count:,}", figures.example[what, why]) for (what, why), count in order
    ]
    columns = ("Why not", "because", "times", "such as customer")
    return Section(columns=columns, **_cut(rows, MOST_ROWS // 2))


def _cut(rows: Sequence[tuple[object, ...]], most: int) -> dict[str, Any]:
    return {"rows": list(rows[:most]), "left_out": max(0, len(rows) - most)}


def _by_count(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


def share(part: int, whole: int) -> str:
    """A share in percent."""
    return f"{100 * part / whole:.1f} %" if whole else ""
