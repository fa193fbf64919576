"""Which type each trait is of: learned from the first values, as far as nobody pinned it."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from journey.identity_rules import IdentityRules
from journey.trait_types import is_of, type_of, widened
from stores.database import Connection, Pool, clean_text, jsonb
from stores.house_rules import house_rules

FIRST = 20
"""From so many values a type is learned."""

TOLD_EACH_SECONDS = 1.0
"""Values of another type are counted here, and written so often at most: everybody writes to that row."""

_SEEN = """
insert into trait_types as t (trait, seen)
select w.trait, w.seen from jsonb_to_recordset(%s) as w(trait text, seen jsonb) order by w.trait
on conflict (trait) do update
   set changed_at = now(),
       seen = (select jsonb_object_agg(k, coalesce((t.seen ->> k)::bigint, 0)
                                          + coalesce((excluded.seen ->> k)::bigint, 0))
                 from (select jsonb_object_keys(t.seen) union
                       select jsonb_object_keys(excluded.seen)) as keys(k))
 where t.learned is null
returning trait, seen, learned
"""

_DIFFER = """
insert into trait_types as t (trait, differ, example)
select w.trait, w.differ, w.example
  from jsonb_to_recordset(%s) as w(trait text, differ bigint, example text) order by w.trait
on conflict (trait) do update
   set differ = t.differ + excluded.differ, example = excluded.example, changed_at = now()
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class KnownTrait:
    """A trait with its type. `differ`: how many values were of another type, the last being `example`."""

    trait: str
    type: str
    how: str
    seen: int
    differ: int
    example: str | None


class TraitTypes:
    """Learns in the transactions of whoever reports traits; what is learned costs nothing more."""

    def __init__(self) -> None:
        self._learned: dict[str, str] = {}
        self._differ: dict[str, tuple[int, str]] = {}
        self._told_at = 0.0

    async def observe(
        self, connection: Connection, rules: IdentityRules, told: Iterable[Mapping[str, JsonValue]]
    ) -> None:
        """Look at traits as they were reported."""
        unsure: dict[str, Counter[str]] = {}
        for traits in told:
            for name, value in traits.items():
                self._observe(name, value, rules.traits.get(name), unsure)
        if unsure:
            await self._learn(connection, unsure)
        if self._differ and time.monotonic() - self._told_at > TOLD_EACH_SECONDS:
            self._told_at = time.monotonic()
            rows = [
                {"trait": trait, "differ": count, "example": example}
                for trait, (count, example) in self._differ.items()
            ]
            self._differ = {}
            await connection.execute(_DIFFER, [jsonb(rows)])

    def _observe(
        self, name: str, value: JsonValue, pinned: str | None, unsure: dict[str, Counter[str]]
    ) -> None:
        found, wanted = type_of(value), pinned or self._learned.get(name)
        if found is None or len(name) > 200:
            return
        if wanted is None:
            unsure.setdefault(name, Counter())[found] += 1
        elif not is_of(value, wanted):
            count, _ = self._differ.get(name, (0, ""))
            self._differ[name] = (count + 1, clean_text(str(value))[:60])

    async def _learn(self, connection: Connection, unsure: Mapping[str, Counter[str]]) -> None:
        rows = [{"trait": clean_text(name), "seen": dict(seen)} for name, seen in unsure.items()]
        cursor = await connection.execute(_SEEN, [jsonb(rows)])
        written = {row["trait"]: row["seen"] for row in await cursor.fetchall()}
        known = [name for name in unsure if name not in written]
        learned = {
            name: _type_of_most(seen)
            for name, seen in written.items()
            if sum(seen.values()) >= FIRST
        }
        if learned:
            rows = [{"trait": name, "type": found} for name, found in learned.items()]
            await connection.execute(
                "update trait_types t set learned = w.type from jsonb_to_recordset(%s)"
                " as w(trait text, type text) where t.trait = w.trait and t.learned is null",
                [jsonb(rows)],
            )
        if known:
            cursor = await connection.execute(
                "select trait, learned from trait_types where trait = any(%s)"
                " and learned is not null",
                [known],
            )
            self._learned |= {row["trait"]: row["learned"] for row in await cursor.fetchall()}


class TraitTypeStore:
    """What is known of traits."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def traits(self) -> list[KnownTrait]:
        """Every trait that is pinned or was seen, by name."""
        async with self._pool.connection() as connection:
            pinned = (await house_rules(connection)).traits
            cursor = await connection.execute("select * from trait_types order by trait")
            rows: dict[str, dict[str, Any]] = {row["trait"]: row for row in await cursor.fetchall()}
        return [_known(name, pinned.get(name), rows.get(name)) for name in sorted({*pinned, *rows})]


def _known(name: str, pinned: str | None, row: dict[str, Any] | None) -> KnownTrait:
    seen: dict[str, int] = row["seen"] if row else {}
    learned = row["learned"] if row else None
    how = "pinned" if pinned else "learned" if learned else "not sure yet"
    return KnownTrait(
        trait=name,
        type=pinned or learned or (_type_of_most(seen) if seen else ""),
        how=how,
        seen=sum(seen.values()),
        differ=row["differ"] if row else 0,
        example=row["example"] if row else None,
    )


def _type_of_most(seen: Mapping[str, int]) -> str:
    """The narrowest type that holds all of them; where there is none, that of most."""
    whole: str | None = next(iter(seen))
    for each in seen:
        whole = widened(whole, each) if whole is not None else None
    return whole or max(sorted(seen), key=lambda each: seen[each])
