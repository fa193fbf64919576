"""Surveys, offers and the files of the house by name: every revision is kept, one is live."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString

import orjson
from pydantic import JsonValue

from journey.survey import Survey
from stores.database import Connection, Pool, one_statement, ordered_json, rows_of

Kind = Literal[
    "survey", "offer", "policy", "identities", "feelings", "problems", "personas", "queues", "block"
]

_LAST_WORDS: LiteralString = """
select distinct on (name) name, source, live from published
 where kind = %(kind)s and name = any(%(names)s) order by name, live desc, published_at desc
"""

HOUSE = "house"
"""The name of what there is one of in an installation: its policy, its identities, its feelings."""


@dataclass(slots=True, frozen=True, kw_only=True)
class LiveFile:
    """A file of the house that is live: what kind it is, its revision, and since when we know that revision."""

    kind: str
    revision: str
    published_at: datetime


@dataclass(slots=True, frozen=True, kw_only=True)
class LastWords:
    """What a name says as it is published, or said last where it is `live` no more."""

    source: dict[str, Any]
    live: bool


class PublishedStore:
    """Where the words of surveys and offers live. Publishing the same twice is publishing it once."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def publish(self, kind: Kind, name: str, source: dict[str, JsonValue]) -> str:
        """Make this the live one under the name; the revision it has. The caller has checked it."""
        # Not sorted: the same choices in another order are another survey to whoever reads them.
        revision = hashlib.sha256(orjson.dumps(source)).hexdigest()
        values = {"kind": kind, "name": name, "revision": revision, "source": ordered_json(source)}
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(
                "select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{kind} {name}"]
            )
            await connection.execute(
                "update published set live = false"
                " where kind = %(kind)s and name = %(name)s and live and revision <> %(revision)s",
                values,
            )
            await connection.execute(
                "insert into published (kind, name, revision, source)"
                " values (%(kind)s, %(name)s, %(revision)s, %(source)s)"
                " on conflict (kind, name, revision) do update set live = true",
                values,
            )
        return revision

    async def house_files(self) -> list[LiveFile]:
        """The files of the house that are live, by kind."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select kind, revision, published_at from published where name = %s and live"
                " order by kind",
                [HOUSE],
            )
            return [LiveFile(**row) for row in await cursor.fetchall()]

    async def surveys(self) -> list[str]:
        """The names of surveys that have a live revision."""
        return await self.names("survey")

    async def offers(self) -> list[str]:
        """The names of offers that have a live revision."""
        return await self.names("offer")

    async def names(self, kind: Kind) -> list[str]:
        """The names that have a live revision, in order."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select name from published where kind = %s and live order by name", [kind]
            )
            return [row["name"] for row in await cursor.fetchall()]

    async def survey(self, name: str) -> Survey | None:
        """The words of a survey as they are now."""
        async with self._pool.connection() as connection:
            source = await live_source(connection, "survey", name)
        return Survey.model_validate(source) if source is not None else None


async def live_source(connection: Connection, kind: Kind, name: str) -> dict[str, Any] | None:
    """What is live under a name, or None."""
    cursor = await connection.execute(
        "select source from published where kind = %s and name = %s and live", [kind, name]
    )
    row = await cursor.fetchone()
    return row["source"] if row else None


async def last_words(pool: Pool, kind: Kind, names: Sequence[str]) -> dict[str, LastWords]:
    """By name, what is live or was last; a name that was never published is not there."""
    asked = {"kind": kind, "names": list(names)}
    return {
        row["name"]: LastWords(source=row["source"], live=row["live"])
        for row in await rows_of(pool, _LAST_WORDS, asked)
    }
