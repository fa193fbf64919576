"""Leases of units of routing: which router works on whom, until when."""

from datetime import timedelta

from stores.database import Pool, one_statement

# Walks the units that have something pending, in the order of their names, by leaps through the
# index, until it has met enough free ones: a unit with a long queue costs no more than a short one.
# Then takes them, one by one in that same order, so that two routers never wait for each other.
_TAKE = """
with recursive ring as (
    select n.unit, f.free, f.free as found, 0 as steps
      from (select min(o.unit) as unit from outbox o where o.unit > %(after)s) n
      cross join lateral (select (not exists (
          select 1 from routing_units u
           where u.unit = n.unit and u.leased_until > clock_timestamp()))::int as free) f
    union all
    select n.unit, f.free, r.found + f.free, r.steps + 1
      from ring r
      cross join lateral (
          select min(o.unit) as unit from outbox o where o.unit > r.unit) n
      cross join lateral (select (not exists (
          select 1 from routing_units u
           where u.unit = n.unit and u.leased_until > clock_timestamp()))::int as free) f
     where r.unit is not null and r.found < %(most)s and r.steps < %(steps)s
), taken as (
    insert into routing_units (unit, leased_by, leased_until)
    select unit, %(holder)s, clock_timestamp() + %(lasting)s
      from ring where free = 1 and unit is not null order by steps
    on conflict (unit) do update
       set leased_by = excluded.leased_by, leased_until = excluded.leased_until
     where routing_units.leased_until is null or routing_units.leased_until <= clock_timestamp()
    returning unit
)
select unit, true as taken from taken
 union all
(select unit, false from ring where unit is not null order by steps desc limit 1)
"""
_STEPS = 1_000


class UnitLeases:
    """Leases for one router, which goes round all units in turn: no unit waits behind a busy one.

    A lease with nobody's name on it is a unit that rests until a retry.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._after = ""

    async def take(self, holder: str, most: int, lasting: timedelta) -> list[str]:
        """Lease up to `most` units that have something pending and are free.

        Goes on behind the unit met last, and from the start again behind the last of all.
        """
        taken: list[str] = []
        for after in dict.fromkeys([self._after, ""]):
            values = {
                "after": after,
                "most": most - len(taken),
                "holder": holder,
                "lasting": lasting,
                "steps": _STEPS,
            }
            async with one_statement(self._pool) as connection:
                cursor = await connection.execute(_TAKE, values)
                rows = await cursor.fetchall()
            taken += [row["unit"] for row in rows if row["taken"]]
            if rows:
                self._after = rows[-1]["unit"]
            if len(taken) >= most:
                break
        return taken

    async def renew(self, holder: str, unit: str, lasting: timedelta) -> bool:
        """Hold a lease for longer; False where it is lost."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "update routing_units set leased_until = clock_timestamp() + %s"
                " where unit = %s and leased_by = %s and leased_until > clock_timestamp()",
                [lasting, unit, holder],
            )
            return cursor.rowcount > 0

    async def release(self, holder: str, unit: str, rest: timedelta | None = None) -> None:
        """Give a unit back, to be taken by anybody, after a rest where one is given."""
        async with one_statement(self._pool) as connection:
            await connection.execute(
                "update routing_units set leased_by = null,"
                " leased_until = clock_timestamp() + %s::interval"
                " where unit = %s and leased_by = %s",
                [rest, unit, holder],
            )
