"""Tests of channels: an admin asks, a delivery process sends, once; the address is kept until then and no longer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from contracts.channel_report import HeldTest, TestEnd, TestState
from stores.audit import record_deed
from stores.database import Connection, Pool, clean_text, one_statement
from stores.erased_hashes import ErasedHashes
from stores.journey_figures import CHANNEL

MOST = 6
WITHIN = timedelta(minutes=10)
"""So many tests are asked for in so long, by all admins together; one that nobody took for as long goes no more."""

KEPT = timedelta(days=30)
HELD_SECONDS = 60

_TO_DO: LiteralString = """
select exists (select from channel_tests where state in ('waits', 'leaving')) as there
"""

# What a process that died had under way may have left: it goes not again, and is told as unknown.
_OVER: LiteralString = """
update channel_tests set address = null, settled_at = clock_timestamp(),
       state = case state when 'leaving' then 'unknown' else 'refused' end,
       words = case state when 'leaving' then 'whoever sent it died over it'
                    else 'no delivery process took it in time' end
 where state = 'leaving' and held_to < clock_timestamp()
    or state = 'waits' and asked_at < clock_timestamp() - %(within)s
"""

_HOLD: LiteralString = """
update channel_tests set state = 'leaving', held_to = clock_timestamp() + %(held)s * interval '1 second'
 where test = (select test from channel_tests where state = 'waits' and channel = any(%(channels)s)
                order by test limit 1 for update skip locked)
returning test, form, channel, address
"""

_BARRED: LiteralString = """
select case when exists (select from erased_addresses where digest = %(digest)s)
            then 'this address was an erased customer''s: nothing is sent to it again'
            when exists (select from suppressed_addresses where channel = %(channel)s
                            and address = lower(trim(%(address)s)) and not marketing_only)
            then 'this address is suppressed: its provider said that it takes nothing, or its owner did'
            else '' end as barred
"""

_LATEST: LiteralString = """
select t.test, t.channel, case when late then 'refused' else t.state end as state,
       case when late then 'no delivery process took it in time' else t.words end as words,
       t.asked_by, t.asked_at, t.settled_at
  from channel_tests t, lateral (select t.state = 'waits' and t.asked_at < clock_timestamp() - %s as late) l
 order by t.test desc limit %s
"""


class TooManyTestsError(Exception):
    """So many were asked for that the next has to wait; `until` is when it may be."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"not before {until.isoformat()}")
        self.until = until


@dataclass(slots=True, frozen=True, kw_only=True)
class ChannelTest:
    """A test as it can be shown: never where it went."""

    test: int
    channel: str
    state: TestState
    words: str
    asked_by: str
    asked_at: datetime
    settled_at: datetime | None


class ChannelTestStore:
    """A test that may have left is never sent again. `hashes`: to know addresses of erased customers."""

    def __init__(self, pool: Pool, hashes: ErasedHashes | None = None) -> None:
        self._pool = pool
        self._hashes = hashes

    async def ask(self, channel: str, address: str, *, form: str, by: str) -> bool:
        """Ask for one, on record without its address; False where this form asked before.

        Raises: `TooManyTestsError`.
        """
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(hashtext('channel tests'))")
            await connection.execute(
                "delete from channel_tests where asked_at < clock_timestamp() - %s", [KEPT]
            )
            await connection.execute(_OVER, {"within": WITHIN})
            known = await connection.execute("select from channel_tests where form = %s", [form])
            if await known.fetchone() is not None:
                return False
            await _refuse_many(connection)
            await connection.execute(
                "insert into channel_tests (form, channel, address, asked_by) values (%s, %s, %s, %s)",
                [form, channel, clean_text(address), clean_text(by)],
            )
            await record_deed(connection, by, "asked for a test", f"channel {channel}")
        return True

    async def hold(self, channels: Sequence[str]) -> HeldTest | None:
        """One that is to leave now by one of these channels: from here on it has left."""
        async with one_statement(self._pool) as connection:
            row = await (await connection.execute(_TO_DO)).fetchone()
        if row is None or not row["there"]:
            return None
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(_OVER, {"within": WITHIN})
            cursor = await connection.execute(
                _HOLD, {"held": HELD_SECONDS, "channels": list(channels)}
            )
            held = await cursor.fetchone()
            if held is None:
                return None
            digest = None
            if self._hashes is not None:
                digest = self._hashes.of_address(held["channel"], held["address"])
            cursor = await connection.execute(_BARRED, {**held, "digest": digest})
            told = await cursor.fetchone()
        return HeldTest(**held, barred=told["barred"] if told else "")

    async def settled(self, test: int, state: TestEnd, words: str) -> None:
        """What became of it; its address is forgotten, and open pages are told."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(
                "update channel_tests set state = %s, words = %s, address = null, held_to = null,"
                " settled_at = clock_timestamp() where test = %s and state = 'leaving'",
                [state, clean_text(words), test],
            )
            await connection.execute("select pg_notify(%s, '')", [CHANNEL])

    async def latest(self, most: int = 30) -> list[ChannelTest]:
        """Those that were asked for last, the newest first."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(_LATEST, [WITHIN, most])
            return [ChannelTest(**row) for row in await cursor.fetchall()]


async def _refuse_many(connection: Connection) -> None:
    cursor = await connection.execute(
        "select count(*) as n, min(asked_at) + %(within)s as until from channel_tests"
        " where asked_at > clock_timestamp() - %(within)s",
        {"within": WITHIN},
    )
    row = await cursor.fetchone()
    if row is not None and row["n"] >= MOST:
        raise TooManyTestsError(row["until"])
