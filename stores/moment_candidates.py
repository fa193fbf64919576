"""What may be said or offered at a place, made of what was read: shows of runs, open coupons, problems."""

import hashlib
from collections.abc import Mapping
from typing import Any

from journey.suggestions import Candidate, Counted

Row = dict[str, Any]
Values = Mapping[str, Any]

TOUCHES, TOUCHES_SOMEBODY = 90, 70
"""Priorities of a problem that touches the customer, and of one that is said to anyone."""


def show_key(show: Mapping[str, Any]) -> str:
    """What a show is counted under, over all customers: its journey and its name, or else its words."""
    named = show["name"] or hashlib.sha256(show["say"].encode()).hexdigest()[:12]
    return f"{show['journey']}/{named}"


def coupon_key(offer: str) -> str:
    """What an offer is counted under."""
    return f"offer/{offer}"


def problem_key(problem: str) -> str:
    """What a problem is counted under."""
    return f"problem/{problem}"


def coupon_suggestion(key: str) -> str:
    """The id of a coupon as a suggestion: its key ends in entry and n."""
    return f"coupon:{':'.join(key.rsplit(':', 2)[-2:])}"


def candidates_of(
    row: Row, counts: Mapping[str, Counted]
) -> tuple[list[Candidate], dict[str, Values]]:
    """What may be said or offered here, and over what each is rendered."""
    told = _Told(row, counts)
    touched = {each["problem"] for each in row["problems"]}
    candidates = [
        *(_show(show, told) for show in row["shows"]),
        *(_coupon(coupon, told) for coupon in row["coupons"]),
        *(_problem(each, each["problem"] in touched, told) for each in row["anyones"]),
    ]
    values: dict[str, Values] = {each.suggestion: {} for each in candidates}
    return candidates, values | {_show_id(show): show["values"] for show in row["shows"]}


class _Told:
    """What this customer and all others made of suggestions."""

    def __init__(self, row: Row, counts: Mapping[str, Counted]) -> None:
        self._counts = counts
        self._answers = {each["suggestion"]: each["told"] for each in row["answers"]}
        self._again = {each["key"]: each["again_at"] for each in row["answers"] if each["again_at"]}

    def of(self, suggestion: str, key: str) -> dict[str, Any]:
        """The fields of a candidate that say so."""
        return {
            "suggestion": suggestion,
            "key": key,
            "counted": self._counts.get(key, Counted()),
            "told": self._answers.get(suggestion),
            "again_at": self._again.get(key),
        }


def _show_id(show: Row) -> str:
    return f"{show['entry']}:{show['n']}"


def _show(show: Row, told: _Told) -> Candidate:
    where = f", in stage {show['stage']}" if show["stage"] else ""
    fields = ("say", "priority", "journey", "run", "until", "held_out", "name")
    return Candidate(
        **told.of(_show_id(show), show_key(show)),
        **{name: show[name] for name in fields},
        kind="show",
        because=f"journey {show['journey']} says it here{where}",
    )


def _coupon(coupon: Row, told: _Told) -> Candidate:
    worth = f" of {coupon['amount']:g}" if coupon["amount"] is not None else ""
    return Candidate(
        **told.of(coupon_suggestion(coupon["key"]), coupon_key(coupon["offer"])),
        kind="coupon",
        say=f"Their coupon {coupon['code']}{worth} ({coupon['offer']}) can be used.",
        because=f"journey {coupon['journey']} gave it on {coupon['granted_at']:%Y-%m-%d}",
        journey=coupon["journey"],
        run=coupon["key"].rsplit(":", 2)[0],
        name=coupon["offer"],
        until=coupon["expires_at"],
    )


def _problem(problem: Row, touches: bool, told: _Told) -> Candidate:
    why = "it touches the customer" if touches else "it is said to anyone here"
    name = problem["problem"]
    return Candidate(
        **told.of(f"problem:{name}", problem_key(name)),
        kind="problem",
        say=problem["words"],
        because=f"{problem['title']}: {why}",
        priority=TOUCHES if touches else TOUCHES_SOMEBODY,
        name=name,
    )
