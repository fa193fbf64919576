"""Searches that are kept under a name, and the files that are made of them on time, once each, by any router."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal, LiteralString, get_args
from zoneinfo import ZoneInfo

import structlog
from psycopg.errors import UniqueViolation
from pydantic import JsonValue, TypeAdapter, ValidationError

from stores.audit import record_deed
from stores.customers import is_zone
from stores.database import Connection, Pool, clean_text, jsonb, one_statement
from stores.failed_searches import UnreadableSearchError, pause_after, why_not
from stores.run_files import FileWanted, Format, Written, told_of, write_file
from stores.run_search import TooWideError
from stores.wanted_runs import WantedRuns, conditions_of, wanted_of

_log = structlog.get_logger(__name__)

Every = Literal["day", "week"]
EVERY: tuple[Every, ...] = get_args(Every)

KEPT = timedelta(days=7)
"""So long a file is kept, and no longer."""

MOST_SEARCHES = 50


class SearchNotKeptError(ValueError):
    """Why a search is not kept, in words."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Schedule:
    """When files are made: at an hour of a zone, each day or on one day of the week (Monday is 0).

    An hour that the clock leaves out is the next that there is. Raises: `SearchNotKeptError`.
    """

    every: Every
    hour: int
    zone: str
    weekday: int = 0

    def __post_init__(self) -> None:
        if not is_zone(self.zone):
            raise SearchNotKeptError("Name a time zone, such as Europe/Prague.")
        if not 0 <= self.hour <= 23 or not 0 <= self.weekday <= 6:
            raise SearchNotKeptError("Choose an hour from 0 to 23, and a day of the week.")

    def after(self, at: datetime) -> datetime:
        """The first time that comes after an instant, in UTC."""
        zone = ZoneInfo(self.zone)
        day = at.astimezone(zone).date()
        while True:
            due = datetime.combine(day, time(self.hour), zone).astimezone(UTC)
            if due > at and (self.every == "day" or day.weekday() == self.weekday):
                return due
            day += timedelta(days=1)


@dataclass(slots=True, frozen=True, kw_only=True)
class KeptFile:
    """A file that was made, or why it was not. Times are wall time."""

    file: int
    made_at: datetime
    rows: int
    cut: bool
    failed: str
    bytes: int


@dataclass(slots=True, frozen=True, kw_only=True)
class SavedSearch:
    """A search with its last files, the newest first. `failures`: how often in a row the one that is due was not made.

    `wanted` and `schedule` are None where they cannot be read, as a later Clew may have written them.
    """

    search: int
    name: str
    wanted: WantedRuns | None
    traits: list[str]
    format: Format
    schedule: Schedule | None
    saved_by: str
    next_at: datetime
    due_at: datetime | None
    failures: int
    files: list[KeptFile]


@dataclass(slots=True, frozen=True, kw_only=True)
class Download:
    """A file to be given out."""

    name: str
    format: Format
    made_at: datetime
    content: bytes


_FILES = TypeAdapter(list[KeptFile])

_ALL: LiteralString = """
select s.*, coalesce(f.files, '[]') as files
  from saved_searches s
  left join lateral (
       select jsonb_agg(jsonb_build_object(
                  'file', f.file, 'made_at', f.made_at, 'rows', f.rows, 'cut', f.cut,
                  'failed', f.failed, 'bytes', length(f.content)) order by f.file desc) as files
         from search_files f where f.search = s.search and f.made_at > %(kept_since)s) f on true
 where %(search)s::bigint is null or s.search = %(search)s
 order by s.name
"""

_KEEP: LiteralString = """
insert into saved_searches (name, conditions, traits, format, every, weekday, hour, zone, saved_by, next_at)
select %(name)s, %(conditions)s, %(traits)s, %(format)s, %(every)s, %(weekday)s, %(hour)s, %(zone)s, %(by)s, %(next_at)s
 where (select count(*) from saved_searches) < %(most)s
returning search
"""

_DUE: LiteralString = """
select * from saved_searches where next_at <= %s order by next_at limit 1 for update skip locked
"""

_MADE: LiteralString = """
insert into search_files (search, due_at, made_at, rows, cut, customers, content, failed)
values (%(search)s, %(due_at)s, %(made_at)s, %(rows)s, %(cut)s, %(customers)s, %(content)s, %(failed)s)
on conflict (search, due_at) do update
   set made_at = excluded.made_at, rows = excluded.rows, cut = excluded.cut, customers = excluded.customers,
       content = excluded.content, failed = excluded.failed
 where search_files.failed <> ''
"""

# Whoever else tried it meanwhile has said when it is tried next.
_FAILED: LiteralString = """
update saved_searches set next_at = %(next_at)s, due_at = %(due_at)s, failures = %(failures)s
 where search = %(search)s and next_at = %(seen)s
returning search
"""

_GIVEN: LiteralString = """
select s.search, s.name, s.format, f.made_at, f.rows, f.content
  from search_files f join saved_searches s using (search)
 where f.file = %(file)s and f.failed = '' and f.made_at > %(kept_since)s
"""


@dataclass(slots=True, frozen=True)
class SavedSearchStore:
    """Keeps searches, makes their files and gives them out. `now`: wall time. Each deed is in the audit."""

    pool: Pool
    now: Callable[[], datetime]

    async def all(self, search: int | None = None) -> list[SavedSearch]:
        """By name; or one."""
        asked = {"search": search, "kept_since": self.now() - KEPT}
        async with one_statement(self.pool) as connection:
            rows = await (await connection.execute(_ALL, asked)).fetchall()
        return [_saved(row) for row in rows]

    async def keep(self, name: str, wanted: FileWanted, schedule: Schedule, *, by: str) -> int:
        """Keep a search. Raises: `SearchNotKeptError` for an identity, a name that there is, or too many."""
        if wanted.runs.identity:
            raise SearchNotKeptError("A search that is kept asks for no identity: leave it empty.")
        name = clean_text(name)
        row: dict[str, Any] = {
            "name": name,
            "conditions": jsonb(conditions_of(wanted.runs)),
            "traits": [clean_text(each) for each in wanted.traits],
            "format": wanted.format,
            "every": schedule.every,
            "weekday": schedule.weekday,
            "hour": schedule.hour,
            "zone": schedule.zone,
            "by": by,
            "next_at": schedule.after(self.now()),
            "most": MOST_SEARCHES,
        }
        try:
            async with self.pool.connection() as connection:
                kept = await (await connection.execute(_KEEP, row)).fetchone()
                if kept is None:
                    raise SearchNotKeptError(f"{MOST_SEARCHES} are kept: end one first.")
                told: dict[str, JsonValue] = {"every": schedule.every, "format": wanted.format}
                await record_deed(connection, by, "kept a search", f"search {kept['search']}", told)
                return kept["search"]
        except UniqueViolation:
            raise SearchNotKeptError("There is a search of this name: give it another.") from None

    async def end(self, search: int, *, by: str) -> bool:
        """Keep it no more, nor its files; False where there is none."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "delete from saved_searches where search = %s", [search]
            )
            if not cursor.rowcount:
                return False
            await record_deed(connection, by, "ended a search", f"search {search}")
            return True

    async def give(self, file: int, *, by: str) -> Download | None:
        """The content of a file; None where it is not kept, or no more."""
        async with self.pool.connection() as connection:
            asked = {"file": file, "kept_since": self.now() - KEPT}
            row = await (await connection.execute(_GIVEN, asked)).fetchone()
            if row is None:
                return None
            told: dict[str, JsonValue] = {"file": file, "rows": row["rows"]}
            await record_deed(connection, by, "downloaded a file", f"search {row['search']}", told)
        return Download(
            name=row["name"], format=row["format"], made_at=row["made_at"], content=row["content"]
        )

    async def round(self) -> bool:
        """Let go what was kept long enough, and make the file that is due; whether another may be.

        One router makes it: it holds the row until the file is there, and whoever comes meanwhile leaves it.
        One that fails says why, and is tried again after a pause: no other waits for it.
        """
        now, due = self.now(), None
        try:
            async with self.pool.connection() as connection:
                gone = [now - KEPT]
                await connection.execute("delete from search_files where made_at <= %s", gone)
                row = await (await connection.execute(_DUE, [now])).fetchone()
                if row is None:
                    return False
                due = _saved({**row, "files": []})
                await _make(connection, due, now)
        except Exception as error:  # whatever it is, it is this one's, and the next may be made
            if due is None:
                raise
            await self._failed(due, error, now)
        return True

    async def _failed(self, due: SavedSearch, error: Exception, now: datetime) -> None:
        """Write down why there is no file, and when it is tried again: at the latest when the next one is due."""
        again = now + pause_after(due.failures + 1)
        following = due.schedule.after(now) if due.schedule else None
        passed = following is not None and following <= again
        row: dict[str, Any] = {
            "search": due.search,
            "seen": due.next_at,
            "next_at": following if passed else again,
            "due_at": None if passed else due.due_at or due.next_at,
            "failures": 0 if passed else due.failures + 1,
        }
        code = getattr(error, "sqlstate", None)  # and no more of it: it may quote a customer
        ours = code is None and not isinstance(error, (TooWideError, UnreadableSearchError))
        _log.warning(
            "file_not_made", search=due.search, error=type(error).__name__, sqlstate=code, exc_info=ours
        )  # fmt: skip
        async with self.pool.connection() as connection:
            if await (await connection.execute(_FAILED, row)).fetchone() is not None:
                await _write(connection, due, now, failed=why_not(error))


async def _make(connection: Connection, due: SavedSearch, now: datetime) -> None:
    if due.wanted is None or due.schedule is None:
        raise UnreadableSearchError(UnreadableSearchError.__doc__)
    content = io.BytesIO()
    wanted = FileWanted(runs=due.wanted, format=due.format, traits=due.traits)
    written = await write_file(connection, wanted, content)
    await _write(connection, due, now, written, content.getvalue(), told=told_of(wanted, written))
    await connection.execute(
        "update saved_searches set next_at = %s, due_at = null, failures = 0 where search = %s",
        [due.schedule.after(now), due.search],
    )


async def _write(
    connection: Connection,
    due: SavedSearch,
    now: datetime,
    written: Written | None = None,
    content: bytes = b"",
    *,
    told: Mapping[str, JsonValue] | None = None,
    failed: str = "",
) -> None:
    """The file that was due, or why there is none; one that failed before stands there no more."""
    written = written or Written()
    row: dict[str, Any] = {
        "search": due.search,
        "due_at": due.due_at or due.next_at,
        "made_at": now,
        "rows": written.rows,
        "cut": written.cut,
        "customers": sorted(written.customers),
        "content": content,
        "failed": failed,
    }
    await connection.execute(_MADE, row)
    detail: dict[str, JsonValue] = {**(told or {}), "failed": failed}
    await record_deed(connection, "clew", "made a file", f"search {due.search}", detail)


def _saved(row: Mapping[str, Any]) -> SavedSearch:
    return SavedSearch(
        search=row["search"],
        name=row["name"],
        wanted=_wanted(row),
        traits=row["traits"],
        format=row["format"],
        schedule=_schedule(row),
        saved_by=row["saved_by"],
        next_at=row["next_at"],
        due_at=row["due_at"],
        failures=row["failures"],
        files=_FILES.validate_python(row["files"]),
    )


def _wanted(row: Mapping[str, Any]) -> WantedRuns | None:
    try:
        return wanted_of(row["conditions"])
    except ValidationError:
        return None


def _schedule(row: Mapping[str, Any]) -> Schedule | None:
    try:
        return Schedule(
            every=row["every"], hour=row["hour"], zone=row["zone"], weekday=row["weekday"]
        )
    except SearchNotKeptError:
        return None
