"""The figures of a backtest as one JSON object."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from insight.backtest_figures import Figures
from journey.program import Program


def as_plain(
    program: Program, figures: Figures, begins: datetime, ends: datetime
) -> dict[str, Any]:
    """All figures as one JSON object."""
    return {
        "journey": program.journey,
        "version": program.version,
        "begins": begins.isoformat(),
        "ends": ends.isoformat(),
        "touchpoints": figures.touchpoints,
        "customers": figures.customers,
        "entered_customers": figures.entered,
        "runs": figures.runs,
        "held_out": figures.held_out,
        "fates": dict(sorted(figures.happenings.items())),
        "entries_by_day": _by_day(figures.entry_days.items()),
        "outcomes": [
            {"outcome": outcome, "goal": goal, "held_out": held, "runs": count}
            for (outcome, goal, held), count in sorted(figures.outcomes.items())
        ],
        "stages": dict(sorted(figures.stages.items())),
        "standing": dict(sorted(figures.standing.items())),
        "ways": [
            {"at": address, "way": way, "runs": count}
            for (address, way), count in sorted(figures.ways.items())
        ],
        "deliveries": [
            {"message": message, "state": state, "reason": reason, "deliveries": count}
            for (message, state, reason), count in sorted(figures.deliveries.items())
        ],
        "sent_by_channel": [
            {"message": message, "channel": channel, "times": count}
            for (message, channel), count in sorted(figures.sent_by.items())
        ],
        "sent_by_day": _named_days(figures.sent_days, "message"),
        "cases_by_day": _named_days(figures.case_days, "queue"),
        "cases": [
            {"queue": queue, "decided": how, "cases": count}
            for (queue, how), count in sorted(figures.cases.items())
        ],
        "promises": [
            {"promise": name, "state": state, "promises": count}
            for (name, state), count in sorted(figures.promises.items())
        ],
        "offers": [
            {"offer": offer, "state": state, "offers": count}
            for (offer, state), count in sorted(figures.offers.items())
        ],
        "journeys_begun": dict(sorted(figures.started.items())),
        "why_not": [
            {"what": what, "why": why, "times": count, "customer": figures.example[what, why]}
            for (what, why), count in sorted(
                figures.why_not.items(), key=lambda each: (-each[1], each[0])
            )
        ],
    }


def _by_day(days: Iterable[tuple[date, int]]) -> dict[str, int]:
    return {day.isoformat(): count for day, count in sorted(days)}


def _named_days(days: Counter[tuple[date, str]], what: str) -> list[dict[str, Any]]:
    return [
        {"day": day.isoformat(), what: name, "times": count}
        for (day, name), count in sorted(days.items())
    ]
