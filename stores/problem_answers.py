"""One answer for all cases of a problem: each is decided by what it offers, and what could not be is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString

from pydantic import JsonValue

from journey.decisions import AuthorityExceededError, WrongFieldError
from stores.audit import record_deed
from stores.case_decisions import REFUSALS
from stores.case_desk import CaseDesk
from stores.case_rows import COLUMNS, Case, case_of
from stores.database import Pool, one_statement
from stores.problems import read_problem

MOST = 5_000
"""So many cases are answered in one go; asking again answers the rest."""

# Those tied to it, and those of whoever it touches that lie in a queue of its own.
_CASES: LiteralString = f"""
select {COLUMNS} from cases
 where under_way and "case" in (
       select t."case" from problem_touched t where t.problem = %(problem)s and t."case" is not null
       union
       select c."case" from problem_touched t join cases c on c.customer = t.customer and c.under_way
        where t.problem = %(problem)s and c.queue = any(%(queues)s))
 order by opened_wall, "case" limit %(most)s
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class AnsweredCases:
    """What came of it: by which decision each case was answered, and why some were not."""

    answered: Mapping[str, str]
    not_answered: Mapping[str, str]


class ProblemAnswers:
    """Answers all cases of a problem."""

    def __init__(self, pool: Pool, desk: CaseDesk) -> None:
        self._pool = pool
        self._desk = desk

    async def answer(
        self,
        problem: str,
        decisions: Sequence[str],
        fields: Mapping[str, JsonValue],
        *,
        by: str,
        note: str = "",
    ) -> AnsweredCases:
        """Decide every case of a problem by the first of these decisions that it offers.

        A case that offers none of them, that the fields do not fit or that somebody else has is left as it is.
        Asked twice, no case is decided twice. Raises: `stores.problems.UnknownProblemError`.
        """
        cases = await self.cases(problem)
        answered: dict[str, str] = {}
        left: dict[str, str] = {}
        for case in cases:
            decision = next((each for each in decisions if each in case.decisions), None)
            if decision is None:
                left[case.short_name] = f"it offers {', '.join(case.decisions) or 'nothing'}"
                continue
            given = {
                name: fields[name] for name in case.decisions[decision].fields if name in fields
            }
            try:
                await self._desk.decide(case.case, decision, given, by=by, note=note)
            except _LEFT as error:
                left[case.short_name] = str(error)
            else:
                answered[case.short_name] = decision
        async with self._pool.connection() as connection:
            told: dict[str, JsonValue] = {
                "decisions": list(decisions), "answered": len(answered), "not_answered": len(left),
            }  # fmt: skip
            await record_deed(connection, by, "answered", f"problem {problem}", told)
        return AnsweredCases(answered=answered, not_answered=left)

    async def cases(self, problem: str) -> list[Case]:
        """Its cases that are under way, the oldest first. Raises: `stores.problems.UnknownProblemError`."""
        async with one_statement(self._pool) as connection:
            of = await read_problem(connection, problem)
            cursor = await connection.execute(
                _CASES, {"problem": problem, "queues": of.queues, "most": MOST}
            )
            return [case_of(row) for row in await cursor.fetchall()]


_LEFT = (WrongFieldError, AuthorityExceededError, *REFUSALS)
