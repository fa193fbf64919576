"""A file that cannot be made says why, is tried again later and later, and holds no other up."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import pytest
import pytest_asyncio

from stores import run_files
from stores.database import Pool, open_pool
from stores.failed_searches import FIRST_PAUSE, LONGEST_PAUSE
from stores.run_files import FileWanted
from stores.saved_searches import SavedSearchStore, Schedule
from stores.wanted_runs import WantedRuns

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
DAILY = Schedule(every="day", hour=13, zone="UTC")
WEEKLY = Schedule(every="week", hour=13, zone="UTC", weekday=6)

BREAKS: LiteralString = """
create function breaks() returns trigger language plpgsql as $$ begin
    if new.failed = '' and new.search = (select search from saved_searches where name = 'Bad') then
        {} end if;
    return new;
end $$;
create trigger breaks before insert on search_files for each row execute function breaks()
"""
NO_ROOM: LiteralString = "raise exception 'no space left on device' using errcode = 'disk_full';"
GONE: LiteralString = (
    "perform pg_terminate_backend(pg_backend_pid()), pg_sleep(5);"  # until it is gone
)
WRONG: LiteralString = "perform 'anna@shop.example'::numeric;"


@dataclass
class Files:
    """Kept searches on a database, at a time that the test says."""

    pool: Pool
    now: datetime = NOON
    store: SavedSearchStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = SavedSearchStore(self.pool, lambda: self.now)

    async def keeps(self, *names: str, schedule: Schedule = DAILY) -> None:
        for name in names:
            wanted = FileWanted(runs=WantedRuns(journey="tea"))
            await self.store.keep(name, wanted, schedule, by="edith")

    async def does(self, sql: LiteralString) -> None:
        async with self.pool.connection() as connection:
            await connection.execute(sql)

    async def rows(self, sql: LiteralString) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            return await (await connection.execute(sql)).fetchall()

    async def rounds(self) -> int:
        """As a router looks: until nothing is due."""
        made = 0
        while await self.store.round():
            made += 1
            assert made < 10, "one is due over and over"
        return made

    async def why(self, name: str) -> list[str]:
        """Of each of its files, the newest first: why there is none, or ''."""
        [found] = [each for each in await self.store.all() if each.name == name]
        return [each.failed for each in found.files]

    async def next_at(self, name: str) -> datetime:
        return next(each.next_at for each in await self.store.all() if each.name == name)


@pytest_asyncio.fixture
async def files(database: str) -> AsyncIterator[Files]:
    pool = await open_pool(database, most=4)
    yield Files(pool)
    await pool.close()


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (BREAKS.replace("{}", NO_ROOM), "no room left"),
        (BREAKS.replace("{}", GONE), "broke off"),
        (BREAKS.replace("{}", WRONG), "22P02"),
        (
            "update saved_searches set conditions = '{\"since\": \"the day before\"}' where name = 'Bad'",
            "cannot be read",
        ),
        (
            "update saved_searches set zone = 'Europe/Nowhere' where name = 'Bad'",
            "cannot be read",
        ),
    ],
    ids=["disk", "connection", "value", "conditions", "zone"],
)
async def test_one_that_fails_says_why_and_the_others_have_their_files(
    files: Files, broken: LiteralString, words: str
) -> None:
    await files.keeps("Bad")
    files.now += timedelta(seconds=1)
    await files.keeps("Good", "Well")
    await files.does(broken)

    files.now = NOON + timedelta(hours=1)
    assert await files.rounds() == 3

    assert await files.why("Good") == await files.why("Well") == [""]
    [why] = await files.why("Bad")
    assert words in why
    assert "anna@shop.example" not in why
    assert await files.next_at("Bad") == files.now + FIRST_PAUSE
    deeds = await files.rows("select object, detail from audit where did = 'made a file'")
    assert sorted(bool(each["detail"]["failed"]) for each in deeds) == [False, False, True]


async def test_one_that_takes_too_long_is_tried_again_and_holds_nobody_up(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    await files.keeps("Bad")
    files.now += timedelta(hours=1)
    with monkeypatch.context() as hurried:
        hurried.setattr(run_files, "SECONDS", 0.0)
        assert await files.rounds() == 1
    assert "takes too long" in (await files.why("Bad"))[0]
    assert await files.rounds() == 0, "not at once"

    files.now += FIRST_PAUSE
    assert await files.rounds() == 1

    assert await files.why("Bad") == [""], "the file stands where it had failed"
    assert await files.next_at("Bad") == DAILY.after(files.now)


async def test_pauses_grow_until_its_next_file_is_due(files: Files) -> None:
    await files.keeps("Bad", schedule=WEEKLY)
    await files.does(BREAKS.replace("{}", NO_ROOM))
    files.now = NOON + timedelta(hours=1)
    due, pauses = files.now, list[timedelta]()
    next_due = WEEKLY.after(due)
    while files.now < next_due:
        assert await files.rounds() == 1
        following = await files.next_at("Bad")
        pauses.append(following - files.now)
        files.now = following

    assert pauses[:4] == [FIRST_PAUSE * 2**n for n in range(4)]
    assert max(pauses) == LONGEST_PAUSE
    assert files.now == next_due, "the time of the next file is kept"
    assert len(await files.rows("select from search_files")) == 1, "one line for one file"

    await files.does("drop trigger breaks on search_files")
    assert await files.rounds() == 1
    assert (await files.why("Bad"))[0] == ""
    assert await files.next_at("Bad") == WEEKLY.after(next_due)
