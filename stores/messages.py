"""Messages by name: every revision is kept, one is live."""

import hashlib

from pydantic import JsonValue

from activities.message_text import PublishedMessage
from stores.database import Pool, one_statement

_SHARED = """coalesce((select json_object_agg(name, source) from published
                       where kind = 'block' and live), '{}') as shared"""
_LIVE = f"select revision, source, {_SHARED} from messages where name = %s and live"


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
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(_LIVE, (name,))
            row = await cursor.fetchone()
        if row is None:
            return None
        return PublishedMessage(
            name=name, revision=row["revision"], source=row["source"], shared=row["shared"]
        )

    async def all_live(self) -> list[PublishedMessage]:
        """Every message that is live, by name."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select name, revision, source from messages where live order by name"
            )
            return [PublishedMessage(**row) for row in await cursor.fetchall()]

    async def shared(self) -> dict[str, JsonValue]:
        """The blocks that are live, the voice of the house among them."""
        async with one_statement(self._pool) as connection:
            row = await (await connection.execute(f"select {_SHARED}")).fetchone()
        return row["shared"] if row else {}

    async def names(self) -> list[str]:
        """The names that have a live revision, in order."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute("select name from messages where live order by name")
            return [row["name"] for row in await cursor.fetchall()]
