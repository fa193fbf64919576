"""Scenarios, kept with the version of a journey that was published with them."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from stores.database import Connection, Pool, one_statement

# Its own, or else those that were kept last: who publishes by another way says nothing of scenarios.
_KEPT: LiteralString = """
select k.version, k.source, k.kept_at
  from kept_scenarios k join definitions d using (version)
 where d.journey = %(journey)s
 order by k.version is not distinct from %(version)s desc, k.kept_at desc, k.version
 limit 1
"""

_KEEP: LiteralString = """
insert into kept_scenarios (version, source) values (%s, %s)
on conflict (version) do update set source = excluded.source, kept_at = excluded.kept_at
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class KeptScenarios:
    """Scenarios as they were typed, and the version that they were kept with. `source` is '' where there were none."""

    version: str
    source: str
    kept_at: datetime


class KeptScenarioStore:
    """Reads them; `DefinitionStore.publish` keeps them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of(self, journey: str, version: str | None) -> KeptScenarios | None:
        """Those of a version; where none were kept with it, those that were kept last with any of the journey."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(_KEPT, {"journey": journey, "version": version})
            row = await cursor.fetchone()
        return KeptScenarios(**row) if row else None


async def keep_scenarios(connection: Connection, version: str, source: str) -> None:
    """Keep them with a version that is stored, in place of those that were, in the caller's transaction."""
    await connection.execute(_KEEP, [version, source])
