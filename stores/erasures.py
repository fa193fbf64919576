"""Erasures: begun, carried on in steps that may each be broken off and done again, and proved.

From the moment at which one begins, nothing is stored for its customer (`is_erased`). Its rows go
when their runs are gone; then once more, when every transaction of before has ended, until
nothing is found. What is found by and who it was for is forgotten then; the proof stays.
"""

import base64
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import JsonValue

from contracts.ids import owner_of
from stores.audit import record_deed
from stores.customers import find_customer, lock_canonical
from stores.database import Connection, Pool, dump_json, jsonb
from stores.erased_figures import figures_of
from stores.erased_hashes import ErasedHashes
from stores.erased_rows import Sought, count, seek, take_out
from stores.identity_graph import lock_rows
from stores.journey_figures import keep_figures

HELD_FOR = timedelta(seconds=60)
"""For how long whoever carries an erasure on has it for themselves; each step begins it anew."""

DestroyKeys = Callable[[Connection, Sequence[str]], Awaitable[int]]
"""Destroys the history keys of these owners, in the transaction of the caller; says how many."""


class UnknownErasureError(LookupError):
    """There is no such erasure."""


class NobodyToEraseError(LookupError):
    """Nobody is known by this name."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Preview:
    """What an erasure would take: our id, rows by table, and what is open."""

    customer: str
    counts: dict[str, int]
    open_runs: int
    open_cases: int


@dataclass(slots=True, frozen=True, kw_only=True)
class UnderWay:
    """An erasure that is carried on: how far it is, and what it looks for."""

    erasure: str
    state: str
    sought: Sought


@dataclass(slots=True, frozen=True, kw_only=True)
class Proof:
    """What is on record of an erasure; no personal data. `customers`: keyed hashes, in hex."""

    erasure: str
    state: str
    reason: str
    asked_by: str
    begun_at: datetime
    done_at: datetime | None
    customers: list[str]
    counts: dict[str, int]
    figures: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    executions: int
    keys: int
    addresses: int
    digest: str | None


class ErasureStore:
    """Begins erasures, takes rows out, and keeps the proofs.

    `hashes` is needed to begin; `destroy_keys`: where histories are encrypted.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        hashes: ErasedHashes | None = None,
        destroy_keys: DestroyKeys | None = None,
    ) -> None:
        self._pool = pool
        self._hashes = hashes
        self._destroy_keys = destroy_keys

    async def preview(self, identity: str, *, kind: str | None = None) -> Preview:
        """What would go. `kind`: the identity is of this kind and no other. Raises: `NobodyToEraseError`."""
        async with self._pool.connection() as connection:
            customer = await _named(connection, identity, kind)
            sought = await seek(connection, customer)
            if sought is None:
                raise NobodyToEraseError(f"nobody is known as {identity}")
            row = await _row(connection, _OPEN, sought.values())
            return Preview(customer=customer, counts=await count(connection, sought), **row)

    async def begin(self, customer: str, *, by: str, reason: str = "") -> str:
        """From now on nothing is stored for this customer. Begun twice, it is the one begun first.

        Raises: `NobodyToEraseError`.
        """
        assert self._hashes is not None, "an erasure begins where CLEW_SECRET is known"
        async with self._pool.connection() as connection:
            customer = await lock_canonical(connection, customer)
            sought = await seek(connection, customer)
            if sought is None:
                raise NobodyToEraseError(f"nobody is known as {customer}")
            await lock_rows(connection, sought.ids)
            known = await _row(connection, _BEGUN, {"id": sought.ids[0]})
            if known:
                return known["erasure"]
            erasure = _new_id()
            values: dict[str, Any] = {
                "erasure": erasure,
                "work": jsonb(sought.values()),
                "ids": sought.ids,
                "customers": [self._hashes.of_customer(each) for each in sought.ids],
                "addresses": [self._hashes.of_kind(*each) for each in sought.reached],
                "reason": reason,
                "by": by,
            }
            await connection.execute(_BEGIN, values)
            await record_deed(connection, by, "began to erase", f"erasure {erasure}")
            return erasure

    # -- carrying on

    async def hold(self, holder: str, erasure: str | None = None) -> UnderWay | None:
        """Have one that was begun, or this one, for oneself for a while; None where there is none to be had."""
        async with self._pool.connection() as connection:
            row = await _row(
                connection, _HOLD, {"holder": holder, "erasure": erasure, "for": HELD_FOR}
            )
        if not row:
            return None
        return UnderWay(erasure=row["erasure"], state=row["state"], sought=_sought(row["work"]))

    async def let_go(self, holder: str, erasure: str) -> None:
        """Let anybody carry it on."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "update erasures set held_until = null where erasure = %s and held_by = %s",
                [erasure, holder],
            )

    async def routing_stopped(self, going: UnderWay) -> bool:
        """Take the customer's units for good; False while a router still works one of them."""
        async with self._pool.connection() as connection:
            values = going.sought.values()
            await connection.execute(_FREEZE, values)
            row = await _row(connection, _STILL_ROUTED, values)
            return not row["units"]

    async def sending_ended(self, going: UnderWay) -> bool:
        """Whether no attempt to deliver something is under way; one that died has ended with its claim."""
        async with self._pool.connection() as connection:
            row = await _row(connection, _STILL_SENT, going.sought.values())
            return not row["claims"]

    async def known_runs(self, going: UnderWay) -> list[tuple[str, str]]:
        """Workflow ids and first run ids of all runs we know of by now, also of some that began late."""
        async with self._pool.connection() as connection:
            again = await seek(connection, going.sought.ids[0])
        found = [going.sought, *([again] if again else [])]
        ids = {each for sought in found for each in sought.workflow_ids}
        pairs = {(each, "") for each in ids}
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select workflow_id, first_run_id from runs where customer = any(%(ids)s)",
                going.sought.values(),
            )
            pairs |= {(row["workflow_id"], row["first_run_id"]) for row in await cursor.fetchall()}
        return sorted(pairs)

    async def executions_found(self, going: UnderWay, run_ids: Sequence[str]) -> None:
        """Count executions that are about to be deleted; each counts once, however often it is found."""
        async with self._pool.connection() as connection:
            await connection.execute(_FOUND, {"erasure": going.erasure, "run_ids": list(run_ids)})

    async def executions_gone(self, going: UnderWay) -> None:
        """No execution is left: the rows may go."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "update erasures set state = 'ended' where erasure = %s and state = 'begun'",
                [going.erasure],
            )

    async def take_out(self, going: UnderWay) -> None:
        """Take out all rows in one transaction, and destroy the keys of their histories."""
        async with self._pool.connection() as connection:
            # `for update`: whoever wrote under the customer's lock has committed, and is seen.
            await connection.execute(_LOCK, going.sought.values())
            again = await seek(connection, going.sought.ids[0])
            sought = _both(going.sought, again)
            await keep_figures(connection, sought.entries)
            values = {
                "erasure": going.erasure,
                "figures": jsonb(await figures_of(connection, sought)),
                "keys": await self._destroyed(connection, sought),
                "counts": jsonb(await take_out(connection, sought)),
                "work": jsonb(sought.values()),
            }
            await connection.execute(_SWEPT, values)

    async def sweep(self, going: UnderWay) -> bool:
        """Look again when every transaction of before has ended; True, and done, where nothing is found."""
        async with self._pool.connection() as connection:
            row = await _row(connection, _SETTLED, {"erasure": going.erasure})
            if not row["settled"]:
                return False
            keys = await self._destroyed(connection, going.sought)
            await keep_figures(connection, going.sought.entries)
            counts = await take_out(connection, going.sought)
            values = {"erasure": going.erasure, "counts": jsonb(counts), "keys": keys}
            if counts:
                await connection.execute(_SWEPT_AGAIN, values)
                return False
            await connection.execute(_DONE, values)
            proof = await _proof(connection, going.erasure)
            digest = digest_of(proof)
            await connection.execute(
                "update erasures set digest = %s where erasure = %s", [digest, going.erasure]
            )
            told: dict[str, JsonValue] = {"erasure": going.erasure, "digest": digest}
            await record_deed(
                connection, proof.asked_by, "erased", f"erasure {going.erasure}", told
            )
            return True

    async def _destroyed(self, connection: Connection, sought: Sought) -> int:
        if self._destroy_keys is None:
            return 0
        values = sought.values() | {"owners": owners_of(sought)}
        cursor = await connection.execute(_OWNERS, values)
        owners = [row["owner"] for row in await cursor.fetchall()]
        destroyed = await self._destroy_keys(connection, owners)
        await connection.execute(_FORGET, sought.values() | {"owners": owners})
        return destroyed

    # -- proofs

    async def proof(self, erasure: str) -> Proof:
        """What is on record of one. Raises: `UnknownErasureError`."""
        async with self._pool.connection() as connection:
            return await _proof(connection, erasure)

    async def proofs(self) -> list[Proof]:
        """Of all, the oldest first."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute("select erasure from erasures order by begun_at")
            return [await _proof(connection, row["erasure"]) for row in await cursor.fetchall()]

    async def brought_back(self, proofs: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
        """Customers of this database who were erased: our id, and the erasure. For a restored backup."""
        assert self._hashes is not None, "proofs are compared where CLEW_SECRET is known"
        gone = {digest: each["erasure"] for each in proofs for digest in each["customers"]}
        found: list[tuple[str, str]] = []
        async with (
            self._pool.connection() as connection,
            connection.cursor("customers_brought_back") as cursor,
        ):
            await cursor.execute("select customer from customers order by customer")
            async for row in cursor:
                digest = self._hashes.of_customer(row["customer"]).hex()
                if digest in gone:
                    found.append((row["customer"], gone[digest]))
        return found


def owners_of(sought: Sought) -> list[str]:
    """Whose keys the histories of these runs are under, and each of our ids."""
    return sorted({*sought.ids, *map(owner_of, sought.workflow_ids)})


def digest_of(proof: Proof) -> str:
    """SHA-256 over what the proof says, so that a copy can be compared."""
    told = [
        proof.erasure,
        proof.asked_by,
        proof.reason,
        proof.begun_at.isoformat(),
        proof.done_at.isoformat() if proof.done_at else "",
        proof.customers,
        sorted(proof.counts.items()),
        proof.executions,
        proof.keys,
        proof.addresses,
    ]
    return hashlib.sha256(dump_json(told)).hexdigest()


_OPEN = """
select (select count(*) from runs where customer = any(%(ids)s) and state = 'open') as open_runs,
       (select count(*) from cases
         where customer = any(%(ids)s) and under_way) as open_cases
"""

_BEGUN = """
select e.erasure from erased_customers c join erasures e using (erasure)
 where c.digest = sha256(convert_to(%(id)s, 'UTF8')) and e.state <> 'done'
"""

_BEGIN = """
with marked as (
    insert into erased_customers (digest, erasure)
    select sha256(convert_to(id, 'UTF8')), %(erasure)s from unnest(%(ids)s::text[]) id
    on conflict (digest) do update set erasure = excluded.erasure
), kept as (
    insert into erased_addresses (digest, erasure)
    select d, %(erasure)s from unnest(%(addresses)s::bytea[]) d order by d
    on conflict (digest) do update set erasure = excluded.erasure, at = now()
)
insert into erasures (erasure, work, customers, reason, asked_by)
values (%(erasure)s, %(work)s, %(customers)s, %(reason)s, %(by)s)
"""

_HOLD = """
update erasures e set held_by = %(holder)s, held_until = clock_timestamp() + %(for)s
 where e.erasure = (
    select erasure from erasures
     where state <> 'done' and (%(erasure)s::text is null or erasure = %(erasure)s)
       and (held_until is null or held_until < clock_timestamp() or held_by = %(holder)s)
     order by begun_at limit 1 for update skip locked)
returning erasure, state, work
"""

_FREEZE = """
insert into routing_units (unit, leased_by, leased_until)
select unit, 'erasure', 'infinity' from unnest(%(units)s::text[]) unit order by unit
on conflict (unit) do update set leased_by = 'erasure', leased_until = 'infinity'
 where routing_units.leased_until is null or routing_units.leased_until <= clock_timestamp()
"""

_STILL_ROUTED = """
select count(*) as units from routing_units
 where unit = any(%(units)s) and leased_until > clock_timestamp()
   and leased_by is distinct from 'erasure'
"""

_STILL_SENT = """
select count(*) as claims from deliveries
 where (customer = any(%(ids)s) or entry = any(%(entries)s))
   and state = 'intended' and claimed_until > clock_timestamp()
"""

_LOCK = "select 1 from customers where customer = any(%(ids)s) order by customer for update"

# A run that a merge brought may be sealed for somebody who is parted from them by now, and lives on.
_OWNERS = """
select owner from unnest(%(owners)s::text[]) owner
 where owner = any(%(ids)s)
    or not exists (select from customers c where c.customer = owner)
   and not exists (select from identities i where i.value = owner and i.customer <> all(%(ids)s))
"""

# Under our ids no key is ever made again. Other owners are names that an SDK gave: they go, too.
_FORGET = """
delete from history_keys where owner = any(%(owners)s) and owner <> all(%(ids)s)
"""

_FOUND = """
update erasures e
   set executions = executions + cardinality(new.run_ids), found_runs = found_runs || new.run_ids
  from (select array(select unnest(%(run_ids)s::text[])
                     except select unnest(found_runs) from erasures where erasure = %(erasure)s)
               as run_ids) new
 where erasure = %(erasure)s
"""

_ADD = """
(select coalesce(jsonb_object_agg(name, n), '{}') from (
    select name, sum(value::bigint) as n from (
        select * from jsonb_each_text(e.counts) a(name, value) union all
        select * from jsonb_each_text(%(counts)s::jsonb) b(name, value)) both_
     group by name) added)
"""

_SWEPT = f"""
update erasures e
   set state = 'swept', swept_by = pg_current_xact_id(), counts = {_ADD}, work = %(work)s,
       figures = case when e.figures = '{{}}' then %(figures)s else e.figures end,
       keys = keys + %(keys)s
 where erasure = %(erasure)s
"""

_SWEPT_AGAIN = f"""
update erasures e
   set swept_by = pg_current_xact_id(), counts = {_ADD}, keys = keys + %(keys)s
 where erasure = %(erasure)s
"""

_SETTLED = """
select swept_by < pg_snapshot_xmin(pg_current_snapshot()) as settled
  from erasures where erasure = %(erasure)s
"""

_DONE = """
update erasures set state = 'done', done_at = now(), work = null, found_runs = '{}', swept_by = null,
       held_by = null, held_until = null, keys = keys + %(keys)s
 where erasure = %(erasure)s
"""

_PROOF = """
select e.erasure, e.state, e.reason, e.asked_by, e.begun_at, e.done_at,
       array(select encode(c, 'hex') from unnest(e.customers) c order by 1) as customers,
       e.counts, e.figures, e.executions, e.keys, e.digest,
       (select count(*) from erased_addresses a where a.erasure = e.erasure) as addresses
  from erasures e where e.erasure = %(erasure)s
"""


async def _proof(connection: Connection, erasure: str) -> Proof:
    row = await _row(connection, _PROOF, {"erasure": erasure})
    if not row:
        raise UnknownErasureError(f"there is no erasure {erasure}")
    return Proof(**row)


async def _named(connection: Connection, identity: str, kind: str | None) -> str:
    found = await find_customer(connection, identity)
    if kind is not None:
        row = await _row(
            connection,
            "select customer from identities where kind = %(kind)s and value = %(value)s",
            {"kind": kind, "value": identity},
        )
        if not row:
            raise NobodyToEraseError(f"nobody is known by the {kind} {identity}")
        return row["customer"]
    if found is None:
        raise NobodyToEraseError(f"nobody is known as {identity}")
    return found.customer


def _sought(work: dict[str, Any]) -> Sought:
    work["reached"] = [(kind, address) for kind, address in work["reached"]]
    return Sought(**work)


def _both(before: Sought, now: Sought | None) -> Sought:
    """All that was found at the beginning, and what was written since."""
    if now is None:
        return before
    first, second = before.values(), now.values()
    joined = {
        name: [*first[name], *(x for x in second[name] if x not in first[name])] for name in first
    }
    return Sought(**joined)


def _new_id() -> str:
    return f"e_{base64.b32encode(secrets.token_bytes(16)).decode().rstrip('=').lower()}"


async def _row(connection: Connection, statement: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    return await (await connection.execute(statement, values)).fetchone() or {}
