"""Customers: the names that lead to them, their traits and their time zone."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from pydantic import JsonValue

from journey.identity_rules import STRENGTH, Identity, IdentityRules
from journey.trait_types import as_pinned
from stores.database import Connection, Pool, clean_text, jsonb, one_statement
from stores.house_rules import HouseRules
from stores.identity_graph import is_erased, join_names, owners, refused_before

__all__ = ["STRENGTH", "Customer", "CustomerStore", "Identity"]

ZONE_TRAITS = ("zone", "timezone")
"""Traits that set the customer's time zone: ours, and the name that Segment's clients use."""

_PHONE = re.compile(r"\+?[0-9 ()./-]+")
_NOT_DIALLED = re.compile(r"[ ()./-]")


class NameOfNobodyError(ValueError):
    """Every name that was given is one that clients send where they know nobody; identities.yaml says which."""


class UnknownZoneError(ValueError):
    """The zone is not an IANA time zone; write one such as Europe/Prague."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Customer:
    """A customer and what we hold of them. `erased`: they are being erased, and nothing more is kept."""

    customer: str
    traits: dict[str, JsonValue]
    zone: str | None
    created_at: datetime
    erased: bool = False

    def profile(self) -> dict[str, JsonValue]:
        """What conditions and templates see as `customer`."""
        return {**self.traits, "id": self.customer, "zone": self.zone}


@dataclass(slots=True, frozen=True, kw_only=True)
class TraitsMerged:
    """A customer after a change of traits, and which of them it changed; a removed one is null.

    `refused`: traits that are not of the type that is pinned, and what is wrong with each.
    """

    customer: Customer
    changed: dict[str, JsonValue]
    refused: dict[str, str] = field(default_factory=dict[str, str])


class CustomerStore:
    """Customers by id and by every name that leads to them."""

    def __init__(self, pool: Pool, rules: IdentityRules | None = None) -> None:
        """`rules`: in place of those of the house."""
        self._pool = pool
        self.rules = HouseRules(rules)

    async def resolve(
        self,
        connection: Connection,
        identities: Iterable[Identity],
        *,
        explicit: bool = False,
        by: str = "ingest",
    ) -> str:
        """The customer that these identities lead to, created when none of them is known.

        Where they lead to different customers, these become one, and unknown identities are tied
        to it, as far as the rules of the house allow: what is too much is left as it was, and told
        in `refused_ties`. `explicit`: somebody said that it is one person; no limit forbids it.
        Whoever resolves the same identity at the same time waits for this transaction.
        Raises: `NameOfNobodyError` where no identity is given but blocked values.
        """
        rules = await self.rules.read(connection)
        wanted = rules.ordered(normalised(kind, value) for kind, value in identities)
        if not wanted:
            raise NameOfNobodyError("a customer needs a name that is not a name of nobody")
        known = await owners(connection, wanted)
        found = set(known.values())
        if len(known) == len(wanted) and len(found) == 1:
            return found.pop()
        if found and not explicit:
            told = await refused_before(connection, wanted, known, rules)
            if told is not None:
                return told
        return await join_names(connection, wanted, rules, explicit=explicit, by=by)

    async def alias(self, connection: Connection, now: str, before: str) -> str:
        """Somebody said that who was known as `before` is `now`: they become one, whatever the limits.

        `before` is their user id where one of that name is known, else an anonymous id.
        """
        former = normalised("user_id", before)
        if not await owners(connection, [former]):
            former = ("anonymous_id", before)
        names = [("user_id", now), former]
        return await self.resolve(connection, names, explicit=True, by="alias")

    async def find(self, identity: str) -> Customer | None:
        """The customer whose id, or any of whose identities, this is; the surest kind decides."""
        async with self._pool.connection() as connection:
            return await find_customer(connection, identity)

    async def known(self, identity: str) -> str:
        """The customer of our id or of any identity; made, with it as user id, where nobody has it.

        Raises: `NameOfNobodyError`.
        """
        async with self._pool.connection() as connection:
            found = await find_customer(connection, identity)
            if found is not None:
                return found.customer
            return await self.resolve(connection, [("user_id", identity)])

    async def customer(self, customer: str) -> Customer | None:
        """The customer of one of our own ids."""
        async with one_statement(self._pool) as connection:
            return await read_customer(connection, customer)

    async def profile(self, customer: str) -> dict[str, JsonValue]:
        """What conditions and templates see as `customer`; of an unknown one, only the id."""
        found = await self.customer(customer)
        return found.profile() if found else {"id": customer, "zone": None}

    async def identities(self, customer: str) -> list[Identity]:
        """Every name that leads to a customer, the surest first."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select kind, value from identities where customer = canonical(%s)", [customer]
            )
            rows = await cursor.fetchall()
        return _ordered((row["kind"], row["value"]) for row in rows)

    async def merge_traits(
        self, connection: Connection, customer: str, traits: Mapping[str, JsonValue]
    ) -> TraitsMerged:
        """Lay traits over those held; null removes one. Twice is the same as once.

        `zone` (or `timezone`, unless `zone` is given) sets the customer's time zone. Of a customer
        who was erased meanwhile nothing is kept.
        Raises: `UnknownZoneError` where `zone` is none; a `timezone` that is none is left a trait.
        Raises: `LookupError` where there is no such customer.
        """
        before = await read_customer(connection, customer, lock=True)
        if before is None:
            if await is_erased(connection, customer):
                gone = Customer(
                    customer=customer, traits={}, zone=None, created_at=datetime.now(UTC)
                )
                return TraitsMerged(customer=gone, changed={})
            raise LookupError(f"there is no customer {customer!r}")
        if before.erased:
            return TraitsMerged(customer=before, changed={})
        rules = await self.rules.read(connection)
        traits, refused = as_pinned(traits, rules.traits)
        zone = zone_of(traits, before.zone)
        laid = {**before.traits, **{k: v for k, v in traits.items() if k != "zone"}}
        after: dict[str, JsonValue] = {k: v for k, v in laid.items() if v is not None}
        changed: dict[str, JsonValue] = {
            name: after.get(name)
            for name in {*before.traits, *after}
            if before.traits.get(name) != after.get(name)
        }
        if zone != before.zone:
            changed["zone"] = zone
        if changed:
            await connection.execute(
                "update customers set traits = %s, zone = %s where customer = %s",
                [jsonb(after), zone, before.customer],
            )
        now = replace(before, traits=after, zone=zone)
        return TraitsMerged(customer=now, changed=changed, refused=refused)


def zone_of(traits: Mapping[str, JsonValue], held: str | None) -> str | None:
    """The time zone that a change of traits leaves. Raises: `UnknownZoneError`."""
    if "zone" in traits:
        zone = traits["zone"]
        if zone is not None and not is_zone(zone):
            raise UnknownZoneError(f"{zone!r} is not an IANA time zone such as Europe/Prague")
        return zone if isinstance(zone, str) else None
    timezone = traits.get("timezone")
    return timezone if isinstance(timezone, str) and is_zone(timezone) else held


def is_zone(zone: object) -> bool:
    """Whether this is the name of an IANA time zone."""
    return isinstance(zone, str) and zone in _zones()


def normalised(kind: str, value: str) -> Identity:
    """An identity as it is stored: e-mail in lower case, phone without spaces and punctuation."""
    value = clean_text(value).strip()
    if kind == "email":
        value = value.lower()
    elif kind == "phone" and _PHONE.fullmatch(value):
        value = _NOT_DIALLED.sub("", value)
    return kind, value


async def find_customer(connection: Connection, identity: str) -> Customer | None:
    """As `CustomerStore.find`, in the caller's transaction."""
    raw = clean_text(identity).strip()
    spellings = {kind: normalised(kind, identity)[1] for kind in STRENGTH}
    cursor = await connection.execute(
        """
        select c.*, i.kind from customers c join identities i using (customer)
         where i.value = any(%(values)s)
           and i.value = coalesce(%(spellings)s::jsonb ->> i.kind, %(raw)s)
         union all
        select c.*, '' from customers c where c.customer = canonical(%(raw)s)
        """,
        {
            "values": [raw, *spellings.values()],
            "spellings": jsonb(spellings),
            "raw": raw,
        },
    )
    rows = await cursor.fetchall()
    return _customer(min(rows, key=lambda row: _rank(row["kind"]))) if rows else None


async def read_customer(
    connection: Connection, customer: str, *, lock: bool = False
) -> Customer | None:
    """The customer whom an id of ours means now; with `lock`, whoever else locks them waits for this transaction."""
    wanted = customer
    while True:
        cursor = await connection.execute(
            "select *, is_erased(customer) as erased from customers where customer = %s"
            f"{' for no key update' if lock else ''}",
            [wanted],
        )
        row = await cursor.fetchone()
        if row is None or row["merged_into"] is None:
            return _customer(row) if row else None
        wanted = row["merged_into"]


async def canonical(connection: Connection, customer: str) -> str:
    """The id of the customer whom an id of ours means now."""
    cursor = await connection.execute("select canonical(%s) as customer", [customer])
    row = await cursor.fetchone()
    return row["customer"] if row else customer


async def lock_canonical(connection: Connection, customer: str) -> str:
    """Lock the customer whom an id of ours means now; their id. One whom nobody knows is not locked."""
    found = await read_customer(connection, customer, lock=True)
    return found.customer if found else customer


def _customer(row: dict[str, Any]) -> Customer:
    return Customer(
        customer=row["customer"],
        traits=row["traits"],
        zone=row["zone"],
        created_at=row["created_at"],
        erased=row.get("erased", False),
    )


def _rank(kind: str) -> int:
    if kind == "":
        return -1
    return STRENGTH.index(kind) if kind in STRENGTH else len(STRENGTH)


def _ordered(identities: Iterable[Identity]) -> list[Identity]:
    return sorted(identities, key=lambda identity: (_rank(identity[0]), identity))


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
