"""Merges as staff make, read and undo them."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from contracts.fault_points import reach
from contracts.routing import customer_unit
from stores.customers import find_customer
from stores.database import Connection, Pool, one_statement
from stores.identity_graph import in_order, is_erased, lock_rows
from stores.merges import merge_customers
from stores.unmerges import CannotBePartedError, runs_are_told, undo

_LEASE_SECONDS = 60
PATIENCE_SECONDS = 30.0

_TAKE = """
with free as (
    select unit from routing_units where unit = any(%(units)s)
       and (leased_until is null or leased_until <= clock_timestamp())
     order by unit for update skip locked
)
update routing_units u
   set leased_by = %(holder)s, leased_until = clock_timestamp() + %(seconds)s * interval '1 second'
  from free f where u.unit = f.unit and (select count(*) from free) = %(count)s
returning u.unit
"""

_OF = """
select merge, stays, goes, by, why, at, settled_at, undone_at, undone_by, undone_why,
       (select count(*) from merge_rows r where r.merge = m.merge)::integer as moved
  from merges m where stays = %(customer)s or goes = %(customer)s
      or goes in (select customer from customers where merged_into = %(customer)s)
 order by merge
"""


class UnknownCustomerError(LookupError):
    """Nobody is known by this name."""


class SameCustomerError(ValueError):
    """The two are one customer already."""


class UnknownMergeError(LookupError):
    """There is no such merge; `clew merges CUSTOMER` lists them."""


class RunsBeingToldError(RuntimeError):
    """Runs of the customer are still being told what came; try again in a moment."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Merge:
    """Two customers who became one. `moved`: how many rows follow when it is undone."""

    merge: int
    stays: str
    goes: str
    by: str
    why: str
    at: datetime
    settled_at: datetime | None
    undone_at: datetime | None
    undone_by: str | None
    undone_why: str | None
    moved: int


@dataclass(slots=True, frozen=True, kw_only=True)
class RefusedName:
    """A name that was not tied to a customer, or did not make one of two, and why."""

    kind: str
    value: str
    leads_to: str | None
    why: str
    times: int
    at: datetime


class MergeStore:
    """Merges by hand. `ring` wakes the routers."""

    def __init__(self, pool: Pool, ring: Callable[[], None] | None = None) -> None:
        self._pool = pool
        self._ring = ring or (lambda: None)

    async def merge(self, one: str, other: str, *, by: str, why: str) -> Merge:
        """Make two customers one, by any of their names. No limit forbids what staff say.

        Raises: `UnknownCustomerError`, `SameCustomerError`.
        """
        async with self._pool.connection() as connection:
            while True:
                found = [await _present(connection, name) for name in (one, other)]
                if found[0] == found[1]:
                    raise SameCustomerError(f"{one} and {other} are one customer: {found[0]}")
                await lock_rows(connection, found)
                if [await _present(connection, name) for name in found] == found:
                    break
                await connection.rollback()
            for each in found:
                if await is_erased(connection, each):
                    raise UnknownCustomerError(f"{each} is being erased")
            stays, goes = await in_order(connection, found)
            merge = await merge_customers(connection, stays, goes, by=by, why=why)
            reach("merge.before_commit")
        reach("merge.after_commit")
        self._ring()
        return await self.one(merge)

    async def one(self, merge: int) -> Merge:
        """One merge. Raises: `UnknownMergeError`."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                _OF.replace("where stays", "where m.merge = %(merge)s or stays"),
                {"customer": "", "merge": merge},
            )
            row = await cursor.fetchone()
        if row is None:
            raise UnknownMergeError(f"there is no merge {merge}")
        return Merge(**row)

    async def of(self, customer: str) -> list[Merge]:
        """The merges of a customer by any name, the oldest first. Raises: `UnknownCustomerError`."""
        async with self._pool.connection() as connection:
            found = await _present(connection, customer)
            cursor = await connection.execute(_OF, {"customer": found})
            return [Merge(**row) for row in await cursor.fetchall()]

    async def refused(self, customer: str) -> list[RefusedName]:
        """Names that were not tied to a customer, the newest first. Raises: `UnknownCustomerError`."""
        async with self._pool.connection() as connection:
            found = await _present(connection, customer)
            cursor = await connection.execute(
                "select kind, value, leads_to, why, times, at from refused_ties"
                " where whose = %s order by at desc limit 200",
                [found],
            )
            return [RefusedName(**row) for row in await cursor.fetchall()]

    async def unmerge(self, merge: int, *, by: str, why: str) -> Merge:
        """Part two customers again: names, rows, traits and runs go back as they were.

        What happened since stays with whom it happened to. Raises: `UnknownMergeError`,
        `CannotBePartedError`, and `RunsBeingToldError` where the routers are not done in time.
        """
        known = await self.one(merge)
        if known.undone_at is not None:
            raise CannotBePartedError(f"merge {merge} was undone by {known.undone_by} already")
        units = [customer_unit(known.stays), customer_unit(known.goes)]
        ends = time.monotonic() + PATIENCE_SECONDS
        while True:
            async with self._holding(units) as holder, self._pool.connection() as connection:
                if holder is not None and await runs_are_told(connection, holder, *units):
                    await undo(connection, merge, by=by, why=why)
                    break
            if time.monotonic() > ends:
                raise RunsBeingToldError(f"runs of {known.stays} are still being told what came")
            self._ring()
            await asyncio.sleep(0.05)
        self._ring()
        return await self.one(merge)

    @asynccontextmanager
    async def _holding(self, units: list[str]) -> AsyncGenerator[str | None]:
        """The leases of all units, so that no router works on them; None where one is worked on."""
        holder = f"unmerge/{uuid4().hex}"
        values = {
            "units": units, "holder": holder, "seconds": _LEASE_SECONDS, "count": len(units),
        }  # fmt: skip
        async with one_statement(self._pool) as connection:
            taken = (await connection.execute(_TAKE, values)).rowcount == len(units)
        try:
            yield holder if taken else None
        finally:
            async with one_statement(self._pool) as connection:
                await connection.execute(
                    "update routing_units set leased_by = null, leased_until = null"
                    " where leased_by = %s",
                    [holder],
                )


async def _present(connection: Connection, name: str) -> str:
    found = await find_customer(connection, name)
    if found is None:
        raise UnknownCustomerError(f"nobody is known by {name!r}")
    return found.customer
