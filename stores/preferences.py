"""How customers want to be reached, as they said."""

from dataclasses import asdict
from typing import Any

from journey.preferences import Preferences
from stores.database import Connection, Pool

_KEEP = """
insert into preferences (customer, preferred_channel, channels_off, topics_off, quiet_from,
                         quiet_to, paused_until, locale, changed_at)
values (canonical(%(customer)s), %(preferred_channel)s, %(channels_off)s, %(topics_off)s, %(quiet_from)s,
        %(quiet_to)s, %(paused_until)s, %(locale)s, now())
on conflict (customer) do update set
    preferred_channel = excluded.preferred_channel, channels_off = excluded.channels_off,
    topics_off = excluded.topics_off, quiet_from = excluded.quiet_from,
    quiet_to = excluded.quiet_to, paused_until = excluded.paused_until,
    locale = excluded.locale, changed_at = excluded.changed_at
"""


class PreferenceStore:
    """One row a customer who ever said anything."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of(self, customer: str) -> Preferences:
        """What the customer said; nothing, where they never did."""
        async with self._pool.connection() as connection:
            return await read_preferences(connection, customer)

    async def keep(self, customer: str, preferences: Preferences) -> None:
        """From now on these hold, in place of all that was said before."""
        async with self._pool.connection() as connection:
            await keep_preferences(connection, customer, preferences)


async def read_preferences(connection: Connection, customer: str) -> Preferences:
    """As `PreferenceStore.of`, in the caller's transaction."""
    cursor = await connection.execute(
        "select * from preferences where customer = canonical(%s)", [customer]
    )
    row = await cursor.fetchone()
    return preferences_of(row) if row else Preferences()


def preferences_of(row: dict[str, Any]) -> Preferences:
    """The preferences that a row of the table holds."""
    told = {name: row[name] for name in Preferences.__dataclass_fields__}
    for name in ("channels_off", "topics_off"):
        told[name] = frozenset(told[name])
    return Preferences(**told)


async def keep_preferences(connection: Connection, customer: str, preferences: Preferences) -> None:
    """As `PreferenceStore.keep`, in the caller's transaction."""
    told = asdict(preferences)
    for name in ("channels_off", "topics_off"):
        told[name] = sorted(told[name])
    await connection.execute(_KEEP, {"customer": customer, **told})
