"""Definitions of journeys, by version, and which version is live."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from stores.database import Connection, Pool, one_statement
from stores.kept_scenarios import keep_scenarios


class PublishableDefinition(Protocol):
    """A definition that passed the gate: `version` is the SHA-256 of `canonical`."""

    @property
    def version(self) -> str: ...
    @property
    def journey(self) -> str: ...
    @property
    def canonical(self) -> bytes: ...
    @property
    def source(self) -> str: ...
    @property
    def source_name(self) -> str: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class LiveJourney:
    """A journey that customers may enter, and the version they enter."""

    journey: str
    version: str
    published_at: datetime


@dataclass(slots=True, frozen=True, kw_only=True)
class PublishedDefinition:
    """A version as its author wrote it."""

    version: str
    journey: str
    source: str
    source_name: str
    published_at: datetime


class DefinitionStore:
    """Definitions are immutable; only which one is live changes."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def publish(self, definition: PublishableDefinition, scenarios: str | None = None) -> str:
        """Store a definition and make it live; returns its version.

        Publishing an earlier version again makes it live again. `scenarios` are kept with it in place of
        those that were; None leaves them as they are.
        """
        async with self._pool.connection() as connection:
            await connection.execute(
                """
                insert into definitions (version, journey, canonical, source, source_name)
                values (%s, %s, %s, %s, %s) on conflict (version) do nothing
                """,
                [
                    definition.version,
                    definition.journey,
                    definition.canonical,
                    definition.source,
                    definition.source_name,
                ],
            )
            cursor = await connection.execute(
                """
                insert into live_journeys (journey, version) values (%s, %s)
                on conflict (journey) do update
                   set version = excluded.version, published_at = excluded.published_at
                 where live_journeys.version <> excluded.version
                """,
                [definition.journey, definition.version],
            )
            if scenarios is not None:
                await keep_scenarios(connection, definition.version, scenarios)
            if cursor.rowcount:  # everybody is looked at for what is live now
                await connection.execute(
                    "update entry_scans set version = null, after = null where journey = %s",
                    [definition.journey],
                )
        return definition.version

    async def retire(self, journey: str) -> bool:
        """Let nobody enter the journey any more; runs under way go on. Whether it was live."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "delete from live_journeys where journey = %s", [journey]
            )
            # What comes while it is not live is not made up for when it is published again.
            await connection.execute(
                "update entry_scans set version = null, after = null, occurrence = null"
                " where journey = %s",
                [journey],
            )
        return cursor.rowcount > 0

    async def load(self, version: str) -> bytes | None:
        """The canonical JSON of a version."""
        async with one_statement(self._pool) as connection:
            return await load_definition(connection, version)

    async def published(self, version: str) -> PublishedDefinition | None:
        """A version as its author wrote it."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                """
                select version, journey, source, source_name, published_at
                  from definitions where version = %s
                """,
                [version],
            )
            row = await cursor.fetchone()
        return PublishedDefinition(**row) if row else None

    async def versions(self, journey: str) -> list[PublishedDefinition]:
        """Every version of a journey, the newest first."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                """
                select version, journey, source, source_name, published_at
                  from definitions where journey = %s order by published_at desc, version
                """,
                [journey],
            )
            return [PublishedDefinition(**row) for row in await cursor.fetchall()]

    async def live(self, journey: str) -> str | None:
        """The version that customers enter now, or None where they enter none."""
        async with one_statement(self._pool) as connection:
            return await live_version(connection, journey)

    async def journeys(self) -> list[str]:
        """The names of all journeys that customers may enter."""
        return [live.journey for live in await self.live_journeys()]

    async def live_journeys(self) -> list[LiveJourney]:
        """Every journey that customers may enter, by name."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select journey, version, published_at from live_journeys order by journey"
            )
            return [LiveJourney(**row) for row in await cursor.fetchall()]


async def load_definition(connection: Connection, version: str) -> bytes | None:
    """As `DefinitionStore.load`, in the caller's transaction."""
    cursor = await connection.execute(
        "select canonical from definitions where version = %s", [version]
    )
    row = await cursor.fetchone()
    return bytes(row["canonical"]) if row else None


async def live_version(connection: Connection, journey: str) -> str | None:
    """As `DefinitionStore.live`, in the caller's transaction."""
    cursor = await connection.execute(
        "select version from live_journeys where journey = %s", [journey]
    )
    row = await cursor.fetchone()
    return row["version"] if row else None
