"""Searches that are kept under a name, and the files that are made of them on time, once each, by any router."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal, LiteralString, get_args
from zoneinfo import ZoneInfo

from psycopg.errors import UniqueViolation
from pydantic import JsonValue, TypeAdapter

from stores.audit import record_deed
from stores.customers import is_zone
from stores.database import Connection, Pool, clean_text, jsonb, one_statement
from stores.run_files import FileWanted, Format, Written, told_of, write_file
from stores.run_search import TooWideError
from stores.wanted_runs import WantedRuns, conditions_of, wanted_of

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
    """A search with its last files, the newest first."""

    search: int
    name: str
    wanted: WantedRuns
    traits: list[str]
    format: Format
    schedule: Schedule
    saved_by: str
    next_at: datetime
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
on conflict do nothing
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
        """
        now = self.now()
        async with self.pool.connection() as connection:
            await connection.execute("delete from search_files where made_at <= %s", [now - KEPT])
            row = await (await connection.execute(_DUE, [now])).fetchone()
            if row is None:
                return False
            await _make(connection, _saved({**row, "files": []}), now)
        return True


async def _make(connection: Connection, saved: SavedSearch, now: datetime) -> None:
    content, failed, written = io.BytesIO(), "", Written()
    wanted = FileWanted(runs=saved.wanted, format=saved.format, traits=saved.traits)
    try:
        async with connection.transaction():
            written = await write_file(connection, wanted, content)
    except TooWideError as wide:
        failed = str(wide)
    row: dict[str, Any] = {
        "search": saved.search,
        "due_at": saved.next_at,
        "made_at": now,
        "rows": written.rows,
        "cut": written.cut,
        "customers": sorted(written.customers),
        "content": b"" if failed else content.getvalue(),
        "failed": failed,
    }
    await connection.execute(_MADE, row)
    await connection.execute(
        "update saved_searches set next_at = %s where search = %s",
        [saved.schedule.after(now), saved.search],
    )
    told = {**told_of(wanted, written), "failed": failed}
    await record_deed(connection, "clew", "made a file", f"search {saved.search}", told)


def _saved(row: Mapping[str, Any]) -> SavedSearch:
    return SavedSearch(
        search=row["search"],
        name=row["name"],
        wanted=wanted_of(row["conditions"]),
        traits=row["traits"],
        format=row["format"],
        schedule=Schedule(
            every=row["every"], hour=row["hour"], zone=row["zone"], weekday=row["weekday"]
        ),
        saved_by=row["saved_by"],
        next_at=row["next_at"],
        files=_FILES.validate_python(row["files"]),
    )
