"""What delivery processes tell of their channels: how each is set, when it sent last, when it failed and why."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import LiteralString

from contracts.channel_report import ChannelNews, ToldChannel, ToldSetting
from stores.database import Pool, clean_text, jsonb, one_statement
from stores.engines import LIVING_SECONDS

_TELL: LiteralString = """
insert into channel_reports (channel, is_on, settings, told_by, told_at)
values (%(channel)s, %(is_on)s, %(settings)s, %(by)s, clock_timestamp())
on conflict (channel) do update set is_on = excluded.is_on, settings = excluded.settings,
       told_by = excluded.told_by, told_at = excluded.told_at
"""

# Several processes tell: the newest is kept.
_NEWS: LiteralString = """
update channel_reports set sent_at = greatest(sent_at, %(sent_at)s),
       failed_why = case when %(failed_at)s >= coalesce(failed_at, '-infinity') then %(failed_why)s else failed_why end,
       failed_at = greatest(failed_at, %(failed_at)s)
 where channel = %(channel)s
"""

_ALL: LiteralString = """
select channel, is_on, settings, told_by, told_at, sent_at, failed_at, failed_why from channel_reports
"""

_AT_WORK: LiteralString = """
select count(*) as n from processes
 where kind = 'delivery' and seen_at > clock_timestamp() - %s * interval '1 second'
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class ChannelReport:
    """A channel, as the process that began last has it; `sent_at` and `failed_at` are of all of them."""

    channel: str
    is_on: bool
    settings: tuple[ToldSetting, ...]
    told_by: str
    told_at: datetime
    sent_at: datetime | None
    failed_at: datetime | None
    failed_why: str


class ChannelReportStore:
    """Written by delivery processes, read by whoever shows it. No secret comes here."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def tell(self, process: str, channels: Sequence[ToldChannel]) -> None:
        """What a process that begins has; all of them in one transaction."""
        async with self._pool.connection() as connection, connection.transaction():
            for each in sorted(channels, key=lambda told: told.channel):
                await connection.execute(
                    _TELL,
                    {
                        "channel": each.channel,
                        "is_on": each.is_on,
                        "settings": jsonb([asdict(setting) for setting in each.settings]),
                        "by": process,
                    },
                )

    async def news(self, news: ChannelNews) -> None:
        """What became of a channel's messages since the last time."""
        values = {**asdict(news), "failed_why": clean_text(news.failed_why)}
        async with one_statement(self._pool) as connection:
            await connection.execute(_NEWS, values)

    async def reports(self) -> dict[str, ChannelReport]:
        """Every channel that was told of, by name."""
        async with one_statement(self._pool) as connection:
            rows = await (await connection.execute(_ALL)).fetchall()
        found: dict[str, ChannelReport] = {}
        for row in rows:
            settings = tuple(ToldSetting(**each) for each in row.pop("settings"))
            found[row["channel"]] = ChannelReport(settings=settings, **row)
        return found

    async def at_work(self) -> int:
        """How many delivery processes are at work now."""
        async with one_statement(self._pool) as connection:
            row = await (await connection.execute(_AT_WORK, [LIVING_SECONDS])).fetchone()
        return row["n"] if row else 0
