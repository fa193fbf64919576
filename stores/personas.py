"""Which personas customers fit: `customer.personas` is a trait, kept as they change and as what is counted comes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import LiteralString

from pydantic import JsonValue

from contracts.ids import message_id
from journey.landscape import Persona
from journey.personas import Fit, personas_of
from journey.spans import read_span
from stores.customer_traits import lay_traits
from stores.customers import Customer, CustomerStore, read_customer
from stores.database import Connection, Pool, jsonb

TRAIT = "personas"
"""The trait that lists them, the best fit first."""

MOST_COUNTED = 1_000
"""The latest so many touchpoints of a customer are counted."""

_COUNTS: LiteralString = """
with newest as materialized (
    select event, occurred_at from touchpoints where customer = %(customer)s
     order by received_at desc limit %(most)s
)
select w.persona, w.name,
       (select count(*) from newest n
         where n.event = w.event and n.occurred_at > w.since and n.occurred_at <= %(now)s) as came
  from jsonb_to_recordset(%(wanted)s) as w(persona text, name text, event text, since timestamptz)
"""


class PersonaStore:
    """Keeps the trait. `ring` is called where runs are to be told; `now` is run time."""

    def __init__(
        self,
        pool: Pool,
        ring: Callable[[], None] | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._pool = pool
        self._customers = CustomerStore(pool)
        self._ring = ring or (lambda: None)
        self._now = now or (lambda: datetime.now(UTC))

    async def keep(self, customer: str, personas: Sequence[Persona], cause: str) -> None:
        """Look again which personas a customer fits. `cause`: the message id of what came."""
        async with self._pool.connection() as connection:
            found = await read_customer(connection, customer, lock=True)
            if found is None:
                return
            fits = await fitting(connection, found, personas, self._now())
            names: list[JsonValue] = [fit.persona for fit in fits]
            if (found.traits.get(TRAIT) or []) == names:
                return
            await lay_traits(
                connection,
                self._customers,
                customer,
                {TRAIT: names},
                message_id=message_id("personas", f"{cause}/{customer}"),
                at=self._now(),
            )
        self._ring()


def with_evidence(personas: Sequence[Persona]) -> list[Persona]:
    """Those of whom somebody said who fits."""
    return [persona for persona in personas if persona.match]


async def fitting(
    connection: Connection, customer: Customer, personas: Sequence[Persona], now: datetime
) -> list[Fit]:
    """The personas that a customer fits now, with the reasons."""
    counts = await _counts(connection, customer, personas, now)
    return personas_of(personas, customer.profile(), counts, now)


async def _counts(
    connection: Connection, customer: Customer, personas: Sequence[Persona], now: datetime
) -> Mapping[str, Mapping[str, int]]:
    zone = customer.zone or "UTC"
    wanted = [
        {
            "persona": persona.persona,
            "name": name,
            "event": counted.on,
            "since": read_span(counted.within).before(now, zone).isoformat(),
        }
        for persona in personas
        for name, counted in persona.counts.items()
    ]
    if not wanted:
        return {}
    cursor = await connection.execute(
        _COUNTS,
        {
            "customer": customer.customer,
            "most": MOST_COUNTED,
            "wanted": jsonb(wanted),
            "now": now,
        },
    )
    counts: dict[str, dict[str, int]] = {}
    for row in await cursor.fetchall():
        counts.setdefault(row["persona"], {})[row["name"]] = row["came"]
    return counts
