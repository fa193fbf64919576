"""What we hold of one customer, to be shown to them and given to them."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, LiteralString, cast

from pydantic import JsonValue

from journey.preferences import Preferences
from stores.consents import Consent
from stores.customers import Customer, canonical, read_customer
from stores.database import Connection, Pool
from stores.erased_rows import Sought, seek
from stores.held_tables import TABLES
from stores.preferences import read_preferences

MOST_MESSAGES = 100
MOST_EXPORTED = 10_000
"""So many of each are given out at most; the export says where there were more."""

_TRAITS: LiteralString = """
select distinct on (named.name) named.name, told.received_at as at,
       coalesce(told.context ->> 'source', told.context -> 'library' ->> 'name', '') as source
  from (select properties, context, received_at from touchpoints
         where customer = any(%(ids)s) and event = '$identify'
         order by received_at desc limit 1000) told
  cross join lateral jsonb_object_keys(told.properties) as named(name)
 order by named.name, told.received_at desc
"""

_CONSENTS: LiteralString = """
select purpose, channel, given, source, proof, at from consents
 where customer = %(customer)s order by consent desc limit 200
"""

_SENT: LiteralString = """
select d.message, d.channel, d.purpose, d.address, d.state, d.run_time as at, m.source
  from deliveries d left join messages m on m.name = d.message and m.revision = d.revision
 where d.customer = %(customer)s and d.state in ('accepted', 'unknown')
 order by d.run_time desc, d.n desc limit %(most)s
"""

_NAMES: LiteralString = """
select kind, value from identities where customer = %(customer)s order by kind, value
"""

_RUNS: LiteralString = """
select r.entry, r.journey, r.state, r.stage, r.entered_at, r.finished_at, d.canonical,
       (select t.why from trace t where t.entry = r.entry and t.kind = 'entered'
         order by t.sequence limit 1) as why
  from runs r left join definitions d on d.version = r.version
 where r.customer = any(%(ids)s) and r.state in ('open', 'finished')
 order by r.state = 'open' desc, r.entry desc limit 50
"""

_CASES: LiteralString = """
select "case", entry, brief, state, decision, opened_at, resolved_at, first_answer_by,
       workflow_id = '' as asked_by_customer
  from cases where customer = %(customer)s order by opened_wall desc limit 50
"""

_ANSWERS: LiteralString = """
select a.survey, a.score, a.choice, a.words, a.at, p.source as survey_source
  from answers a left join published p on p.kind = 'survey' and p.name = a.survey and p.live
 where a.customer = %(customer)s order by a.at desc limit 50
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class HeldTrait:
    """One trait, and where and when it came from, as far as that is known."""

    name: str
    value: JsonValue
    source: str
    at: datetime | None


@dataclass(slots=True, frozen=True, kw_only=True)
class HeldData:
    """Everything that the page shows; rows as the database has them."""

    customer: Customer
    traits: list[HeldTrait]
    names: list[tuple[str, str]]
    preferences: Preferences
    consents: list[Consent]
    sent: list[dict[str, Any]]
    runs: list[dict[str, Any]]
    cases: list[dict[str, Any]]
    answers: list[dict[str, Any]]


class HeldDataStore:
    """Reads it, at one moment: all of a page is of the same snapshot."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of(self, customer: str) -> HeldData | None:
        """What is shown; None where nobody knows the customer."""
        async with self._pool.connection() as connection:
            await _one_moment(connection)
            found = await read_customer(connection, customer)
            if found is None:
                return None
            asked = await _asked(connection, found.customer, MOST_MESSAGES)
            sources = {row["name"]: row for row in await _rows(connection, _TRAITS, asked)}
            names = await _rows(connection, _NAMES, asked)
            return HeldData(
                customer=found,
                traits=_traits(found, sources),
                names=[(row["kind"], row["value"]) for row in names],
                preferences=await read_preferences(connection, customer),
                consents=[Consent(**row) for row in await _rows(connection, _CONSENTS, asked)],
                sent=await _rows(connection, _SENT, asked),
                runs=await _rows(connection, _RUNS, asked),
                cases=await _rows(connection, _CASES, asked),
                answers=await _rows(connection, _ANSWERS, asked),
            )

    async def export(
        self, customer: str, most: int | None = MOST_EXPORTED
    ) -> dict[str, Any] | None:
        """All of it, to be taken along, by the rules of `stores.held_tables`.

        `most`: of each list; None for all. `cut` names what there was more of.
        """
        async with self._pool.connection() as connection:
            await _one_moment(connection)
            sought = await seek(connection, await canonical(connection, customer))
            if sought is None:
                return None
            found = await read_customer(connection, sought.ids[0])
            assert found is not None
            lists = await given_lists(connection, sought, most)
            preferences = await read_preferences(connection, customer)
        return {
            "customer": found.customer,
            "known_since": found.created_at,
            "zone": found.zone,
            "traits": found.traits,
            "preferences": {
                **asdict(preferences),
                "channels_off": sorted(preferences.channels_off),
                "topics_off": sorted(preferences.topics_off),
            },
            **lists,
            "cut": [name for name, rows in lists.items() if len(rows) == most],
        }


async def given_lists(
    connection: Connection, sought: Sought, most: int | None
) -> dict[str, list[dict[str, Any]]]:
    """What every table gives of a customer, by the name that it has in an export."""
    lists: dict[str, list[dict[str, Any]]] = {}
    for table, held in TABLES.items():
        if held.called:
            columns = [f"t.{each}" for each in held.given]
            columns += [f"{value} as {name}" for name, value in held.more.items()]
            statement = (
                f'select {", ".join(columns)} from "{table}" t where {held.whose}'
                f" order by {held.order} limit %(most)s"
            )
            asked = sought.values() | {"most": most}
            lists[held.called] = await _rows(connection, cast("LiteralString", statement), asked)
    return lists


async def _asked(connection: Connection, customer: str, most: int) -> dict[str, Any]:
    """`ids`: what the customer was called before others became them; touchpoints keep those."""
    cursor = await connection.execute(
        "select customer from customers where customer = %(c)s or merged_into = %(c)s",
        {"c": customer},
    )
    ids = [row["customer"] for row in await cursor.fetchall()]
    return {"customer": customer, "ids": ids, "most": most}


async def _one_moment(connection: Connection) -> None:
    await connection.execute("set transaction isolation level repeatable read, read only")


async def _rows(
    connection: Connection, query: LiteralString, asked: dict[str, Any]
) -> list[dict[str, Any]]:
    cursor = await connection.execute(query, asked)
    return await cursor.fetchall()


def _traits(customer: Customer, sources: dict[str, dict[str, Any]]) -> list[HeldTrait]:
    held: dict[str, JsonValue] = dict(customer.traits)
    if customer.zone:
        held["zone"] = customer.zone
    return [
        HeldTrait(
            name=name,
            value=value,
            source=sources[name]["source"] if name in sources else "",
            at=sources[name]["at"] if name in sources else None,
        )
        for name, value in sorted(held.items())
    ]
