"""Customers: the names that lead to them, their traits and their time zone."""

import base64
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from pydantic import JsonValue

from stores.database import Connection, Pool, clean_text, jsonb

STRENGTH = ("user_id", "email", "phone", "anonymous_id")
"""Kinds of identity, the surest first; kinds of one's own come after these."""

ZONE_TRAITS = ("zone", "timezone")
"""Traits that set the customer's time zone: ours, and the name that Segment's clients use."""

_PHONE = re.compile(r"\+?[0-9 ()./-]+")
_NOT_DIALLED = re.compile(r"[ ()./-]")

Identity = tuple[str, str]
"""Kind and value, such as ("email", "anna@example.com")."""


class UnknownZoneError(ValueError):
    """The zone is not an IANA time zone; write one such as Europe/Prague."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Customer:
    """A customer and what we hold of them."""

    customer: str
    traits: dict[str, JsonValue]
    zone: str | None
    created_at: datetime

    def profile(self) -> dict[str, JsonValue]:
        """What conditions and templates see as `customer`."""
        return {**self.traits, "id": self.customer, "zone": self.zone}


@dataclass(slots=True, frozen=True, kw_only=True)
class TraitsMerged:
    """A customer after a change of traits, and which of them it changed; a removed one is null."""

    customer: Customer
    changed: dict[str, JsonValue]


class CustomerStore:
    """Customers by id and by every name that leads to them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def resolve(self, connection: Connection, identities: Iterable[Identity]) -> str:
        """The customer that these identities lead to, created when none of them is known.

        Unknown identities are tied to the customer found by the surest one. Where identities
        already lead to different customers the surest decides and the others stay as they are;
        and one customer never gets a second user id: a new user id on a shared device or mailbox
        is a new customer. Whoever resolves the same identity at the same time waits for this
        transaction. Raises: `ValueError` where no identity is given.
        """
        wanted = _ordered(identities)
        if not wanted:
            raise ValueError("a customer needs at least one identity")
        known = await _known(connection, wanted)
        if len(known) < len(wanted):
            await _lock(connection, wanted)
            known = await _known(connection, wanted)
        customer = next((known[identity] for identity in wanted if identity in known), None)
        unknown = [identity for identity in wanted if identity not in known]
        if not unknown and customer is not None:
            return customer
        if customer is not None and await _is_another(connection, customer, unknown):
            customer = None
        if customer is None:
            customer = await _create(connection)
        await _tie(connection, customer, unknown)
        return customer

    async def find(self, identity: str) -> Customer | None:
        """The customer whose id, or any of whose identities, this is; the surest kind decides."""
        async with self._pool.connection() as connection:
            return await find_customer(connection, identity)

    async def known(self, identity: str) -> str:
        """The customer of our id or of any identity; made, with it as user id, where nobody has it."""
        async with self._pool.connection() as connection:
            found = await find_customer(connection, identity)
            if found is not None:
                return found.customer
            return await self.resolve(connection, [("user_id", identity)])

    async def customer(self, customer: str) -> Customer | None:
        """The customer of one of our own ids."""
        async with self._pool.connection() as connection:
            return await read_customer(connection, customer)

    async def profile(self, customer: str) -> dict[str, JsonValue]:
        """What conditions and templates see as `customer`; of an unknown one, only the id."""
        found = await self.customer(customer)
        return found.profile() if found else {"id": customer, "zone": None}

    async def identities(self, customer: str) -> list[Identity]:
        """Every name that leads to a customer, the surest first."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select kind, value from identities where customer = %s", [customer]
            )
            rows = await cursor.fetchall()
        return _ordered((row["kind"], row["value"]) for row in rows)

    async def merge_traits(
        self, connection: Connection, customer: str, traits: Mapping[str, JsonValue]
    ) -> TraitsMerged:
        """Lay traits over those held; null removes one. Twice is the same as once.

        `zone` (or `timezone`, unless `zone` is given) sets the customer's time zone.
        Raises: `UnknownZoneError` where `zone` is none; a `timezone` that is none is left a trait.
        Raises: `LookupError` where there is no such customer.
        """
        before = await read_customer(connection, customer, lock=True)
        if before is None:
            raise LookupError(f"there is no customer {customer!r}")
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
                [jsonb(after), zone, customer],
            )
        now = Customer(customer=customer, traits=after, zone=zone, created_at=before.created_at)
        return TraitsMerged(customer=now, changed=changed)


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
        select c.*, '' from customers c where c.customer = %(raw)s
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
    """A customer by our id; with `lock`, whoever else locks them waits for this transaction."""
    cursor = await connection.execute(
        f"select * from customers where customer = %s{' for no key update' if lock else ''}",
        [customer],
    )
    row = await cursor.fetchone()
    return _customer(row) if row else None


def _customer(row: dict[str, Any]) -> Customer:
    return Customer(
        customer=row["customer"],
        traits=row["traits"],
        zone=row["zone"],
        created_at=row["created_at"],
    )


def _rank(kind: str) -> int:
    if kind == "":
        return -1
    return STRENGTH.index(kind) if kind in STRENGTH else len(STRENGTH)


def _ordered(identities: Iterable[Identity]) -> list[Identity]:
    given = {normalised(kind, value) for kind, value in identities}
    return sorted(
        (identity for identity in given if identity[1]),
        key=lambda identity: (_rank(identity[0]), identity),
    )


async def _known(connection: Connection, wanted: list[Identity]) -> dict[Identity, str]:
    cursor = await connection.execute(
        """
        select i.kind, i.value, i.customer from identities i
          join jsonb_to_recordset(%s) as w(kind text, value text) using (kind, value)
        """,
        [jsonb([{"kind": kind, "value": value} for kind, value in wanted])],
    )
    return {(row["kind"], row["value"]): row["customer"] for row in await cursor.fetchall()}


async def _lock(connection: Connection, wanted: list[Identity]) -> None:
    # In one order everywhere, so that two who want the same names never wait for each other.
    for kind, value in sorted(wanted):
        await connection.execute(
            "select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"identity {kind} {value}"]
        )


async def _is_another(connection: Connection, customer: str, unknown: list[Identity]) -> bool:
    """Whether a user id among the unknown ones belongs to somebody else than this customer."""
    if not any(kind == "user_id" for kind, _ in unknown):
        return False
    await read_customer(connection, customer, lock=True)
    cursor = await connection.execute(
        "select 1 from identities where customer = %s and kind = 'user_id' limit 1", [customer]
    )
    return await cursor.fetchone() is not None


async def _create(connection: Connection) -> str:
    opaque = base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()
    await connection.execute("insert into customers (customer) values (%s)", [f"c_{opaque}"])
    return f"c_{opaque}"


async def _tie(connection: Connection, customer: str, unknown: list[Identity]) -> None:
    await connection.execute(
        """
        insert into identities (kind, value, customer)
        select kind, value, %s from jsonb_to_recordset(%s) as w(kind text, value text)
        on conflict do nothing
        """,
        [customer, jsonb([{"kind": kind, "value": value} for kind, value in unknown])],
    )


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
