"""A row of one customer in every table that erasure touches, with a mark in each column that takes one."""

from typing import Any

from psycopg import sql

from stores.database import Connection, jsonb
from stores.held_rules import Stays
from stores.held_tables import TABLES

_COLUMNS = """
select c.column_name as name, c.udt_name as type, c.is_identity = 'YES' as numbered
  from information_schema.columns c
 where c.table_schema = 'public' and c.table_name = %s and c.is_generated = 'NEVER' order by c.ordinal_position
"""

_TYPES: dict[str, Any] = {
    "int8": 1,
    "int4": 1,
    "int2": 1,
    "float8": 1.0,
    "bool": False,
    "timestamptz": "2026-11-22T09:00:00Z",
    "time": "09:00",
    "xid8": None,
}

_ORDERED = """
insert into bulk_acts (act, form, kind, journey, version, address, up_to, seen_at, shown, reason, ordered_by)
overriding system value values (1, 'f', 'end', 'cart', 'v', 'only/0', 1, now(), 1, 'closed', 'eva')
on conflict do nothing
"""

# What else would be refused by a check, or leads nowhere.
_SAID: dict[str, Any] = {
    "cases.state": "open",
    "cases.origin": "journey",
    "case_messages.state": "sent",
    "case_writers.member": "eva",
    "cases.pauses": [],
    "cases.fixed": None,
    "cases.approval": None,
    "coupons.state": "open",
    "deliveries.state": "accepted",
    "runs.state": "open",
    "bulk_act_runs.state": "done",
    "runs.stands": {},
    "problems.state": "open",
    "suggestions_told.told": "shown",
    "feelings.source": "staff",
    "inbox_messages.purpose": "service",
    "inbound_messages.kind": "reply",
    "delivery_feedback.kind": "opened",
    "staff_mails.state": "sent",
    "staff_mails.kind": "answer",
    "consents.purpose": "marketing",
    "devices.channel": "push",
    "runs.version": None,
    "runs.gives_way_to": None,
    "customers.merged_into": None,
    "shows.places": ["web"],
    "routing_units.leased_until": None,
    "routing_units.leased_by": None,
    "deliveries.claimed_until": None,
    "coupons.run_clock": None,
    "trait_types.seen": {},
    "refused_ties.leads_to": None,
    "saved_searches.format": "csv",
    "channel_tests.state": "waits",
    "saved_searches.every": "day",
    "audit.who": "eva",
    "audit.actor": "eva",
    "audit.did": "read a feeling",
    "audit.ip": "",
    "audit.before": "",
    "audit.after": "",
    "audit.detail_digest": "",
    "audit.request": "",
    "audit.erased_at": None,
}

_MADE_ALREADY = {"customers", "identities"}

_ORDER = [
    "case_messages",
    "groups",
    "problems",
    "runs",
    "inbound_messages",
    "touchpoints",
    "merges",
    "saved_searches",
]
"""Tables that others lead to come first."""


async def fill(connection: Connection, customer: str, mark: str, entry: int) -> None:
    """Write a row of the customer wherever one can be."""
    await connection.execute(
        "insert into members (member, name, role) values ('eva', 'Eva', 'agent') on conflict do nothing"
    )
    await connection.execute(_ORDERED)
    links = _links(customer, mark, entry)
    touched = [table for table, held in TABLES.items() if not isinstance(held.erase, Stays)]
    tables = [*_ORDER, *(each for each in touched if each not in _ORDER)]
    for table in tables:
        if table not in _MADE_ALREADY:
            await _row(connection, table, links, mark)


async def _row(connection: Connection, table: str, links: dict[str, Any], mark: str) -> None:
    cursor = await connection.execute(_COLUMNS, [table])
    row: dict[str, Any] = {}
    for column in await cursor.fetchall():
        name = column["name"]
        if f"{table}.{name}" in links:
            row[name] = links[f"{table}.{name}"]
        elif f"{table}.{name}" in _SAID:
            row[name] = _SAID[f"{table}.{name}"]
        elif name in links:
            row[name] = links[name]
        elif column["type"] in _TYPES:
            row[name] = _TYPES[column["type"]]
        else:
            row[name] = _marked(column["type"], f"{mark}-{table}-{name}")
        if column["type"] in ("json", "jsonb") and row[name] is not None:
            row[name] = jsonb(row[name])
    names = sql.SQL(", ").join(map(sql.Identifier, row))
    values = sql.SQL(", ").join(sql.Placeholder() * len(row))
    await connection.execute(
        sql.SQL("insert into {} ({}) overriding system value values ({})").format(
            sql.Identifier(table), names, values
        ),
        list(row.values()),
    )


def _marked(kind: str, mark: str) -> Any:
    if kind == "_text":
        return [mark]
    if kind == "bytea":
        return mark.encode()
    return {"mark": mark} if kind in ("json", "jsonb") else mark


def _links(customer: str, mark: str, entry: int) -> dict[str, Any]:
    run = f"journey/cart/{customer}/{mark}"
    key = f"{run}:{entry}:1"
    return {
        "customer": customer,
        "entry": entry,
        "whose": customer,
        "stays": customer,
        "goes": customer,
        "workflow_id": run,
        "delivery": key,
        "deliveries.key": key,
        "coupons.key": key,
        "coupon": key,
        "taken_by": key,
        "after": customer,
        "audience_after": customer,
        "audit.audit": 1_000_000 + entry,
        "audit.object": f"customer {customer}",
        "reply": f"{mark}-reply",
        "case": f"{mark}-case",
        "problem": f"{mark}-problem",
        "problems.problem": f"{mark}-problem",
        "group_id": f"{mark}-group",
        "groups.traits": {},
        "groups.group_id": f"{mark}-group",
        "unit": f"c/{customer}",
        "touchpoint": entry,
        "touchpoints.message_id": f"{mark}-message",
        "message_ids.message_id": f"{mark}-message",
        "refused_touchpoints.message_id": f"{mark}-message",
        "act": 1,
        "merge": entry,
        "refused": entry,
        "consents.consent": entry,
        "message": entry,
        "refused_touchpoints.message": f"{mark} refused",
        "deliveries.message": f"{mark}-message",
        "trait": f"{mark}-trait",
        "suppressed_addresses.address": f"{mark}@example.com",
        "forward_to": None,
        "starting": [{"workflow_id": f"{run}/starting", "first_run_id": "r"}],
        "outbox.outbox": entry,
        "fates": [],
        "listens": None,
        "suggestions_told.message_id": f"{mark}-told",
        "first_run_id": f"{mark}-first",
        "touchpoints.event": "$identify",
        "touchpoints.properties": {f"{mark}-trait": mark},
        "computed_traits.trait": f"{mark}-trait",
        "inbox_messages.message": entry,
        "search": entry,
        "search_files.file": entry,
        "saved_searches.conditions": {"trait": "email", "value": f"{mark}@example.com"},
        "search_files.customers": [customer],
        "test": entry,
        "channel_tests.address": f"{mark}@example.com",
    }
