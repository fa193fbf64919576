"""What a message belongs to: the delivery that it answers, that one's run and case, and its customer."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, LiteralString

from contracts.inbound_message import InboundMessage
from stores.customers import normalised
from stores.database import Connection, clean_text

ANSWERED_WITHIN = timedelta(days=30)
"""How long a text message counts as the answer to the newest delivery to its number."""

_THREAD: LiteralString = """
select d.key, d.customer, d.entry, d.message, d.journey, d.channel, d.address, r.workflow_id
  from deliveries d left join runs r on r.entry = d.entry
"""

# By the number as the ledger writes it, and by whose number it is: traits are written by people.
_NEWEST: LiteralString = """
where d.key = (
    select key from (
        (select key, settled_at from deliveries
          where channel = %(channel)s and channel <> 'email' and address = any(%(spelled)s::text[])
            and state in ('accepted', 'unknown') and settled_at > %(since)s
          order by settled_at desc limit 1)
        union all
        (select key, settled_at from deliveries
          where channel = %(channel)s and state in ('accepted', 'unknown') and settled_at > %(since)s
            and customer in (select i.customer
                               from unnest(%(kinds)s::text[], %(values)s::text[]) w(kind, value)
                               join identities i using (kind, value))
          order by settled_at desc limit 1)
    ) both_ways order by settled_at desc limit 1)
"""

_OWNER: LiteralString = """
select i.customer
  from unnest(%(kinds)s::text[], %(values)s::text[]) with ordinality w(kind, value, place)
  join identities i using (kind, value) order by w.place limit 1
"""

_THEIRS: LiteralString = """
select 1 from unnest(%(kinds)s::text[], %(values)s::text[]) w(kind, value)
  join identities i using (kind, value) where i.customer = %(customer)s
union all
select 1 from customers
 where customer = %(customer)s and lower(trim(traits ->> 'email')) = %(address)s
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class Thread:
    """What a message belongs to, as far as anybody can tell. `case`: see `stores.case_hearing`."""

    customer: str | None = None
    delivery: str | None = None
    delivered_to: str = ""
    message: str | None = None
    journey: str | None = None
    entry: int | None = None
    run: str | None = None
    case: str | None = None


async def find_thread(connection: Connection, message: InboundMessage) -> Thread:
    """The delivery that it answers, with all that hangs on it; else only the customer, where told."""
    row = await _delivery(connection, message)
    if row is None:
        return Thread(customer=message.customer)
    return Thread(
        customer=message.customer or row["customer"],
        delivery=row["key"],
        delivered_to=row["address"] or "",
        message=row["message"],
        journey=row["journey"],
        entry=row["entry"],
        run=row["workflow_id"],
    )


async def owner(connection: Connection, message: InboundMessage) -> str | None:
    """The customer who is known by the sender's address."""
    cursor = await connection.execute(_OWNER, _names(message))
    row = await cursor.fetchone()
    return row["customer"] if row else None


async def is_theirs(connection: Connection, message: InboundMessage, thread: Thread) -> bool:
    """Whether the sender's address is one of the customer's.

    A mail may be answered by whoever it was passed on to; nothing may go to them from then on.
    """
    address = message.address.strip().lower()
    if address == thread.delivered_to.strip().lower() or not message.names:
        return True
    cursor = await connection.execute(
        _THEIRS,
        {**_names(message), "customer": thread.customer, "address": clean_text(address)},
    )
    return await cursor.fetchone() is not None


async def _delivery(connection: Connection, message: InboundMessage) -> dict[str, Any] | None:
    """What it answers: by the address it was sent to, by what it names, else the newest to theirs."""
    if message.delivery is not None:
        entry, n = message.delivery
        cursor = await connection.execute(
            _THREAD + "where d.entry = %s and d.n = %s limit 1", [entry, n]
        )
        if row := await cursor.fetchone():
            return row
    if message.answers:
        cursor = await connection.execute(
            _THREAD
            + "where d.provider_id = any(%(ids)s::text[]) and d.channel = %(channel)s"
            + " order by array_position(%(ids)s::text[], d.provider_id) limit 1",
            {"ids": [clean_text(one) for one in message.answers], "channel": message.channel},
        )
        if row := await cursor.fetchone():
            return row
    if message.channel == "email" or message.customer is not None:
        return None
    cursor = await connection.execute(
        _THREAD + _NEWEST,
        {
            **_names(message),
            "channel": message.channel,
            "since": message.received_at - ANSWERED_WITHIN,
            "spelled": [message.address, f"{message.channel}:{message.address}"],
        },
    )
    return await cursor.fetchone()


def _names(message: InboundMessage) -> dict[str, list[str]]:
    names = [normalised(kind, value) for kind, value in message.names]
    return {"kinds": [kind for kind, _ in names], "values": [value for _, value in names]}
