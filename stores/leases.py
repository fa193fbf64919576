"""Leases of units of routing: which router works on whom, until when."""

from datetime import timedelta

from stores.database import Connection, Pool

# Walks the units that have something pending, in the order of their names, by leaps through the
# index, until it has met enough free ones: a unit with a long queue costs no more than a short one.
_RING = """
with recursive ring as (
    (select o.unit, 0 as found, 0 as steps from outbox o
      where o.unit > %(after)s order by o.unit limit 1)
    union all
    select (select o.unit from outbox o where o.unit > r.unit order by o.unit limit 1),
           r.found + (select count(*)::int from (select r.unit) x where not exists (
               select 1 from routing_units u
                where u.unit = r.unit and u.leased_until > clock_timestamp())),
           r.steps + 1
      from ring r where r.unit is not null and r.found < %(most)s and r.steps < %(steps)s
)
select r.unit, not exists (select 1 from routing_units u where u.unit = r.unit
                              and u.leased_until > clock_timestamp()) as free
  from ring r where r.unit is not null
"""
_STEPS = 1_000

_TAKE = """
update routing_units set leased_by = %(holder)s, leased_until = clock_timestamp() + %(lasting)s
 where unit in (
    select unit from routing_units
     where unit = any(%(units)s) and (leased_until is null or leased_until <= clock_timestamp())
     order by unit for no key update skip locked)
returning unit
"""


class UnitLeases:
    """Leases for one router, which goes round all units in turn: no unit waits behind a busy one.

    A lease with nobody's name on it is a unit that rests until a retry.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._after = ""

    async def take(self, holder: str, most: int, lasting: timedelta) -> list[str]:
        """Lease up to `most` units that have something pending and are free."""
        async with self._pool.connection() as connection:
            units = await self._free(connection, most)
            if not units:
                return []
            await connection.execute(
                "insert into routing_units (unit) select unnest(%s::text[]) on conflict do nothing",
                [units],
            )
            cursor = await connection.execute(
                _TAKE, {"holder": holder, "units": units, "lasting": lasting}
            )
            return [row["unit"] for row in await cursor.fetchall()]

    async def _free(self, connection: Connection, most: int) -> list[str]:
        """Free units behind the one met last, from the start again behind the last of all."""
        free: dict[str, None] = {}
        for after in dict.fromkeys([self._after, ""]):
            cursor = await connection.execute(
                _RING, {"after": after, "most": most - len(free), "steps": _STEPS}
            )
            rows = await cursor.fetchall()
            free |= dict.fromkeys(row["unit"] for row in rows if row["free"])
            if len(free) >= most:
                break
            if rows:
                self._after = rows[-1]["unit"]
        taken = list(free)[:most]
        if len(taken) == most:
            self._after = taken[-1]
        return sorted(taken)

    async def renew(self, holder: str, unit: str, lasting: timedelta) -> bool:
        """Hold a lease for longer; False where it is lost."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "update routing_units set leased_until = clock_timestamp() + %s"
                " where unit = %s and leased_by = %s and leased_until > clock_timestamp()",
                [lasting, unit, holder],
            )
            return cursor.rowcount > 0

    async def release(self, holder: str, unit: str, rest: timedelta | None = None) -> None:
        """Give a unit back, to be taken by anybody, after a rest where one is given."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "update routing_units set leased_by = null,"
                " leased_until = clock_timestamp() + %s::interval"
                " where unit = %s and leased_by = %s",
                [rest, unit, holder],
            )
