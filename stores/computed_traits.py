"""Traits computed from touchpoints, kept in the transaction that stores each of them.

A customer's first touchpoint after a trait was published, or changed, counts all that came before.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson
from pydantic import JsonValue

from contracts.ids import message_id
from journey.computed_rules import ComputedTrait, State, changes_at, take_in, together, value_of
from journey.touchpoint import Touchpoint
from stores.database import Connection, jsonb
from stores.house_rules import house_rules

MOST_READ = 50_000
"""Of so many touchpoints at most a trait is computed anew: of the latest."""


class Stored(Protocol):
    """A touchpoint that was just stored."""

    @property
    def message_id(self) -> str: ...
    @property
    def event(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def customer(self) -> str | None: ...
    @property
    def properties(self) -> dict[str, JsonValue]: ...
    @property
    def context(self) -> dict[str, JsonValue]: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class TraitsComputed:
    """What a customer's computed traits are now, of those that changed; to be told under this id."""

    customer: str
    message_id: str
    changed: dict[str, JsonValue]


@dataclass(slots=True)
class _Row:
    """A customer whose row is locked."""

    customer: str
    traits: dict[str, JsonValue]
    zone: str


async def lock_whose_traits(connection: Connection, came: Iterable[Stored]) -> None:
    """Lock those whose traits are computed from what comes, before it is stored."""
    computed = (await house_rules(connection)).computed
    events = {rule.on for rule in computed.values()}
    names = {each.customer for each in came if each.customer and each.event in events}
    if names:
        await _locked(connection, names)


async def computed_from(connection: Connection, came: Sequence[Stored]) -> list[TraitsComputed]:
    """Take new touchpoints in, and say which traits they changed."""
    computed = (await house_rules(connection)).computed
    events = {rule.on for rule in computed.values()}
    counted = [each for each in came if each.customer and each.event in events]
    if not counted:
        return []
    rows = await _locked(connection, {each.customer or "" for each in counted})
    told: list[TraitsComputed] = []
    by_row: dict[str, list[Stored]] = {}
    for each in counted:
        if each.customer in rows:
            by_row.setdefault(rows[each.customer].customer, []).append(each)
    for row in {row.customer: row for row in rows.values()}.values():
        own = by_row.get(row.customer, [])
        changed = await _take_in(connection, row, computed, own)
        if changed and own:
            key = message_id("computed", f"{own[-1].message_id}/{row.customer}")
            told.append(TraitsComputed(customer=row.customer, message_id=key, changed=changed))
    return told


async def _take_in(
    connection: Connection,
    row: _Row,
    computed: Mapping[str, ComputedTrait],
    came: Sequence[Stored],
) -> dict[str, JsonValue]:
    touchpoints = [_touchpoint(each) for each in came]
    wanted = {
        trait: (rule, [each for each in touchpoints if rule.counts(each)])
        for trait, rule in computed.items()
    }
    states = await _states(connection, row.customer)
    kept: dict[str, tuple[ComputedTrait, State]] = {}
    for trait, (rule, own) in wanted.items():
        if not own:
            continue
        state = states.get(trait)
        if state is None or state.get("rule") != _revision(rule):
            state = await _from_history(connection, row.customer, rule)  # has these already
        else:
            for each in own:
                state = take_in(rule, state, each)
        kept[trait] = (rule, state)
    return await _keep(connection, row, kept)


async def compute_again(connection: Connection, customers: Sequence[str]) -> list[TraitsComputed]:
    """Compute all computed traits from the touchpoints themselves; which changed."""
    computed = (await house_rules(connection)).computed
    told: list[TraitsComputed] = []
    if computed:
        rows = await _locked(connection, set(customers))
        for row in rows.values():
            kept = {
                trait: (rule, await _from_history(connection, row.customer, rule))
                for trait, rule in computed.items()
            }
            changed = await _keep(connection, row, kept)
            key = message_id("computed", f"{datetime.now(UTC).isoformat()}/{row.customer}")
            if changed:
                told.append(TraitsComputed(customer=row.customer, message_id=key, changed=changed))
    return told


async def fold(connection: Connection, stays: str, goes: str) -> dict[str, JsonValue]:
    """The one that stays has what both had together; which traits are others than either's."""
    computed = (await house_rules(connection)).computed
    if not computed:
        return {}
    row = (await _locked(connection, {stays}))[stays]
    one, other = await _states(connection, stays), await _states(connection, goes)
    kept: dict[str, tuple[ComputedTrait, State]] = {}
    for trait, rule in computed.items():
        states = [each[trait] for each in (one, other) if trait in each]
        if states and all(each.get("rule") == _revision(rule) for each in states):
            whole = together(rule, states[0], states[1]) if len(states) == 2 else states[0]
            kept[trait] = (rule, whole)
        elif states:
            kept[trait] = (rule, await _from_history(connection, stays, rule))
    return await _keep(connection, row, kept)


async def refresh_due(connection: Connection, most: int) -> tuple[int, list[TraitsComputed]]:
    """Traits of a span that time alone may have changed: how many were looked at, and what changed."""
    computed = (await house_rules(connection)).computed
    cursor = await connection.execute(
        "select customer, trait, state, look_at from computed_traits where look_at <= now()"
        " order by look_at limit %s",
        [most],
    )
    due = await cursor.fetchall()
    rows = await _locked(connection, {each["customer"] for each in due})
    told: list[TraitsComputed] = []
    for each in due:
        row, rule = rows.get(each["customer"]), computed.get(each["trait"])
        if row is None or rule is None or row.customer != each["customer"]:
            await connection.execute(
                "update computed_traits set look_at = null where customer = %s and trait = %s",
                [each["customer"], each["trait"]],
            )
            continue
        state = (await _states(connection, row.customer))[each["trait"]]
        changed = await _keep(connection, row, {each["trait"]: (rule, state)})
        key = f"{row.customer}/{each['trait']}/{each['look_at'].isoformat()}"
        if changed:
            named = message_id("computed", key)
            told.append(TraitsComputed(customer=row.customer, message_id=named, changed=changed))
    return len(due), told


async def _locked(connection: Connection, names: set[str]) -> dict[str, _Row]:
    """By the id given, the customer whom it means now, locked in one order everywhere."""
    cursor = await connection.execute(
        """
        select c.customer as given, s.customer, s.traits, coalesce(s.zone, 'UTC') as zone
          from customers c join customers s on s.customer = coalesce(c.merged_into, c.customer)
         where c.customer = any(%s) order by s.customer for no key update of s
        """,
        [sorted(names)],
    )
    found: dict[str, _Row] = {}
    for row in await cursor.fetchall():
        same = next((each for each in found.values() if each.customer == row["customer"]), None)
        found[row["given"]] = same or _Row(row["customer"], row["traits"], row["zone"])
    return found


async def _states(connection: Connection, customer: str) -> dict[str, State]:
    cursor = await connection.execute(
        "select trait, state from computed_traits where customer = %s", [customer]
    )
    return {row["trait"]: row["state"] for row in await cursor.fetchall()}


async def _from_history(connection: Connection, customer: str, rule: ComputedTrait) -> State:
    cursor = await connection.execute(
        """
        select message_id, event, occurred_at, properties, context from touchpoints
         where customer = any(array(
        select %(customer)s::text union all
        select customer from customers where merged_into = %(customer)s))
           and event = %(event)s
         order by received_at desc, touchpoint desc limit %(most)s
        """,
        {"customer": customer, "event": rule.on, "most": MOST_READ},
    )
    state: State = {}
    for row in reversed(await cursor.fetchall()):
        touchpoint = Touchpoint(
            message_id=row["message_id"],
            event=row["event"],
            timestamp=row["occurred_at"],
            properties=row["properties"],
            context=row["context"],
        )
        if rule.counts(touchpoint):
            state = take_in(rule, state, touchpoint)
    return state


async def _keep(
    connection: Connection, row: _Row, kept: Mapping[str, tuple[ComputedTrait, State]]
) -> dict[str, JsonValue]:
    """Write states and the traits that they make; the traits that changed, null where one is no more."""
    now, changed = datetime.now(UTC), dict[str, JsonValue]()
    states: list[dict[str, Any]] = []
    for trait, (rule, state) in kept.items():
        value = value_of(rule, state, now, row.zone) if state else None
        if row.traits.get(trait) != value:
            changed[trait] = value
        states.append(
            {
                "trait": trait,
                "state": {**state, "rule": _revision(rule)},
                "look_at": changes_at(rule, state, now, row.zone),
            }
        )
    if states:
        await connection.execute(
            """
            insert into computed_traits (customer, trait, state, look_at)
            select %s, trait, state, look_at from jsonb_to_recordset(%s)
                as s(trait text, state jsonb, look_at timestamptz)
            on conflict (customer, trait) do update
               set state = excluded.state, look_at = excluded.look_at
            """,
            [row.customer, jsonb(states)],
        )
    if changed:
        whole = {**row.traits, **changed}
        row.traits = {name: value for name, value in whole.items() if value is not None}
        await connection.execute(
            "update customers set traits = %s where customer = %s",
            [jsonb(row.traits), row.customer],
        )
    return changed


def _touchpoint(stored: Stored) -> Touchpoint:
    return Touchpoint(
        message_id=stored.message_id,
        event=stored.event,
        timestamp=stored.occurred_at,
        properties=stored.properties,
        context=stored.context,
    )


def _revision(rule: ComputedTrait) -> str:
    said = orjson.dumps(rule.model_dump(exclude_none=True), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(said).hexdigest()[:12]
