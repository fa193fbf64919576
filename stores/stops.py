"""Emergency stops: what may send nothing until somebody says that it may again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from contracts.ids import message_id
from journey.touchpoint import HOLD_LIFTED
from stores.audit import record_deed
from stores.database import Pool, clean_text
from stores.touchpoints import NewTouchpoint, store_touchpoints

Scope = Literal["everything", "channel", "journey"]

_BEGIN = """
insert into stops (scope, name, reason, began_by) values (%(scope)s, %(name)s, %(reason)s, %(by)s)
on conflict (scope, name) where lifted_at is null do nothing
returning stop
"""

_NOW = """
select s.stop, s.scope, s.name, s.reason, s.began_by, s.began_at,
       (select count(*) from deliveries d
         where d.state = 'deferred' and d.reason = 'stopped'
           and (s.scope = 'everything' or s.scope = 'journey' and s.name = d.journey
                or s.scope = 'channel' and s.name = d.channel)) as waiting
  from stops s where s.lifted_at is null order by s.stop
"""

# Service first, then by priority: what is woken first is asked for first.
_WAKE = """
with due as (
    select d.key from deliveries d
     where d.state = 'deferred' and d.reason = 'stopped'
       and exists (select from stops s where s.lifted_at > now() - interval '2 days')
       and not exists (
           select from stops s
            where s.lifted_at is null
              and (s.scope = 'everything' or s.scope = 'journey' and s.name = d.journey
                   or s.scope = 'channel' and s.name = d.channel))
     order by d.purpose desc, d.priority desc, d.key limit %s for update skip locked
)
update deliveries d set reason = 'resumed' from due where d.key = due.key
returning d.key, d.customer, d.journey, d.attempts
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class Stop:
    """What is stopped, why, by whom and since when; `waiting`: how many messages wait for its end."""

    stop: int
    scope: Scope
    name: str
    reason: str
    began_by: str
    began_at: datetime
    waiting: int


class StopStore:
    """Begins and lifts stops, each on record. `ring` wakes the routers."""

    def __init__(self, pool: Pool, ring: Callable[[], None] | None = None) -> None:
        self._pool = pool
        self._ring = ring or (lambda: None)

    async def begin(self, scope: Scope, name: str, *, reason: str, by: str) -> bool:
        """Stop it from the next decision on, in every process; False where it was stopped already."""
        said = {"scope": scope, "name": name, "reason": clean_text(reason), "by": clean_text(by)}
        async with self._pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(_BEGIN, said)
            if await cursor.fetchone() is None:
                return False
            await record_deed(
                connection, by, "stopped", _what(scope, name), {"reason": reason}, after=said
            )
        return True

    async def lift(self, scope: Scope, name: str, *, by: str) -> bool:
        """Let it send again: what waits is woken by and by. False where it was not stopped."""
        async with self._pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(
                "update stops set lifted_at = now(), lifted_by = %s"
                " where scope = %s and name = %s and lifted_at is null",
                [clean_text(by), scope, name],
            )
            if not cursor.rowcount:
                return False
            await record_deed(connection, by, "resumed", _what(scope, name))
        return True

    async def now(self) -> list[Stop]:
        """What is stopped now, the oldest first."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_NOW)
            return [Stop(**row) for row in await cursor.fetchall()]

    async def journeys(self) -> list[str]:
        """Every journey that was ever published: its runs may go on where nobody enters any more."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute("select distinct journey from definitions order by 1")
            return [row["journey"] for row in await cursor.fetchall()]

    async def wake(self, most: int) -> int:
        """Tell the runs of messages that no stop holds any more, service first; how many there were."""
        async with self._pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(_WAKE, [most])
            woken = await cursor.fetchall()
            # One for each customer: it wakes all that waits of them. The attempt tells a second stop from the first.
            told = {row["customer"]: row for row in woken}
            await store_touchpoints(
                connection,
                [
                    NewTouchpoint(
                        message_id=message_id("resumed", f"{row['key']} {row['attempts']}"),
                        event=HOLD_LIFTED,
                        occurred_at=datetime.now(UTC),
                        customer=customer,
                        properties={"journey": row["journey"]},
                    )
                    for customer, row in told.items()
                ],
            )
        if woken:
            self._ring()
        return len(woken)


def _what(scope: str, name: str) -> str:
    return f"{scope} {name}".strip()
