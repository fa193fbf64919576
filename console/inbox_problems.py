"""One cause behind many calls: its page shows whom it touches and their cases, and one answer for all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol
from urllib.parse import quote

from pydantic import JsonValue
from starlette.responses import Response

from console.inbox_door import AT, InboxDoor, RefusedPageError, Visit, to
from console.inbox_words import SHORT_STATES, clock_words, title_of
from journey.decision_line import field_value
from journey.decisions import WrongFieldError
from stores.case_rows import Case
from stores.problem_answers import AnsweredCases
from stores.problems import Problem, ProblemStateError, UnknownProblemError

MOST_SHOWN = 100
DONE = {
    "update": "Everybody it touches is told.",
    "mend": "It is mended.",
    "reopen": "It is open again.",
}


class Problems(Protocol):
    """Where problems are kept."""

    async def problems(self, *, state: str | None = "open", most: int = 500) -> list[Problem]: ...
    async def named(self, problem: str) -> Problem | None: ...
    async def figures(self, problem: Problem) -> dict[str, int]: ...
    async def news(self, problem: str) -> list[dict[str, Any]]: ...
    async def update(self, problem: str, words: str, *, by: str) -> Problem: ...
    async def mend(self, problem: str, words: str | None = None, *, by: str) -> Problem: ...
    async def reopen(self, problem: str, words: str, *, by: str) -> Problem: ...


class Answers(Protocol):
    """What answers all cases of a problem; `stores.problem_answers` says what it guarantees."""

    async def cases(self, problem: str) -> list[Case]: ...
    async def answer(
        self, problem: str, decisions: Sequence[str], fields: Mapping[str, JsonValue], *, by: str, note: str = ""
    ) -> AnsweredCases: ...  # fmt: skip


@dataclass(slots=True, frozen=True, kw_only=True)
class ProblemsPage:
    """All problems, and one. `now` is wall time."""

    door: InboxDoor
    problems: Problems
    answers: Answers
    now: Callable[[], datetime]

    async def several(self, visit: Visit) -> Response:
        """The open ones, or `?state=mended`; the newest first."""
        state = "mended" if visit.request.query_params.get("state") == "mended" else "open"
        found = await self.problems.problems(state=state, most=MOST_SHOWN)
        rows = [(each, await self.problems.figures(each)) for each in found]
        values = {"visit": visit, "rows": rows, "state": state, "when": self._when(visit)}
        return self.door.page("problems.html", values)

    async def one(self, visit: Visit) -> Response:
        """One problem."""
        return await self._page(visit, await self._asked(visit))

    async def do(self, visit: Visit) -> Response:
        """News of it, or one answer for all its cases; a lead does these. Raises: `RefusedPageError`."""
        problem, act = await self._asked(visit), visit.request.path_params["act"]
        if not visit.leads:
            raise RefusedPageError(403, "A lead answers for a problem.")
        by, words = visit.member.member, visit.form.text("words", 2_000)
        try:
            match act:
                case "update":
                    await self.problems.update(problem.problem, _said(words), by=by)
                case "mend":
                    await self.problems.mend(problem.problem, words or None, by=by)
                case "reopen":
                    await self.problems.reopen(problem.problem, _said(words), by=by)
                case "answer":
                    answered = await self._answer(visit, problem)
                    return await self._page(visit, problem, answered=answered)
                case _:
                    raise RefusedPageError(404, "There is nothing of this kind to do.")
        except (ProblemStateError, UnknownProblemError, WrongFieldError, ValueError) as error:
            said = str(error)
            return await self._page(visit, problem, wrong=said[:1].upper() + said[1:])
        return to(f"{AT}/problems/{quote(problem.problem)}?did={act}")

    async def _answer(self, visit: Visit, problem: Problem) -> AnsweredCases:
        decision = visit.form.line("decision")
        offered = _offered(await self.answers.cases(problem.problem))
        if decision not in offered:
            raise ValueError("Choose a decision that a case of it offers.")
        told = visit.form.beginning(f"f.{decision}.")
        fields = {
            name: field_value(name, kind, told[name])
            for name, kind in offered[decision]["fields"].items()
            if told.get(name)
        }
        note = visit.form.text("note", 2_000)
        return await self.answers.answer(
            problem.problem, [decision], fields, by=visit.member.member, note=note
        )

    async def _asked(self, visit: Visit) -> Problem:
        found = await self.problems.named(visit.request.path_params["problem"])
        if found is None:
            raise RefusedPageError(404, "There is no such problem.")
        return found

    async def _page(
        self, visit: Visit, problem: Problem, *, wrong: str = "", answered: AnsweredCases | None = None
    ) -> Response:  # fmt: skip
        problem = await self.problems.named(problem.problem) or problem
        cases = await self.answers.cases(problem.problem)
        seen = [each for each in cases if visit.member.sees(each)]
        values = {
            "visit": visit,
            "problem": problem,
            "figures": await self.problems.figures(problem),
            "news": await self.problems.news(problem.problem),
            "under_way": len(cases),
            "hidden": len(cases) - len(seen),
            "cases": [
                (each, title_of(each.title, each.brief, each.queue), SHORT_STATES[each.state])
                for each in seen[:MOST_SHOWN]
            ],
            "offered": _offered(cases) if visit.leads else {},
            "when": self._when(visit),
            "wrong": wrong,
            "done": DONE.get(visit.request.query_params.get("did", ""), "") if not wrong else "",
            "answered": answered,
        }
        return self.door.page("problem.html", values, 409 if wrong else 200)

    def _when(self, visit: Visit) -> Callable[[datetime], str]:
        return partial(clock_words, zone=visit.member.zone, now=self.now())


def _offered(cases: Sequence[Case]) -> dict[str, dict[str, Any]]:
    """Decisions that its cases offer, what most of them offer first: title, fields, and at how many."""
    found: dict[str, dict[str, Any]] = {}
    for case in cases:
        for name, each in case.decisions.items():
            known = found.setdefault(
                name, {"title": each.title or name.replace("-", " "), "fields": {}, "cases": 0}
            )
            known["fields"] |= each.fields
            known["cases"] += 1
    return dict(sorted(found.items(), key=lambda each: (-each[1]["cases"], each[0])))


def _said(words: str) -> str:
    if not words:
        raise ValueError("Say what is new: everybody it touches reads it.")
    return words
