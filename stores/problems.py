"""Problems: one cause, in words for staff and for customers, and what became of it.

Whom one touches is found and told by `stores.problem_reach`, in portions, by whoever routes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, LiteralString

from pydantic import JsonValue

from journey import conditions
from stores.audit import record_deed
from stores.database import Connection, Pool, clean_text, jsonb, one_statement
from stores.problem_joining import join

COLUMNS: LiteralString = """
    problem, title, words, why, properties, state, updates, audience, subject_kind, subject_id,
    journey, stage, queues, places, rule, same, settled, opened_by, opened_at, mended_by, mended_at
"""

_INSERT: LiteralString = """
insert into problems (problem, title, words, why, properties, state, audience, audience_after,
                      subject_kind, subject_id, journey, stage, queues, places, rule, same,
                      opened_by, opened_at)
values (%(problem)s, %(title)s, %(words)s, %(why)s, %(properties)s, 'open', %(audience)s,
        case when %(audience)s::text is null then null else '' end,
        %(subject_kind)s, %(subject_id)s, %(journey)s, %(stage)s, %(queues)s, %(places)s, %(rule)s,
        %(same)s, %(by)s, %(at)s)
on conflict do nothing returning problem
"""

_FIGURES: LiteralString = """
select count(*) as touched, count(told_at) as told, count("case") as cases,
       count(mended_told_at) as mended_told, count(*) filter (where told_to < %(updates)s) as to_tell
  from problem_touched where problem = %(problem)s
"""

AUDIENCE_NAMES = frozenset({"customer"})
"""What the audience of a problem may name, besides `now`."""


class ProblemExistsError(Exception):
    """There is a problem of this name already; give the new one another."""


class UnknownProblemError(LookupError):
    """There is no problem of this name."""


class ProblemStateError(Exception):
    """The problem is not in a state in which this can be done; the message says what can."""


@dataclass(slots=True, frozen=True, kw_only=True)
class NewProblem:
    """A problem to be opened. Whom it touches: those named, and whoever fits any of the rest."""

    problem: str
    title: str
    words: str
    why: str
    properties: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    customers: Sequence[str] = ()
    audience: str | None = None
    subject: tuple[str, str] | None = None
    journey: str | None = None
    stage: str | None = None
    queues: Sequence[str] = ()
    places: Sequence[str] = ()
    rule: str = ""
    same: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class Problem:
    """A problem as it stands. Times are run time."""

    problem: str
    title: str
    words: str
    why: str
    properties: dict[str, JsonValue]
    state: Literal["open", "mended"]
    updates: int
    audience: str | None
    subject_kind: str | None
    subject_id: str | None
    journey: str | None
    stage: str | None
    queues: list[str]
    places: list[str]
    rule: str
    same: str
    settled: bool
    opened_by: str
    opened_at: datetime
    mended_by: str | None
    mended_at: datetime | None


class ProblemStore:
    """Opens, updates and mends problems. `ring` wakes the routers; `now` is run time."""

    def __init__(
        self,
        pool: Pool,
        ring: Callable[[], None] | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._pool = pool
        self._ring = ring or (lambda: None)
        self._now = now or (lambda: datetime.now(UTC))

    async def open(self, new: NewProblem, *, by: str) -> Problem:
        """Open a problem. Raises: `ProblemExistsError`, `journey.conditions.ConditionError`."""
        if new.audience is not None:
            conditions.compiled(new.audience, AUDIENCE_NAMES)
        async with self._pool.connection() as connection:
            if not await open_problem(connection, new, by=by, at=self._now()):
                raise ProblemExistsError(
                    f"there is a problem {new.problem!r} already: give this one another name,"
                    " or update that one"
                )
            opened = await read_problem(connection, new.problem)
        self._ring()
        return opened

    async def update(
        self,
        problem: str,
        words: str,
        *,
        by: str,
        properties: Mapping[str, JsonValue] | None = None,
    ) -> Problem:
        """There is something new to tell everybody. Raises: `UnknownProblemError`, `ProblemStateError`."""
        return await self._news(problem, "updated", words, by=by, properties=properties)

    async def mend(self, problem: str, words: str | None = None, *, by: str) -> Problem:
        """It works again: everybody it touched is told, once. Raises: `UnknownProblemError`, `ProblemStateError`."""
        return await self._news(problem, "mended", words, by=by)

    async def reopen(self, problem: str, words: str, *, by: str) -> Problem:
        """It was not mended after all. Raises: `UnknownProblemError`, `ProblemStateError`."""
        return await self._news(problem, "reopened", words, by=by)

    async def link(
        self, problem: str, customer: str, *, by: str, case: str | None = None
    ) -> Problem:
        """The problem touches this customer, too; or this case of theirs is about it.

        Raises: `UnknownProblemError`, `ProblemStateError`.
        """
        async with self._pool.connection() as connection:
            held = await _that_may_touch_more(connection, problem, lock=True)
            row = {"customer": customer, "how": "case" if case else "listed", "case": case}
            await join(connection, problem, [row], self._now())
            await record_deed(connection, by, "linked", f"problem {problem}", dict(row))
        self._ring()
        return held

    async def may_touch_more(self, problem: str) -> None:
        """Raises: `UnknownProblemError`, `ProblemStateError` where nobody can be linked to it."""
        async with self._pool.connection() as connection:
            await _that_may_touch_more(connection, problem)

    async def named(self, problem: str) -> Problem | None:
        """A problem, or None."""
        async with self._pool.connection() as connection:
            try:
                return await read_problem(connection, problem)
            except UnknownProblemError:
                return None

    async def problems(self, *, state: str | None = "open", most: int = 500) -> list[Problem]:
        """The newest first. `state` None is all."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                f"select {COLUMNS} from problems where %(state)s::text is null or state = %(state)s"
                " order by opened_at desc, problem limit %(most)s",
                {"state": state, "most": most},
            )
            return [Problem(**row) for row in await cursor.fetchall()]

    async def figures(self, problem: Problem) -> dict[str, int]:
        """How many it touches, were told, have a case about it, and wait to be told."""
        async with one_statement(self._pool) as connection:
            values = {"problem": problem.problem, "updates": problem.updates}
            row = await (await connection.execute(_FIGURES, values)).fetchone()
        return dict(row or {})

    async def news(self, problem: str) -> list[dict[str, Any]]:
        """All that was told of a problem, the oldest first."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select n, news, words, by, at from problem_news where problem = %s order by n",
                [problem],
            )
            return await cursor.fetchall()

    async def _news(
        self,
        problem: str,
        news: Literal["updated", "mended", "reopened"],
        words: str | None,
        *,
        by: str,
        properties: Mapping[str, JsonValue] | None = None,
    ) -> Problem:
        async with self._pool.connection() as connection:
            held = await read_problem(connection, problem, lock=True)
            _check(held, news)
            said, now = clean_text(words or held.words), self._now()
            mended = news == "mended"
            await connection.execute(
                """
                update problems set words = %s, properties = properties || %s,
                       updates = updates + 1, settled = false, state = %s, mended_by = %s,
                       mended_at = %s
                 where problem = %s
                """,
                [
                    *(said, jsonb(dict(properties or {})), "mended" if mended else "open"),
                    *(by if mended else None, now if mended else None, problem),
                ],
            )
            await _keep_news(connection, problem, held.updates + 1, news, said, by, now)
            await record_deed(connection, by, news, f"problem {problem}", {"words": said})
            after = await read_problem(connection, problem)
        self._ring()
        return after


async def open_problem(connection: Connection, new: NewProblem, *, by: str, at: datetime) -> bool:
    """As `ProblemStore.open`, in the caller's transaction; False where there is one already."""
    kind, named = new.subject or (None, None)
    cursor = await connection.execute(
        _INSERT,
        {
            "problem": new.problem,
            "title": clean_text(new.title),
            "words": clean_text(new.words),
            "why": clean_text(new.why),
            "properties": jsonb(dict(new.properties)),
            "audience": new.audience,
            "subject_kind": kind,
            "subject_id": named,
            "journey": new.journey,
            "stage": new.stage,
            "queues": list(new.queues),
            "places": list(new.places),
            "rule": new.rule,
            "same": clean_text(new.same),
            "by": by,
            "at": at,
        },
    )
    if await cursor.fetchone() is None:
        return False
    how = "rule" if new.rule else "listed"
    rows = [{"customer": customer, "how": how} for customer in dict.fromkeys(new.customers)]
    await join(connection, new.problem, rows, at)
    await _keep_news(connection, new.problem, 0, "opened", new.words, by, at)
    detail = {"title": new.title, "why": new.why, "audience": new.audience, "listed": len(rows)}
    await record_deed(connection, by, "opened", f"problem {new.problem}", dict(detail))
    return True


async def read_problem(connection: Connection, problem: str, *, lock: bool = False) -> Problem:
    """A problem; with `lock`, nobody else changes it meanwhile. Raises: `UnknownProblemError`."""
    cursor = await connection.execute(
        f"select {COLUMNS} from problems where problem = %s{' for no key update' if lock else ''}",
        [clean_text(problem)],
    )
    row = await cursor.fetchone()
    if row is None:
        raise UnknownProblemError(f"there is no problem {problem[:200]!r}")
    return Problem(**row)


def _check(held: Problem, news: str) -> None:
    if news == "reopened" and held.state == "open":
        raise ProblemStateError(f"{held.problem} is open: update it")
    if news != "reopened" and held.state == "mended":
        raise ProblemStateError(f"{held.problem} is mended: reopen it first")


async def _keep_news(
    connection: Connection, problem: str, n: int, news: str, words: str, by: str, at: datetime
) -> None:
    await connection.execute(
        "insert into problem_news (problem, n, news, words, by, at) values (%s, %s, %s, %s, %s, %s)",
        [problem, n, news, clean_text(words), by, at],
    )


async def _that_may_touch_more(
    connection: Connection, problem: str, *, lock: bool = False
) -> Problem:
    held = await read_problem(connection, problem, lock=lock)
    if held.state != "open":
        raise ProblemStateError(f"{problem} is mended: reopen it to add whom it touches")
    return held
