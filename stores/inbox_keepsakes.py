"""What a member keeps for their inbox: views that they look at often, and what they say often."""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from stores.audit import record_deed
from stores.database import Pool, clean_text, jsonb, one_statement

MOST = 100
"""Views of a member; texts of a member, and of the house."""


class KeepsakeRefusedError(ValueError):
    """It cannot be kept so; the message says why."""


@dataclass(slots=True, frozen=True, kw_only=True)
class SavedView:
    """A list as a member looks at it often. `filters`: as in its address."""

    view: int
    name: str
    filters: dict[str, str]


@dataclass(slots=True, frozen=True, kw_only=True)
class CannedReply:
    """A text that is said often, a Liquid template. `member`: whose it is; None is the house's. `act`: a macro's."""

    reply: int
    member: str | None
    name: str
    text: str
    act: str


class KeepsakeStore:
    """Views and texts."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def views(self, member: str) -> list[SavedView]:
        """The views of a member, by name."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select view, name, filters from inbox_views where member = %s order by name",
                [member],
            )
            return [SavedView(**row) for row in await cursor.fetchall()]

    async def keep_view(self, member: str, name: str, filters: Mapping[str, str]) -> None:
        """Keep a view; one of the same name becomes this one. Raises: `KeepsakeRefusedError`."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select count(*) as n from inbox_views where member = %s", [member]
            )
            row = await cursor.fetchone()
            if row and row["n"] >= MOST:
                raise KeepsakeRefusedError(f"you keep {MOST} views already; delete one first")
            await connection.execute(
                "insert into inbox_views (member, name, filters) values (%s, %s, %s)"
                " on conflict (member, name) do update set filters = excluded.filters",
                [member, clean_text(name), jsonb(dict(filters))],
            )
            await record_deed(connection, member, "kept a view", f"member {member}")

    async def drop_view(self, member: str, view: int) -> None:
        """Keep it no more; another member's stays."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "delete from inbox_views where view = %s and member = %s", [view, member]
            )
            await record_deed(connection, member, "dropped a view", f"member {member}")

    async def replies(self, member: str) -> list[CannedReply]:
        """What this member may say: the house's, then their own, by name."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select reply, member, name, text, act from canned_replies"
                " where member is null or member = %s order by member is not null, name",
                [member],
            )
            return [CannedReply(**row) for row in await cursor.fetchall()]

    async def keep_reply(
        self, by: str, name: str, text: str, act: str, *, house: bool = False
    ) -> None:
        """Keep a text, or change the one of this name. Raises: `KeepsakeRefusedError`."""
        whose = None if house else by
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select count(*) as n from canned_replies where member is not distinct from %s",
                [whose],
            )
            row = await cursor.fetchone()
            if row and row["n"] >= MOST:
                raise KeepsakeRefusedError(f"there are {MOST} texts already; delete one first")
            await connection.execute(
                "delete from canned_replies where member is not distinct from %s and name = %s",
                [whose, clean_text(name)],
            )
            try:
                await connection.execute(
                    "insert into canned_replies (member, name, text, act) values (%s, %s, %s, %s)",
                    [whose, clean_text(name), clean_text(text), act],
                )
            except psycopg.errors.UniqueViolation:
                raise KeepsakeRefusedError("somebody kept it at this very moment") from None
            whom = "the house" if house else f"member {by}"
            await record_deed(connection, by, "kept a text", whom, {"name": name})

    async def drop_reply(self, by: str, reply: int, *, house: bool) -> None:
        """Keep it no more. `house`: also one of the house's; another member's stays."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "delete from canned_replies where reply = %s and (member = %s or %s and member is null)",
                [reply, by, house],
            )
            await record_deed(connection, by, "dropped a text", f"text {reply}")
