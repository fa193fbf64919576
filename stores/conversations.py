"""All that went out to a customer and came in from them, in one order."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from pydantic import JsonValue

from stores.database import Pool, one_statement

MOST = 500

# What came from an address before anybody knew whose it was is theirs from the day it is known.
_CONVERSATION: LiteralString = """
with theirs as (
    select kind, value from identities where customer = %(customer)s
), incoming as (
    select i.* from inbound_messages i where i.customer = %(customer)s
    union all
    select i.* from theirs t join inbound_messages i
        on i.channel = any(case t.kind when 'email' then array['email']
                                       when 'phone' then array['sms', 'whatsapp']
                                       else array[t.kind] end)
       and i.address = t.value
     where i.customer is null
), spoken as (
    (select 'out' as way, coalesce(d.settled_at, d.intended_at, d.run_time) as at, d.channel,
            coalesce(d.address, '') as address, d.message, coalesce(d.sent_subject, '') as subject,
            coalesce(d.sent_text, '') as text, d.state,
            d.reason, d.key as id, d.key as delivery, d.journey, d.entry, null as "case",
            '[]'::jsonb as files
       from deliveries d where d.customer = %(customer)s
      order by d.run_time desc limit %(most)s)
    union all
    (select 'in', i.received_at, i.channel, i.address, null, i.subject, i.text, i.kind, i.reason,
            i.reply, i.delivery, d.journey, i.entry, i."case",
            (select coalesce(jsonb_agg(jsonb_build_object(
                        'n', f.n, 'name', f.name, 'media_type', f.media_type,
                        'bytes', length(f.content)) order by f.n), '[]')
               from inbound_files f where f.reply = i.reply)
       from incoming i left join deliveries d on d.key = i.delivery
      order by i.received_at desc limit %(most)s)
)
select * from (select * from spoken order by at desc, id desc limit %(most)s) newest
 order by at, id
"""

_STRANGERS: LiteralString = """
select 'in' as way, received_at as at, channel, address, null as message, subject, text,
       kind as state, reason, reply as id, delivery, null as journey, entry, "case",
       (select coalesce(jsonb_agg(jsonb_build_object(
                   'n', f.n, 'name', f.name, 'media_type', f.media_type,
                   'bytes', length(f.content)) order by f.n), '[]')
          from inbound_files f where f.reply = i.reply) as files
  from inbound_messages i where customer is null
 order by received_at desc, reply limit %(most)s
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class Spoken:
    """One message, either way. Of one that went out, `subject` and `text` are as it was sent.

    `way`: `out` or `in`. `state`: of a delivery that of the ledger, of a message to us its kind.
    `id`: the delivery's key, or the reply; `delivery`: what a reply answers.
    """

    way: str
    at: datetime
    channel: str | None
    address: str
    message: str | None
    subject: str
    text: str
    state: str
    reason: str
    id: str
    delivery: str | None
    journey: str | None
    entry: int | None
    case: str | None
    files: list[dict[str, JsonValue]]


class ConversationStore:
    """Reads conversations."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of(self, customer: str, most: int = MOST) -> list[Spoken]:
        """The newest messages of a customer, the oldest of them first."""
        return await self._read(_CONVERSATION, {"customer": customer, "most": most})

    async def strangers(self, most: int = MOST) -> list[Spoken]:
        """What came from nobody we know, the newest first."""
        return await self._read(_STRANGERS, {"most": most})

    async def _read(self, statement: LiteralString, values: dict[str, object]) -> list[Spoken]:
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(statement, values)
            return [Spoken(**row) for row in await cursor.fetchall()]
