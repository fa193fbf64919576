"""The rows of one customer, everywhere: found, counted, taken out, by the rules of `stores.held_tables`."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, LiteralString, cast

from contracts.routing import customer_unit
from stores.addresses import TRAITS as ADDRESS_TRAITS
from stores.customers import normalised
from stores.database import Connection
from stores.held_rules import Changes, Goes, Held
from stores.held_tables import TABLES

_IDS = """
select customer, traits from customers
 where customer = %(customer)s or merged_into = %(customer)s
 order by merged_into is not null, customer
"""

_RUNS = "select entry, workflow_id, first_run_id from runs where customer = any(%(ids)s)"

_STARTING = """
select s ->> 'workflow_id' as workflow_id
  from routing_units u cross join jsonb_array_elements(u.starting) s where u.unit = any(%(units)s)
"""

_KEYS = """
select key, channel, address from deliveries
 where customer = any(%(ids)s) or entry = any(%(entries)s)
"""

# What came through a subject is of the customer where nobody else ever had it.
_ALONE = """
select a.touchpoint, a.received_at from arrivals a
  join touchpoints t on t.received_at = a.received_at and t.touchpoint = a.touchpoint
 where a.customer = any(%(ids)s) and t.customer is null
   and not exists (select from arrivals b
                    where b.touchpoint = a.touchpoint and b.customer <> all(%(ids)s))
"""

_ADDRESSES = """
select kind, value from identities where customer = any(%(ids)s)
 union select channel, token from devices where customer = any(%(ids)s)
 union select channel, address from conversations where customer = any(%(ids)s)
 union select channel, address from inbound_messages where customer = any(%(ids)s)
"""

_TRAITS = """
select distinct named from touchpoints cross join lateral jsonb_object_keys(properties) named
 where customer = any(%(ids)s) and event = '$identify'
"""

PHONES = frozenset({"sms", "whatsapp"})


@dataclass(slots=True, kw_only=True)
class Sought:
    """All that the rows of one customer are found by, as long as they are being erased or exported.

    `ids`: the one who stays first. `alone`, `alone_at`: touchpoints about subjects that nobody
    else had. `quoted`: their names as JSON has them, in lower case. `addresses`: in lower case;
    `reached`: by kind, as they are hashed.
    """

    ids: list[str]
    units: list[str]
    entries: list[int]
    workflow_ids: list[str]
    run_ids: list[str]
    keys: list[str]
    alone: list[int]
    alone_at: list[str]
    quoted: list[str]
    addresses: list[str]
    reached: list[tuple[str, str]]
    traits: list[str]

    def values(self) -> dict[str, Any]:
        """The parameters of every condition, and what is kept while it goes on."""
        return asdict(self)


async def seek(connection: Connection, customer: str) -> Sought | None:
    """What the rows of a customer are found by, of all who became them too; None where nobody has this id."""
    people = await _all(connection, _IDS, {"customer": customer})
    if not people:
        return None
    ids = [row["customer"] for row in people]
    values: dict[str, Any] = {"ids": ids, "units": [customer_unit(each) for each in ids]}
    runs = await _all(connection, _RUNS, values)
    values["entries"] = [row["entry"] for row in runs]
    starting = await _all(connection, _STARTING, values)
    deliveries = await _all(connection, _KEYS, values)
    alone = await _alone(connection, values)
    named = await _all(connection, _ADDRESSES, values)
    told = await _all(connection, _TRAITS, values)
    reached = _reached(people, [*named, *_pairs(deliveries)])
    return Sought(
        ids=ids,
        units=values["units"],
        entries=values["entries"],
        workflow_ids=sorted({row["workflow_id"] for row in [*runs, *starting]}),
        run_ids=[row["first_run_id"] for row in runs],
        keys=[row["key"] for row in deliveries],
        alone=[row["touchpoint"] for row in alone],
        alone_at=[row["received_at"].isoformat() for row in alone],
        quoted=[_quoted(row["value"]) for row in named],
        addresses=sorted({address for _, address in reached}),
        reached=sorted(reached),
        traits=sorted({row["named"] for row in told} | {t for p in people for t in p["traits"]}),
    )


async def count(connection: Connection, sought: Sought) -> dict[str, int]:
    """How many rows of each table would go or be changed; tables with none are absent."""
    counts: dict[str, int] = {}
    for table, held in _touched():
        statement: LiteralString = f'select count(*) as n from "{table}" t where {held.whose}'
        [row] = await _all(connection, statement, sought.values())
        if row["n"]:
            counts[table] = row["n"]
    return counts


async def take_out(connection: Connection, sought: Sought) -> dict[str, int]:
    """Delete or change every row of the customer; how many of each table. Twice is once."""
    counts: dict[str, int] = {}
    for table, held in _touched():
        cursor = await connection.execute(_statement(table, held), sought.values())
        if cursor.rowcount:
            counts[table] = cursor.rowcount
    return counts


def _touched() -> list[tuple[LiteralString, Held]]:
    return [
        (table, held) for table, held in TABLES.items() if isinstance(held.erase, Goes | Changes)
    ]


def _statement(table: LiteralString, held: Held) -> LiteralString:
    if isinstance(held.erase, Changes):
        anew = [f"{column} = {value}" for column, value in held.erase.columns.items()]
        changed = f'update "{table}" t set {", ".join(anew)} where {held.whose}'
        return cast("LiteralString", changed)
    return f'delete from "{table}" t where {held.whose}'


async def _alone(connection: Connection, values: dict[str, Any]) -> list[dict[str, Any]]:
    # Whether anybody else had them asks for the arrivals of all: only where there are any.
    some = "select 1 from arrivals a join touchpoints t on t.received_at = a.received_at"
    some += (
        " and t.touchpoint = a.touchpoint where a.customer = any(%(ids)s) and t.customer is null"
    )
    if not await _all(connection, some + " limit 1", values):
        return []
    return await _all(connection, _ALONE, values)


def _pairs(deliveries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"kind": row["channel"], "value": row["address"]}
        for row in deliveries
        if row["channel"] and row["address"]
    ]


def _reached(
    people: Sequence[dict[str, Any]], named: Sequence[dict[str, Any]]
) -> set[tuple[str, str]]:
    """Every address that was theirs, with its kind; ids by which nobody is reached are none."""
    found = {address_of(row["kind"], row["value"]) for row in named}
    for person in people:
        for channel, traits in ADDRESS_TRAITS.items():
            held = (person["traits"].get(name) for name in traits)
            found |= {address_of(channel, each) for each in held if isinstance(each, str)}
    ours = {row["customer"] for row in people}
    return {
        (kind, address)
        for kind, address in found
        if address and kind not in ("user_id", "anonymous_id", "inbox") and address not in ours
    }


def address_of(channel: str, address: str) -> tuple[str, str]:
    """The kind of an address, the same for all channels that use it, and the address as it is hashed."""
    kind = "phone" if channel in PHONES else channel
    return kind, normalised(kind, address)[1].lower()


def _quoted(name: str) -> str:
    """A name as it stands in a refused message: quoted, escaped, in lower case."""
    return json.dumps(name).lower()


async def _all(
    connection: Connection, statement: LiteralString, values: dict[str, Any]
) -> list[dict[str, Any]]:
    return await (await connection.execute(statement, values)).fetchall()
