"""A moment as JSON has it: in the order in which somebody on the phone needs it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from journey.feelings import Reading
from journey.suggestions import Candidate, ranked
from stores.moment import Moment
from stores.moment_candidates import problem_key

NAME_TRAITS = (
    *("first_name", "last_name", "name", "title", "company", "email", "phone"),
    *("language", "locale", "preferred_channel"),
)
"""What somebody needs to greet the customer; all else is on their page."""

MOST_NOT_NOW = 10

InWords = Callable[[str, Mapping[str, object]], str | None]

_SURE = {
    "user_id": ("sure", "they are signed in, or somebody knew their number"),
    "email": ("likely", "whoever writes from a mailbox mostly owns it"),
    "phone": ("likely", "a telephone is mostly, not always, in the hands of its owner"),
    "anonymous_id": ("unsure", "a browser or a device, in which nobody signed in"),
}
_SURE_OF_OTHERS = ("unsure", "an identity of your own kind")


def moment_told(moment: Moment, place: str, in_words: InWords, now: datetime) -> dict[str, Any]:
    """The whole answer."""
    return {
        "known": True,
        "place": place,
        "at": now,
        "who": _who(moment),
        "personas": [
            {"persona": fit.persona, "title": fit.title, "because": fit.because}
            for fit in moment.personas
        ],
        "feels": _feels(moment, now),
        "promised": [_promise(each, now) for each in moment.promises],
        "open": {
            "runs": [_run(run) for run in moment.runs],
            "cases": [_case(case) for case in moment.cases],
            "problems": [_problem(problem) for problem in moment.problems],
        },
        "last": {"we_told": moment.told, "they_told": moment.heard},
        **_suggested(moment, in_words, now),
    }


def anyones(problems: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is said to whom nobody knows."""
    return [
        {
            "id": f"problem:{problem['problem']}",
            "kind": "problem",
            "say": problem["words"],
            "reasons": [f"{problem['title']}: it is said to anyone here"],
            "key": problem_key(problem["problem"]),
        }
        for problem in problems
    ]


def _who(moment: Moment) -> dict[str, Any]:
    customer = moment.customer
    if moment.led_by is None:
        kind, since, (sure, because) = "id", customer.created_at, ("sure", "you named our own id")
    else:
        kind, since = moment.led_by
        sure, because = _SURE.get(kind, _SURE_OF_OTHERS)
    if moment.others:
        sure = "unsure"
        many = len(moment.others)
        because = (
            f"it leads to {many} other customer{'s' if many > 1 else ''} as well: ask for the name"
        )
    return {
        "customer": customer.customer,
        "led_by": {"kind": kind, "since": since},
        "sure": sure,
        "because": because,
        "also": moment.others,
        "zone": customer.zone,
        "traits": {name: customer.traits[name] for name in NAME_TRAITS if name in customer.traits},
    }


def _feels(moment: Moment, now: datetime) -> dict[str, Any]:
    counts = moment.feels(now)
    said: dict[str, Any] = {"feeling": None, "source": None}
    if counts is not None:
        said = _reading(counts, now)
    elif moment.stage_feeling is not None:
        because = "how customers mostly feel in the stage they are in"
        said = {"feeling": moment.stage_feeling, "source": "stage", "because": because}
    others = [_reading(each, now) for each in moment.readings if each != counts]
    return {**said, "besides": others}


def _reading(reading: Reading, now: datetime) -> dict[str, Any]:
    return {
        "feeling": reading.feeling,
        "source": reading.source,
        "because": reading.evidence,
        "by": reading.by or None,
        "since": reading.at,
        "until": reading.fades_at,
        "strength": round(reading.strength(now), 2),
    }


def _promise(promise: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    by = promise["by"]
    overdue = promise["state"] == "open" and by is not None and by <= now
    return {**promise, "overdue": overdue}


def _run(run: Mapping[str, Any]) -> dict[str, Any]:
    words, stage = run["words"], run["stage"]
    return {
        "run": run["workflow_id"],
        "journey": run["journey"],
        "title": words.title,
        "stage": stage,
        "stage_title": words.stages[stage][0] if stage in words.stages else stage,
        "waits_for": run["waits_for"],
        "wakes_at": run["wakes_at"],
        "since": run["entered_at"],
    }


def _case(case: Mapping[str, Any]) -> dict[str, Any]:
    named = ("case", "queue", "brief", "state", "claimed_by", "opened_at")
    told = {name: case[name] for name in (*named, "first_answer_by", "resolve_by")}
    return {**told, "name": f"{case['entry']}:{case['n']}"}


def _problem(problem: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in problem.items() if name != "places"}
    return {**told, "told": problem["told_at"] is not None}


def _suggested(moment: Moment, in_words: InWords, now: datetime) -> dict[str, Any]:
    said, kept_back = ranked(moment.candidates, moment.allowed, now)
    suggestions: list[dict[str, Any]] = []
    not_now = [_not_now(each.candidate, each.reason) for each in kept_back]
    for suggestion in said:
        candidate = suggestion.candidate
        words = candidate.say
        if candidate.kind == "show":
            rendered = in_words(candidate.say, moment.values[candidate.suggestion])
            if rendered is None:
                not_now.append(_not_now(candidate, "it cannot be put into words: see its journey"))
                continue
            words = rendered
        suggestions.append(
            {
                **_named(candidate),
                "say": words,
                "score": suggestion.score,
                "reasons": suggestion.reasons,
                "until": candidate.until,
            }
        )
    return {"suggestions": suggestions, "not_now": not_now[:MOST_NOT_NOW]}


def _not_now(candidate: Candidate, reason: str) -> dict[str, Any]:
    return {**_named(candidate), "reason": reason}


def _named(candidate: Candidate) -> dict[str, Any]:
    return {
        "id": candidate.suggestion,
        "kind": candidate.kind,
        "name": candidate.name or None,
        "journey": candidate.journey,
        "key": candidate.key,
    }
