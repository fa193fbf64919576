"""The graph of names: which customer each leads to, and customers who become one through them.

Locks are taken on the sorted names first, then on the sorted customers found, and the names are
read again until nothing has changed: with locks on names alone eight writers make other customers
than one does, because a merge moves the customer whom somebody just read.
"""

import base64
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import LiteralString

import psycopg

from journey.identity_rules import Counts, Identity, IdentityRules, Plan, RefusedTie, plan
from stores.database import Connection, jsonb
from stores.merges import merge_customers

_TIE = """
insert into identities (kind, value, customer)
select kind, value, %(customer)s from jsonb_to_recordset(%(names)s) as w(kind text, value text)
on conflict do nothing
"""

_MAKE = """
with made as (insert into customers (customer) values (%(customer)s))
insert into identities (kind, value, customer)
select kind, value, %(customer)s from jsonb_to_recordset(%(names)s) as w(kind text, value text)
"""

_REFUSED = """
select count(*) as refused
  from refused_ties r join jsonb_to_recordset(%(names)s)
       as w(kind text, value text, leads_to text) using (kind, value)
 where r.whose = %(whose)s and r.rules = %(rules)s and r.leads_to is not distinct from w.leads_to
"""

_TELL = """
insert into refused_ties as r (whose, kind, value, leads_to, why, rules)
select %(whose)s, w.kind, w.value, w.leads_to, w.why, %(rules)s
  from jsonb_to_recordset(%(names)s) as w(kind text, value text, leads_to text, why text)
 order by w.kind, w.value
on conflict (whose, kind, value) do update
   set leads_to = excluded.leads_to, why = excluded.why, rules = excluded.rules,
       times = r.times + 1, at = now()
"""


async def owners(connection: Connection, wanted: Iterable[Identity]) -> dict[Identity, str]:
    """Whose each of these names is; unknown ones are absent."""
    cursor = await connection.execute(
        """
        select i.kind, i.value, i.customer from identities i
          join jsonb_to_recordset(%s) as w(kind text, value text) using (kind, value)
        """,
        [jsonb([{"kind": kind, "value": value} for kind, value in wanted])],
    )
    return {(row["kind"], row["value"]): row["customer"] for row in await cursor.fetchall()}


async def refused_before(
    connection: Connection,
    wanted: Sequence[Identity],
    known: Mapping[Identity, str],
    rules: IdentityRules,
) -> str | None:
    """The customer of the surest name, where it was told already that no other name is tied to them.

    So a device that several people share costs a read, and no lock.
    """
    whose = known.get(wanted[0])
    if whose is None:
        return None
    others = [one for one in wanted if known.get(one) != whose]
    names = [{"kind": k, "value": v, "leads_to": known.get((k, v))} for k, v in others]
    values = {"names": jsonb(names), "whose": whose, "rules": rules.revision}
    cursor = await connection.execute(_REFUSED, values)
    row = await cursor.fetchone()
    return whose if row and row["refused"] == len(others) else None


async def join_names(
    connection: Connection,
    wanted: Sequence[Identity],
    rules: IdentityRules,
    *,
    explicit: bool,
    by: str,
) -> str:
    """Tie names that came together, and make one of the customers whom they lead to."""
    await _lock_names(connection, wanted)
    known = await owners(connection, wanted)
    if not known:
        return await _carry_out(
            connection, plan(wanted, {}, {}, rules, explicit=explicit), rules, by
        )
    while True:
        # Left by an error, a savepoint lets go of the locks that were taken in it: the next round
        # takes them in their order again, and no two ever wait for each other.
        async with connection.transaction() as round_:
            await lock_rows(connection, known.values())
            again = await owners(connection, wanted)
            if again != known:
                known = again
                raise psycopg.Rollback(round_)
            erased = await _erased(connection, known.values())
            if known.get(wanted[0]) in erased:
                return known[wanted[0]]  # what is said of them goes with them
            if erased:
                wanted = [name for name in wanted if known.get(name) not in erased]
                known = {name: whose for name, whose in known.items() if whose not in erased}
            counts = await _counts(connection, known.values())
            apart = await _parted(connection, set(known.values()))
            made = plan(wanted, known, counts, rules, apart, explicit=explicit)
            return await _carry_out(connection, made, rules, by)


async def _carry_out(connection: Connection, made: Plan, rules: IdentityRules, by: str) -> str:
    if made.joined:
        stays, *others = await in_order(connection, made.joined)
        for goes in others:
            await merge_customers(connection, stays, goes, by=by, why="named together")
        if made.tied:
            await _tie(connection, _TIE, stays, made.tied)
    else:
        stays = opaque_id()
        await _tie(connection, _MAKE, stays, made.tied)
    if made.refused:
        await _tell(connection, stays, made.refused, rules)
    return stays


async def in_order(connection: Connection, customers: Sequence[str]) -> list[str]:
    """Customers, the one who stays first: with a user id before without, then the older."""
    if len(customers) == 1:
        return list(customers)
    cursor = await connection.execute(
        """
        select c.customer from customers c where c.customer = any(%s)
         order by not exists (select 1 from identities i
                               where i.customer = c.customer and i.kind = 'user_id'),
                  c.created_at, c.customer
        """,
        [list(customers)],
    )
    return [row["customer"] for row in await cursor.fetchall()]


async def lock_rows(connection: Connection, customers: Iterable[str]) -> None:
    """Lock customers in one order everywhere."""
    rows = sorted(set(customers))
    if rows:
        await connection.execute(
            "select 1 from customers where customer = any(%s) order by customer for no key update",
            [rows],
        )


async def is_erased(connection: Connection, customer: str) -> bool:
    """Whether this id of ours is erased, or about to be."""
    return customer in await _erased(connection, [customer])


async def _erased(connection: Connection, customers: Iterable[str]) -> set[str]:
    cursor = await connection.execute(
        "select id from unnest(%s::text[]) id where is_erased(id)", [sorted(set(customers))]
    )
    return {row["id"] for row in await cursor.fetchall()}


def opaque_id() -> str:
    """An id of ours: nobody guesses it, and it tells nothing."""
    return f"c_{base64.b32encode(secrets.token_bytes(16)).decode().rstrip('=').lower()}"


async def _lock_names(connection: Connection, wanted: Sequence[Identity]) -> None:
    # In one order everywhere, so that two who want the same names never wait for each other.
    await connection.execute(
        """
        select pg_advisory_xact_lock(hashtextextended(name, 0))
          from (select name from unnest(%s::text[]) with ordinality as n(name, place)
                 order by place) o
        """,
        [[f"identity {kind} {value}" for kind, value in sorted(wanted)]],
    )


async def _counts(connection: Connection, customers: Iterable[str]) -> Counts:
    asked = sorted(set(customers))
    counts: dict[str, dict[str, int]] = {}
    if asked:
        cursor = await connection.execute(
            "select customer, kind, count(*) as names from identities"
            " where customer = any(%s) group by customer, kind",
            [asked],
        )
        for row in await cursor.fetchall():
            counts.setdefault(row["customer"], {})[row["kind"]] = row["names"]
    return counts


async def _parted(connection: Connection, customers: set[str]) -> frozenset[frozenset[str]]:
    """Pairs that were one and were parted again by staff."""
    if len(customers) < 2:
        return frozenset()
    cursor = await connection.execute(
        "select stays, goes from merges m where undone_at is not null"
        " and stays = any(%(all)s) and goes = any(%(all)s)",
        {"all": sorted(customers)},
    )
    return frozenset(frozenset((row["stays"], row["goes"])) for row in await cursor.fetchall())


async def _tie(
    connection: Connection, statement: LiteralString, customer: str, names: Sequence[Identity]
) -> None:
    rows = jsonb([{"kind": kind, "value": value} for kind, value in names])
    await connection.execute(statement, {"customer": customer, "names": rows})


async def _tell(
    connection: Connection, whose: str, refused: Sequence[RefusedTie], rules: IdentityRules
) -> None:
    names = [
        {"kind": r.identity[0], "value": r.identity[1], "leads_to": r.leads_to, "why": r.why}
        for r in refused
    ]
    values = {"names": jsonb(names), "whose": whose, "rules": rules.revision}
    await connection.execute(_TELL, values)
