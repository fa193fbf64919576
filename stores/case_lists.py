"""Lists of cases, a page at a time: what is to be answered soonest first, and who looks on goes on from there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from stores.case_rows import COLUMNS, DUE, RUNS_OUT, Case, case_of
from stores.database import Pool, one_statement

# While the customer is to answer nothing is late.
_OVERDUE: LiteralString = f"under_way and state <> 'pending' and {RUNS_OUT} < %(now)s"

_CONDITIONS: dict[str, LiteralString] = {
    "states": "state = any(%(states)s)",
    "queue": "queue = %(queue)s",
    "assignee": "claimed_by = %(assignee)s",
    "customer": "customer = canonical(%(customer)s)",
    "place": "place = %(place)s",
    "queues": "queue = any(%(queues)s)",
}

_AFTER_DUE: LiteralString = f"""
({DUE} > %(due)s or {DUE} is null
 or {DUE} = %(due)s and (opened_wall, "case") > (%(opened_wall)s, %(case)s))
"""
_AFTER_NEVER: LiteralString = f"""
({DUE} is null and (opened_wall, "case") > (%(opened_wall)s, %(case)s))
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class CaseFilter:
    """Which cases are meant; what is None does not matter. `overdue`: only those late at this moment."""

    states: tuple[str, ...] | None = None
    queue: str | None = None
    queues: tuple[str, ...] | None = None
    assignee: str | None = None
    customer: str | None = None
    place: str | None = None
    overdue: datetime | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class CasePlace:
    """Where in a list a page ended."""

    due: datetime | None
    opened_wall: datetime
    case: str


@dataclass(slots=True, frozen=True, kw_only=True)
class CasePage:
    """A page of cases; `after`: where the next begins, None where there is none."""

    cases: list[Case]
    after: CasePlace | None


class CaseListStore:
    """Finds cases."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, wanted: CaseFilter, after: CasePlace | None, most: int) -> CasePage:
        """A page of what is wanted: those due soonest first, then the oldest."""
        values = _values(wanted)
        conditions: list[LiteralString] = [
            sql for name, sql in _CONDITIONS.items() if values[name] is not None
        ]
        if wanted.overdue is not None:
            conditions.append(_OVERDUE)
        if after is not None:
            conditions.append(_AFTER_DUE if after.due is not None else _AFTER_NEVER)
            values |= {"due": after.due, "opened_wall": after.opened_wall, "case": after.case}
        chosen = " and ".join(["true", *conditions])
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                f"select {COLUMNS} from cases where {chosen}"
                f' order by {DUE} nulls last, opened_wall, "case" limit %(most)s',
                {**values, "most": most + 1},
            )
            found = [case_of(row) for row in await cursor.fetchall()]
        shown = found[:most]
        return CasePage(cases=shown, after=_place(shown[-1]) if len(found) > most else None)


def _values(wanted: CaseFilter) -> dict[str, Any]:
    return {
        "states": list(wanted.states) if wanted.states is not None else None,
        "queue": wanted.queue,
        "queues": list(wanted.queues) if wanted.queues is not None else None,
        "assignee": wanted.assignee,
        "customer": wanted.customer,
        "place": wanted.place,
        "now": wanted.overdue,
    }


def _place(case: Case) -> CasePlace:
    times = (case.first_answer_by, case.next_answer_by, case.resolve_by)
    due = min((each for each in times if each is not None), default=None)
    return CasePlace(due=due, opened_wall=case.opened_wall, case=case.case)
