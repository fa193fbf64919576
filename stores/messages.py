"""Messages by name: every revision is kept, one is live."""

import hashlib

from activities.message_text import PublishedMessage
from stores.database import Pool

_LIVE = """
select revision, source,
       coalesce((select json_object_agg(name, source) from published
                  where kind = 'block' and live), '{}') as shared
from messages where name = %s and live
"""


class MessageStore:
    """Where messages live. Publishing the same source twice is publishing it once."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def publish(self, name: str, source: str) -> str:
        """Make this source the live one under the name; the revision it has.

        One file, or all of a message (`channels.message_bundle.bundle`); the caller has checked it.
        """
        revision = hashlib.sha256(source.encode()).hexdigest()
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(
                "select pg_advisory_xact_lock(hashtext('message ' || %s))", (name,)
            )
            await connection.execute(
                "update messages set live = false where name = %s and live and revision <> %s",
                (name, revision),
            )
            await connection.execute(
                "insert into messages (name, revision, source) values (%s, %s, %s)"
                " on conflict (name, revision) do update set live = true,"
                " published_at = case when messages.live then messages.published_at else now() end",
                (name, revision, source),
            )
        return revision

    async def live(self, name: str) -> PublishedMessage | None:
        """The live revision with the blocks that are live, or None."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_LIVE, (name,))
            row = await cursor.fetchone()
        if row is None:
            return None
        return PublishedMessage(
            name=name, revision=row["revision"], source=row["source"], shared=row["shared"]
        )

    async def names(self) -> list[str]:
        """The names that have a live revision, in order."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute("select name from messages where live order by name")
            return [row["name"] for row in await cursor.fetchall()]
