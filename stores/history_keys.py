"""The keys that seal history: made, found, wrapped anew, rotated and destroyed."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from contracts.sealing import MasterKeys, WrappedKey, new_key
from stores.audit import record_deed
from stores.database import Connection, Pool, one_statement

FORGOTTEN_AFTER = timedelta(seconds=30)
"""How long a process may still open what is sealed with a key that was destroyed."""

REMEMBERED = 20_000
"""Keys that a process holds at most: about 4 MB."""

REWRAPPED_AT_ONCE = 500

_NEWEST: LiteralString = """
    with newest as (
        select n, master, wrapped from history_keys where owner = %(owner)s order by n desc limit 1
    ), made as (
        insert into history_keys (owner, n, master, wrapped)
        select %(owner)s, 1, %(master)s, %(wrapped)s where not exists (select from newest)
        on conflict do nothing returning n, master, wrapped
    )
    select * from newest union all select * from made
"""

_FIND: LiteralString = "select n, master, wrapped from history_keys where owner = %s and n = %s"

# Three statements, for each sees what committed while the one before it waited: a first key that is being
# made meanwhile, then one that a rotation adds.
_BAR: LiteralString = """
    insert into history_keys (owner, n, destroyed_at)
    select owner, 1, now() from unnest(%(owners)s::text[]) owner order by owner
    on conflict do nothing
"""

_HOLD: LiteralString = """
    select from history_keys where owner = any(%(owners)s) order by owner, n for update
"""

_DESTROY: LiteralString = """
    update history_keys set wrapped = null, master = null, destroyed_at = now()
    where owner = any(%(owners)s) and wrapped is not null
"""

# Held, so that no key is added for whoever is being erased.
_ROTATE: LiteralString = """
    select owner, n from history_keys k
    where wrapped is not null and created_at < %(before)s
      and n = (select max(n) from history_keys o where o.owner = k.owner)
      and (%(owner)s::text is null or owner = %(owner)s)
      and owner > %(after)s
    order by owner limit %(most)s
    for update
"""

_STATUS: LiteralString = """
    select coalesce(master, '') as master, count(*) as keys, min(created_at) as oldest,
           count(*) filter (where wrapped is null) as destroyed
    from history_keys group by 1 order by 1
"""


async def destroy_keys(connection: Connection, owners: Sequence[str]) -> int:
    """Destroy every key of these owners for ever, and let none be made again; returns how many there were.

    Part of the caller's transaction. Every process forgets them within FORGOTTEN_AFTER.
    """
    given = {"owners": list(owners)}
    for statement in (_BAR, _HOLD):
        await connection.execute(statement, given)
    return (await connection.execute(_DESTROY, given)).rowcount


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysUnder:
    """How many keys are under one master key; those destroyed are under none."""

    master: str
    keys: int
    destroyed: int
    oldest: datetime


class HistoryKeyStore:
    """Data keys of owners, unwrapped for as short a time as it is useful (contracts/history_codec.py).

    `seconds`: any clock that goes forward, in seconds.
    """

    def __init__(self, pool: Pool, masters: MasterKeys, seconds: Callable[[], float]) -> None:
        self._pool = pool
        self._masters = masters
        self._seconds = seconds
        self._held: OrderedDict[tuple[str, int | None], tuple[float, int, bytes]] = OrderedDict()

    async def newest(self, owner: str) -> tuple[int, bytes] | None:
        """The key to seal with, made where there was none; None once it is destroyed."""
        held = self._remembered(owner, None)
        if held is not None:
            return held
        kept = self._masters.wrap(made := new_key(), owner, 1)
        given = {"owner": owner, "master": kept.master, "wrapped": kept.wrapped}
        row = None
        while row is None:  # nothing comes back where another process made the first one meanwhile
            async with one_statement(self._pool) as connection:
                row = await (await connection.execute(_NEWEST, given)).fetchone()
        if row["wrapped"] is None:
            return None
        if row["wrapped"] == kept.wrapped:
            key = made
        else:
            key = self._masters.unwrap(WrappedKey(row["master"], row["wrapped"]), owner, row["n"])
        self._remember(owner, None, row["n"], key)
        self._remember(owner, row["n"], row["n"], key)
        return row["n"], key

    async def find(self, owner: str, n: int) -> bytes | None:
        """One of an owner's keys; None where it is destroyed or unknown."""
        held = self._remembered(owner, n)
        if held is not None:
            return held[1]
        async with one_statement(self._pool) as connection:
            row = await (await connection.execute(_FIND, [owner, n])).fetchone()
        if row is None or row["wrapped"] is None:
            return None
        key = self._masters.unwrap(WrappedKey(row["master"], row["wrapped"]), owner, n)
        self._remember(owner, n, n, key)
        return key

    async def rewrap(
        self, told: Callable[[int], None] = lambda _: None, *, by: str = "program"
    ) -> int:
        """Put every key under the newest master key; returns how many were not. May be broken off and repeated."""
        done = 0
        while True:
            async with self._pool.connection() as connection, connection.transaction():
                cursor = await connection.execute(
                    "select owner, n, master, wrapped from history_keys"
                    " where wrapped is not null and master <> %s limit %s for update skip locked",
                    [self._masters.newest, REWRAPPED_AT_ONCE],
                )
                rows = await cursor.fetchall()
                for row in rows:
                    kept = WrappedKey(row["master"], row["wrapped"])
                    key = self._masters.unwrap(kept, row["owner"], row["n"])
                    new = self._masters.wrap(key, row["owner"], row["n"])
                    await connection.execute(
                        "update history_keys set master = %s, wrapped = %s where owner = %s and n = %s",
                        [new.master, new.wrapped, row["owner"], row["n"]],
                    )
            if not rows:
                await self._write_down(by, "rewrapped", done)
                return done
            done += len(rows)
            told(done)

    async def rotate(
        self, before: datetime, owner: str | None = None, *, by: str = "program"
    ) -> int:
        """Make a new key for whoever's newest is older than that; the old ones go on opening. Returns how many."""
        done, after = 0, ""
        while True:
            given = {"before": before, "owner": owner, "after": after, "most": REWRAPPED_AT_ONCE}
            async with self._pool.connection() as connection, connection.transaction():
                rows = await (await connection.execute(_ROTATE, given)).fetchall()
                for row in rows:
                    n = row["n"] + 1
                    kept = self._masters.wrap(new_key(), row["owner"], n)
                    cursor = await connection.execute(
                        "insert into history_keys (owner, n, master, wrapped) values (%s, %s, %s, %s)"
                        " on conflict do nothing",
                        [row["owner"], n, kept.master, kept.wrapped],
                    )
                    done += cursor.rowcount
            if not rows:
                await self._write_down(by, "rotated", done)
                return done
            after = rows[-1]["owner"]

    async def status(self) -> list[KeysUnder]:
        """How many keys are under which master key."""
        async with one_statement(self._pool) as connection:
            rows = await (await connection.execute(_STATUS)).fetchall()
        return [KeysUnder(**row) for row in rows]

    async def _write_down(self, by: str, did: str, keys: int) -> None:
        async with self._pool.connection() as connection:
            await record_deed(connection, by, did, "history keys", {"keys": keys})

    def _remembered(self, owner: str, n: int | None) -> tuple[int, bytes] | None:
        held = self._held.get((owner, n))
        if held is None or held[0] < self._seconds():
            return None
        return held[1], held[2]

    def _remember(self, owner: str, place: int | None, n: int, key: bytes) -> None:
        until = self._seconds() + FORGOTTEN_AFTER.total_seconds()
        self._held[owner, place] = (until, n, key)
        self._held.move_to_end((owner, place))
        while len(self._held) > REMEMBERED:
            self._held.popitem(last=False)
