"""The engine that new runs get, and the processes that must know it before they do."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from stores.audit import record_deed
from stores.database import Connection, Pool, one_statement

LIVING_SECONDS = 45
"""A process that has not been heard of for so long has ended; it tells of itself every ten seconds."""

NEEDED = ("journey", "delivery", "router", "api")
"""The kinds of process without which customers wait."""

_BEAT: LiteralString = """
insert into processes (process, kind, build, engines) values (%s, %s, %s, %s)
on conflict (process) do update set seen_at = clock_timestamp()
"""

_LIVING: LiteralString = """
select process, kind, build, engines, started_at, seen_at from processes
 where seen_at > clock_timestamp() - %s * interval '1 second' order by kind, process
"""

_BORN: LiteralString = """
select engine, count(*) filter (where state = 'open') as open, count(*) as born
  from runs where state <> 'not_admitted' group by engine order by engine
"""

_OPEN: LiteralString = """
select entry, workflow_id from runs
 where state = 'open' and engine = %s and entry > %s order by entry limit %s
"""


class EngineRefusedError(Exception):
    """The engine cannot be changed so; the message says why, and what would have to come first."""


@dataclass(slots=True, frozen=True, kw_only=True)
class LivingProcess:
    """A process at work. `engines`: those that its code knows, lowest first."""

    process: str
    kind: str
    build: str
    engines: list[int]
    started_at: datetime
    seen_at: datetime


@dataclass(slots=True, frozen=True, kw_only=True)
class EngineRuns:
    """How many runs were born under an engine, and how many of them are under way."""

    engine: int
    open: int
    born: int


@dataclass(slots=True, frozen=True, kw_only=True)
class EngineStanding:
    """`engine`: what new runs get."""

    engine: int
    processes: list[LivingProcess]
    runs: list[EngineRuns]


@dataclass(slots=True, frozen=True, kw_only=True)
class OldRun:
    """A run that is under way under an engine."""

    entry: int
    workflow_id: str


class EngineStore:
    """What processes tell of themselves, and the one row that says what new runs get."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def beat(self, process: str, kind: str, build: str, engines: Collection[int]) -> None:
        """A process is at work."""
        async with one_statement(self._pool) as connection:
            await connection.execute(_BEAT, [process, kind, build, sorted(engines)])

    async def gone(self, process: str) -> None:
        """A process has ended; who was silent for a day is forgotten with it."""
        async with one_statement(self._pool) as connection:
            await connection.execute(
                "delete from processes where process = %s or seen_at < now() - interval '1 day'",
                [process],
            )

    async def strange(self, known: Collection[int]) -> list[int]:
        """Engines of new runs, or of runs under way, that are not among these; lowest first."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                """
                select engine from engine where engine <> all(%(known)s)
                union
                select engine from runs where state = 'open' and engine <> all(%(known)s)
                order by engine
                """,
                {"known": sorted(known)},
            )
            return [row["engine"] for row in await cursor.fetchall()]

    async def living(self) -> list[LivingProcess]:
        """Who is at work."""
        async with one_statement(self._pool) as connection:
            return await _living(connection)

    async def standing(self) -> EngineStanding:
        """What new runs get, who is at work, and which runs there are. Reads all runs."""
        async with self._pool.connection() as connection:
            return await _standing(connection)

    async def raise_to(self, engine: int, *, by: str) -> None:
        """New runs get this engine from now on.

        Raises: `EngineRefusedError` where a living process does not know it, or it is not higher.
        """
        async with self._pool.connection() as connection:
            # Whoever begins now waits here, and then sees what new runs get.
            await connection.execute("lock table processes in share mode")
            was = await _locked(connection)
            if engine <= was:
                raise EngineRefusedError(f"New runs get engine {was} already.")
            await _all_know(connection, engine)
            await _set(connection, was, engine, by)

    async def lower_to(self, engine: int, *, by: str) -> None:
        """New runs get an earlier engine again.

        Raises: `EngineRefusedError` where a run was born under a later one, or a process does not know it.
        """
        async with self._pool.connection() as connection:
            # Admissions under way are waited for, and the next ones wait: none slips in between.
            await connection.execute("lock table processes, runs in share mode")
            was = await _locked(connection)
            if engine >= was:
                raise EngineRefusedError(f"New runs get engine {was}, which is not higher.")
            cursor = await connection.execute(_BORN)
            later = [EngineRuns(**row) for row in await cursor.fetchall() if row["engine"] > engine]
            if later:
                raise EngineRefusedError(_born_already(later))
            await _all_know(connection, engine)
            await _set(connection, was, engine, by)

    async def open_runs(self, engine: int, *, after: int = 0, most: int = 200) -> list[OldRun]:
        """Runs under way under an engine, the oldest first, from an entry on."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(_OPEN, [engine, after, most])
            return [OldRun(**row) for row in await cursor.fetchall()]

    async def continued(self, entry: int, engine: int) -> None:
        """A run goes on under another engine."""
        async with one_statement(self._pool) as connection:
            await connection.execute(
                "update runs set engine = %s where entry = %s", [engine, entry]
            )


def those_who_do_not_know(engine: int, processes: Collection[LivingProcess]) -> list[LivingProcess]:
    """The processes whose code does not know an engine."""
    return [each for each in processes if engine not in each.engines]


async def _standing(connection: Connection) -> EngineStanding:
    engine = await (await connection.execute("select engine from engine")).fetchone()
    living = await _living(connection)
    runs = await (await connection.execute(_BORN)).fetchall()
    assert engine is not None
    return EngineStanding(
        engine=engine["engine"],
        processes=living,
        runs=[EngineRuns(**row) for row in runs],
    )


async def _living(connection: Connection) -> list[LivingProcess]:
    cursor = await connection.execute(_LIVING, [LIVING_SECONDS])
    return [LivingProcess(**row) for row in await cursor.fetchall()]


async def _locked(connection: Connection) -> int:
    cursor = await connection.execute("select engine from engine for update")
    row: dict[str, Any] | None = await cursor.fetchone()
    assert row is not None
    return int(row["engine"])


async def _all_know(connection: Connection, engine: int) -> None:
    living = await _living(connection)
    if not any(each.kind == "journey" for each in living):
        raise EngineRefusedError(
            "No journey worker is at work, so nobody can say that it knows the engine: start them first."
        )
    strangers = those_who_do_not_know(engine, living)
    if strangers:
        told = "; ".join(
            f"{each.kind} {each.process} (build {each.build}, knows {_listed(each.engines)})"
            for each in strangers
        )
        raise EngineRefusedError(
            f"Not every process at work knows engine {engine}: {told}. "
            f"Replace them; who has ended without a word counts for {LIVING_SECONDS} seconds more."
        )


async def _set(connection: Connection, was: int, engine: int, by: str) -> None:
    await connection.execute("update engine set engine = %s", [engine])
    await record_deed(connection, by, "engine", f"engine {engine}", {"was": was})


def _born_already(later: Collection[EngineRuns]) -> str:
    born = "; ".join(
        f"{each.born} under engine {each.engine}, {each.open} of them under way" for each in later
    )
    return (
        f"There are runs that were born under a later engine ({born}): a build that does not know it "
        "could not carry them, nor tell about those that have ended. There is no way back; mend what "
        "is wrong in a new build that knows it, and roll that out."
    )


def _listed(engines: Collection[int]) -> str:
    return ", ".join(str(each) for each in sorted(engines))
