"""Programs outside that are told what happens to cases: where, signed how, and how far each one is."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

from contracts.sealing import MasterKeys, WrappedKey, new_key
from stores.audit import record_deed
from stores.case_rows import BY_CLEW
from stores.database import Pool, clean_text, one_statement

HELD_SECONDS = 60
"""A worker that dies while it tells a hook costs it no more."""

_PREFIX = "whsec_"

_COLUMNS: LiteralString = """
    hook, url, kinds, told_to, told_at, failures, failing_since, failed_why, next_at, off_at, made_at
"""

_ADD: LiteralString = """
insert into case_hooks (hook, url, master, secret, kinds, told_to)
select %(hook)s, %(url)s, %(master)s, %(secret)s, %(kinds)s, coalesce(max(event), 0) from case_events
on conflict (hook) do nothing returning hook
"""

_HOLD: LiteralString = f"""
update case_hooks set held_to = clock_timestamp() + %(held)s * interval '1 second'
 where hook = (select hook from case_hooks h
                where off_at is null and next_at <= clock_timestamp()
                  and (held_to is null or held_to < clock_timestamp())
                  and exists (select from case_events e where e.event > h.told_to
                                 and e.at_wall < clock_timestamp() - %(settled)s * interval '1 second')
                order by next_at, told_to limit 1 for update skip locked)
returning {_COLUMNS}, master, secret
"""


class HookExistsError(ValueError):
    """There is a hook of this name."""


class UnknownHookError(LookupError):
    """There is no hook of this name."""


@dataclass(slots=True, frozen=True, kw_only=True)
class CaseHook:
    """One hook. `told_to`: the number of the event that it was told last; `off_at`: it is told nothing since."""

    hook: str
    url: str
    kinds: tuple[str, ...]
    told_to: int
    told_at: datetime | None
    failures: int
    failing_since: datetime | None
    failed_why: str
    next_at: datetime
    off_at: datetime | None
    made_at: datetime


class CaseHookStore:
    """Hooks. `keys` seal their secrets."""

    def __init__(self, pool: Pool, keys: MasterKeys | None = None) -> None:
        self._pool, self._keys = pool, keys

    async def add(self, hook: str, url: str, kinds: Sequence[str], *, by: str) -> str:
        """A new hook, told what happens from now on; its secret, which is shown once. Raises: `HookExistsError`."""
        secret = new_key()
        wrapped = self._masters().wrap(secret, _owner(hook), 1)
        values = {
            "hook": clean_text(hook), "url": clean_text(url), "kinds": list(kinds),
            "master": wrapped.master, "secret": wrapped.wrapped,
        }  # fmt: skip
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_ADD, values)
            if await cursor.fetchone() is None:
                raise HookExistsError(
                    f"there is a hook {hook!r}; remove it, or choose another name"
                )
            await record_deed(connection, by, "added", f"case hook {hook}", {"url": url})
        return _PREFIX + base64.b64encode(secret).decode()

    async def remove(self, hook: str, *, by: str) -> None:
        """It is told nothing any more. Raises: `UnknownHookError`."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute("delete from case_hooks where hook = %s", [hook])
            if not cursor.rowcount:
                raise UnknownHookError(f"there is no hook {hook!r}")
            await record_deed(connection, by, "removed", f"case hook {hook}")

    async def hooks(self) -> list[CaseHook]:
        """Every hook, by name."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(f"select {_COLUMNS} from case_hooks order by hook")
            return [_hook(row) for row in await cursor.fetchall()]

    async def with_secret(self, hook: str) -> tuple[CaseHook, bytes]:
        """A hook and what signs for it. Raises: `UnknownHookError`."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                f"select {_COLUMNS}, master, secret from case_hooks where hook = %s", [hook]
            )
            row = await cursor.fetchone()
        if row is None:
            raise UnknownHookError(f"there is no hook {hook!r}")
        return self._opened(row)

    async def hold(self, settled_seconds: int) -> tuple[CaseHook, bytes] | None:
        """A hook that is to be told something now, held for this worker for a while; and what signs for it."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                _HOLD, {"held": HELD_SECONDS, "settled": settled_seconds}
            )
            row = await cursor.fetchone()
        return self._opened(row) if row else None

    async def told(self, hook: str, event: int) -> None:
        """It knows everything up to this event; it is held on."""
        async with one_statement(self._pool) as connection:
            await connection.execute(
                """
                update case_hooks set told_to = greatest(told_to, %(event)s), failures = 0,
                       failing_since = null, failed_why = '', told_at = clock_timestamp(),
                       held_to = clock_timestamp() + %(held)s * interval '1 second'
                 where hook = %(hook)s
                """,
                {"hook": hook, "event": event, "held": HELD_SECONDS},
            )

    async def passed(self, hook: str, event: int) -> None:
        """Up to this event there was nothing that it wants; who looked lets go of it."""
        async with one_statement(self._pool) as connection:
            await connection.execute(
                "update case_hooks set told_to = greatest(told_to, %s), held_to = null where hook = %s",
                [event, hook],
            )

    async def failed(self, hook: str, why: str, pause: timedelta) -> None:
        """It did not take what it was told: it is told again after this pause."""
        async with one_statement(self._pool) as connection:
            await connection.execute(
                """
                update case_hooks set failures = failures + 1, failed_why = %(why)s, held_to = null,
                       failing_since = coalesce(failing_since, clock_timestamp()),
                       next_at = clock_timestamp() + %(pause)s where hook = %(hook)s
                """,
                {"hook": hook, "why": clean_text(why), "pause": pause},
            )

    async def switch_off(self, hook: str, why: str) -> None:
        """It is told nothing until it was tried and took it; written down in the audit."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "update case_hooks set off_at = clock_timestamp(), failed_why = %s, held_to = null"
                " where hook = %s",
                [clean_text(why), hook],
            )
            await record_deed(
                connection, BY_CLEW, "switched off", f"case hook {hook}", {"why": why}
            )

    async def tried(self, hook: str, *, by: str, why: str | None) -> None:
        """Somebody tried it; `why` it failed. One that took it is told again what it missed while it was off."""
        async with self._pool.connection() as connection:
            if why is None:
                await connection.execute(
                    "update case_hooks set off_at = null, failures = 0, failing_since = null,"
                    " failed_why = '', next_at = clock_timestamp() where hook = %s",
                    [hook],
                )
            told = {"took": why is None, **({"why": why} if why else {})}
            await record_deed(connection, by, "tried", f"case hook {hook}", told)

    async def rewrap(self) -> int:
        """Put every secret under the newest master key; how many were not. May be repeated."""
        masters = self._masters()
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select hook, master, secret from case_hooks where master <> %s for update",
                [masters.newest],
            )
            rows = await cursor.fetchall()
            for row in rows:
                owner = _owner(row["hook"])
                secret = masters.unwrap(WrappedKey(row["master"], bytes(row["secret"])), owner, 1)
                new = masters.wrap(secret, owner, 1)
                await connection.execute(
                    "update case_hooks set master = %s, secret = %s where hook = %s",
                    [new.master, new.wrapped, row["hook"]],
                )
        return len(rows)

    def _opened(self, row: dict[str, Any]) -> tuple[CaseHook, bytes]:
        kept = WrappedKey(row.pop("master"), bytes(row.pop("secret")))
        return _hook(row), self._masters().unwrap(kept, _owner(row["hook"]), 1)

    def _masters(self) -> MasterKeys:
        if self._keys is None:
            raise RuntimeError("secrets of hooks need the master keys")
        return self._keys


def _owner(hook: str) -> str:
    return f"case hook {hook}"


def _hook(row: dict[str, Any]) -> CaseHook:
    values: dict[str, Any] = {**row, "kinds": tuple(row["kinds"])}
    return CaseHook(**values)
