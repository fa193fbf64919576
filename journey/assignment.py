"""Who gets a case: whoever can, is there, and has room for it; among them by the queue's way. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from journey.queues import Assignment


@dataclass(slots=True, frozen=True, kw_only=True)
class Candidate:
    """A member of staff of a queue, at work now.

    `load`: how many cases they have; `room`: how many they can have. `turned_at`: when they were given one of
    this queue last. `knew_at`: when they dealt with this customer last.
    """

    member: str
    skills: frozenset[str]
    languages: frozenset[str]
    load: int
    room: int
    turned_at: datetime | None = None
    knew_at: datetime | None = None


def chosen(
    how: Assignment,
    candidates: Sequence[Candidate],
    *,
    skills: frozenset[str],
    language: str | None,
    passed_over: frozenset[str] = frozenset(),
) -> str | None:
    """Who gets it; None where nobody can. `passed_over`: who had it and was silent or away.

    Whoever lacks a skill never gets it. Who speaks the customer's language comes before who does not;
    after that the queue's way decides, then who has least to do, then who was given one longest ago.
    """
    able = [
        each
        for each in candidates
        if each.load < each.room and skills <= each.skills and each.member not in passed_over
    ]
    if not able or how == "pulled":
        return None
    return min(able, key=lambda each: _order(how, each, skills, language)).member


def _order(
    how: Assignment, each: Candidate, skills: frozenset[str], language: str | None
) -> tuple[object, ...]:
    speaks = language is None or language in each.languages
    turn = each.turned_at.timestamp() if each.turned_at is not None else float("-inf")
    knew = -each.knew_at.timestamp() if each.knew_at is not None else float("inf")
    share = each.load / each.room
    ways: dict[str, tuple[object, ...]] = {
        "round-robin": (turn,),
        "least-loaded": (share,),
        # Whoever can only this comes first: who can more is kept for what only they can do.
        "skill-first": (len(each.skills - skills),),
        "knew-last": (knew,),
    }
    return (not speaks, *ways[how], share, turn, each.member)
