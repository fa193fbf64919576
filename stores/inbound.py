"""What customers write to us: kept whole, told to their runs, and obeyed, in one transaction."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, LiteralString

from pydantic import JsonValue

from contracts.ids import message_id
from contracts.inbound_message import Heard, InboundFile, InboundKind, InboundMessage
from journey.message_events import REPLIED, UNSUBSCRIBED
from stores.consents import say, suppress
from stores.customers import CustomerStore, normalised
from stores.database import Connection, Pool, clean_text, one_statement
from stores.touchpoints import store_touchpoint

TOLD_TEXT = 4_000
"""Characters of a message that runs are told; the rest is with the message."""

MOST_TOLD_AN_HOUR = 20
"""Of one address: a robot that answers ours, which answers the robot, ends here."""

ANSWERED_WITHIN = timedelta(days=30)
"""How long a text message counts as the answer to the newest delivery to its number."""

STOPPED = "stop"
"""Why an address is suppressed whose owner wrote STOP."""

CARRIED = frozenset({"sms", "whatsapp"})
"""Channels whose carriers forbid every message after STOP, not only marketing."""

_ACCEPTED: LiteralString = "state in ('accepted', 'unknown')"

_THREAD: LiteralString = """
select d.key, d.customer, d.entry, d.message, d.journey, d.channel, d.address, r.workflow_id,
       (select c."case" from cases c
         where c.entry = d.entry and c.state in ('open', 'claimed')
         order by c.opened_wall desc, c.n desc limit 1) as "case"
  from deliveries d left join runs r on r.entry = d.entry
"""

_KEEP = """
insert into inbound_messages (reply, customer, channel, address, sent_to, subject, text, whole,
                              delivery, entry, "case", kind, received_at, reason)
values (%(reply)s, %(customer)s, %(channel)s, %(address)s, %(sent_to)s, %(subject)s, %(text)s,
        %(whole)s, %(delivery)s, %(entry)s, %(case)s, %(kind)s, %(received_at)s, %(reason)s)
on conflict (reply) do nothing
"""

_CONVERSATION = """
insert into conversations as c (customer, channel, address, heard_at)
values (%(customer)s, %(channel)s, %(address)s, %(received_at)s)
on conflict (customer, channel) do update
   set address = excluded.address, heard_at = excluded.heard_at
 where c.heard_at <= excluded.heard_at
"""

_FEEDBACK = """
insert into delivery_feedback (event_id, delivery, customer, channel, kind, detail, at)
values (%(event_id)s, %(delivery)s, %(customer)s, %(channel)s, %(kind)s, '', %(at)s)
on conflict do nothing
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class _Thread:
    """What a message belongs to, as far as anybody can tell."""

    customer: str | None = None
    delivery: str | None = None
    delivered_to: str = ""
    message: str | None = None
    journey: str | None = None
    entry: int | None = None
    run: str | None = None
    case: str | None = None


class InboundStore:
    """Takes messages in. `ring` is called where a run is to be told.

    `welcome`: channels on which somebody whom we do not know becomes a customer by writing.
    A number is its owner's; the sender of a mail is whatever the mail says.
    """

    def __init__(
        self,
        pool: Pool,
        customers: CustomerStore,
        ring: Callable[[], None] | None = None,
        *,
        welcome: Collection[str] = CARRIED,
        most_told_an_hour: int = MOST_TOLD_AN_HOUR,
    ) -> None:
        self._pool, self._customers, self._ring = pool, customers, ring or (lambda: None)
        self._welcome, self._most = frozenset(welcome), most_told_an_hour

    async def take(self, message: InboundMessage) -> Heard:
        """Keep a message and do what it asks for; the same one again changes nothing."""
        async with self._pool.connection() as connection:
            heard = await self._take(connection, message)
        if heard.new and heard.customer is not None:
            self._ring()
        return heard

    async def delivery_key(self, entry: int, n: int) -> str | None:
        """The key of a delivery."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select key from deliveries where entry = %s and n = %s", [entry, n]
            )
            row = await cursor.fetchone()
        return row["key"] if row else None

    async def file(self, reply: str, n: int) -> InboundFile | None:
        """One file of a message, counted from 1."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select name, media_type, content from inbound_files where reply = %s and n = %s",
                [clean_text(reply), n],
            )
            row = await cursor.fetchone()
        return InboundFile(**row) if row else None

    async def _take(self, connection: Connection, message: InboundMessage) -> Heard:
        known = await connection.execute(
            "select kind, customer from inbound_messages where reply = %s", [message.reply]
        )
        seen = await known.fetchone()
        if seen is not None:
            return Heard(
                reply=message.reply, new=False, kind=seen["kind"], customer=seen["customer"]
            )
        thread = await self._locked_thread(connection, message)
        kind = await _kind(connection, message, thread)
        reason = await self._not_told(connection, message, thread, kind)
        kept = await _keep(connection, message, thread, kind, reason)
        if not kept:
            return Heard(reply=message.reply, new=False, kind=kind, customer=thread.customer)
        if kind in {"stop", "start"}:
            await _obey(connection, message, thread, kind)
        if thread.customer is not None:
            await _tell(connection, message, thread, kind, told=not reason)
        return Heard(
            reply=message.reply,
            new=True,
            kind=kind,
            customer=thread.customer,
            told=not reason and kind in {"reply", "help"},
            reason=reason,
        )

    async def _locked_thread(self, connection: Connection, message: InboundMessage) -> _Thread:
        """The thread, with its customer locked; looked for again where that was merged meanwhile."""
        for _ in range(3):
            thread = await self._thread(connection, message)
            if thread.customer is None:
                return thread
            await connection.execute(
                "select from customers where customer = %s for no key update", [thread.customer]
            )
            if await self._thread(connection, message) == thread:
                break
        return thread

    async def _thread(self, connection: Connection, message: InboundMessage) -> _Thread:
        row = await _delivery(connection, message)
        if row is not None:
            return _Thread(
                customer=message.customer or row["customer"],
                delivery=row["key"],
                delivered_to=row["address"] or "",
                message=row["message"],
                journey=row["journey"],
                entry=row["entry"],
                run=row["workflow_id"],
                case=row["case"],
            )
        if message.customer is not None:
            return _Thread(customer=message.customer)
        return _Thread(customer=await self._owner(connection, message))

    async def _owner(self, connection: Connection, message: InboundMessage) -> str | None:
        """Whose address it is; of somebody new, a new customer where they are welcome."""
        names = [normalised(kind, value) for kind, value in message.names]
        cursor = await connection.execute(
            "select i.customer from unnest(%s::text[], %s::text[]) with ordinality w(kind, value, place)"
            " join identities i using (kind, value) order by w.place limit 1",
            [[kind for kind, _ in names], [value for _, value in names]],
        )
        row = await cursor.fetchone()
        if row is not None:
            return row["customer"]
        if (
            names
            and message.channel in self._welcome
            and message.kind not in {"automatic", "bounce"}
        ):
            return await self._customers.resolve(connection, names)
        return None

    async def _not_told(
        self, connection: Connection, message: InboundMessage, thread: _Thread, kind: InboundKind
    ) -> str:
        """Why no run is told of it; empty where runs are."""
        if kind not in {"reply", "help"}:
            return kind
        if thread.customer is None:
            return "nobody knows who wrote"
        cursor = await connection.execute(
            "select count(*) as told from inbound_messages where channel = %s and address = %s"
            " and reason = '' and received_at > %s::timestamptz - interval '1 hour'",
            [message.channel, clean_text(message.address), message.received_at],
        )
        row = await cursor.fetchone()
        if row is not None and row["told"] >= self._most:
            return f"more than {self._most} in an hour from this address: a robot?"
        return ""


async def _delivery(connection: Connection, message: InboundMessage) -> dict[str, Any] | None:
    """What it answers: by the address it was sent to, by what it names, else the newest to theirs."""
    if message.delivery is not None:
        where, values = "where d.entry = %s and d.n = %s", list[Any](message.delivery)
        cursor = await connection.execute(_THREAD + where, values)
        if row := await cursor.fetchone():
            return row
    if message.answers:
        cursor = await connection.execute(
            _THREAD + "where d.provider_id = any(%(ids)s) and d.channel = %(channel)s"
            " order by array_position(%(ids)s, d.provider_id) limit 1",
            {"ids": [clean_text(one) for one in message.answers], "channel": message.channel},
        )
        if row := await cursor.fetchone():
            return row
    if message.channel == "email" or message.customer is not None:
        return None
    return await _newest(connection, message)


async def _newest(connection: Connection, message: InboundMessage) -> dict[str, Any] | None:
    """The newest delivery to the number, as it is written in the ledger or as its owner's."""
    spelled = {message.address, f"{message.channel}:{message.address}"}
    names = [normalised(kind, value) for kind, value in message.names]
    cursor = await connection.execute(
        _THREAD + "where d.channel = %(channel)s and " + _ACCEPTED + " and d.settled_at > %(since)s"
        " and (d.address = any(%(spelled)s) or d.customer in ("
        "select i.customer from unnest(%(kinds)s::text[], %(values)s::text[]) w(kind, value)"
        " join identities i using (kind, value)))"
        " order by d.settled_at desc limit 1",
        {
            "channel": message.channel,
            "since": message.received_at - ANSWERED_WITHIN,
            "spelled": sorted(spelled),
            "kinds": [kind for kind, _ in names],
            "values": [value for _, value in names],
        },
    )
    return await cursor.fetchone()


async def _kind(connection: Connection, message: InboundMessage, thread: _Thread) -> InboundKind:
    """What it is. `YES` resumes only what was stopped; to everybody else it is an answer."""
    if message.kind != "start":
        return message.kind
    cursor = await connection.execute(
        """
        select exists (select from suppressed_addresses
                        where channel = %(channel)s and address = any(%(spelled)s) and reason = %(why)s)
            or coalesce((select not given and source in ('reply', 'provider') from consents
                          where customer = %(customer)s and purpose = 'marketing'
                            and channel = %(channel)s
                          order by consent desc limit 1), false) as stopped
        """,
        {
            "channel": message.channel,
            "spelled": _spellings(message, thread),
            "why": STOPPED,
            "customer": thread.customer,
        },
    )
    row = await cursor.fetchone()
    return "start" if row is not None and row["stopped"] else "reply"


async def _keep(
    connection: Connection,
    message: InboundMessage,
    thread: _Thread,
    kind: InboundKind,
    reason: str,
) -> bool:
    """Keep the message with its files; False where another process just did."""
    cursor = await connection.execute(
        _KEEP,
        {
            "reply": message.reply,
            "customer": thread.customer,
            "channel": message.channel,
            "address": clean_text(message.address),
            "sent_to": clean_text(message.sent_to),
            "subject": clean_text(message.subject),
            "text": clean_text(message.text),
            "whole": clean_text(message.whole),
            "delivery": thread.delivery,
            "entry": thread.entry,
            "case": thread.case,
            "kind": kind,
            "received_at": message.received_at,
            "reason": reason,
        },
    )
    if cursor.rowcount == 0:
        return False
    for n, file in enumerate(message.files, 1):
        await connection.execute(
            "insert into inbound_files (reply, n, name, media_type, content)"
            " values (%s, %s, %s, %s, %s)",
            [message.reply, n, clean_text(file.name), file.media_type, file.content],
        )
    return True


async def _obey(
    connection: Connection, message: InboundMessage, thread: _Thread, kind: InboundKind
) -> None:
    """STOP and START, for the address, and for the customer where there is one."""
    given = kind == "start"
    if message.channel in CARRIED:
        for address in _spellings(message, thread):
            if given:
                await connection.execute(
                    "delete from suppressed_addresses"
                    " where channel = %s and address = %s and reason = %s",
                    [message.channel, address, STOPPED],
                )
            else:
                await suppress(connection, message.channel, address, STOPPED)
    if thread.customer is not None:
        words = " ".join((message.text or message.subject).split())[:200]
        await say(
            connection,
            thread.customer,
            "marketing",
            message.channel,
            given=given,
            source="reply",
            proof=f"{message.reply} {words}",
        )


def _spellings(message: InboundMessage, thread: _Thread) -> list[str]:
    """The address as it came and as the ledger has it: nothing may leave to either."""
    told = {message.address, thread.delivered_to} if thread.delivered_to else {message.address}
    return sorted(address.strip().lower() for address in told)


async def _tell(
    connection: Connection,
    message: InboundMessage,
    thread: _Thread,
    kind: InboundKind,
    *,
    told: bool,
) -> None:
    """Tell the customer's runs, remember where they wrote, and that this delivery was answered."""
    assert thread.customer is not None
    if kind in {"automatic", "bounce"}:
        return
    if await _is_theirs(connection, message, thread):
        values = {"channel": message.channel, "address": message.address}
        await connection.execute(
            _CONVERSATION,
            {**values, "customer": thread.customer, "received_at": message.received_at},
        )
    event = UNSUBSCRIBED if kind == "stop" else REPLIED
    if kind == "start" or (event == REPLIED and not told):
        return
    if thread.delivery is not None:
        await connection.execute(
            _FEEDBACK,
            {
                "event_id": f"reply/{message.reply}",
                "delivery": thread.delivery,
                "customer": thread.customer,
                "channel": message.channel,
                "kind": "unsubscribed" if kind == "stop" else "replied",
                "at": message.received_at,
            },
        )
    await store_touchpoint(
        connection,
        customer=thread.customer,
        subject=None,
        message_id=message_id("reply", message.reply),
        event=event,
        occurred_at=message.received_at,
        properties=_properties(message, thread),
        context={},
    )


async def _is_theirs(connection: Connection, message: InboundMessage, thread: _Thread) -> bool:
    """Whether the address is one that the customer is known by: a mail may be answered by anybody
    whom it was passed on to, and nothing may go to them from then on.
    """  # noqa: D205
    if message.address.lower() == thread.delivered_to.strip().lower() or not message.names:
        return True
    names = [normalised(kind, value) for kind, value in message.names]
    cursor = await connection.execute(
        "select 1 from unnest(%s::text[], %s::text[]) w(kind, value)"
        " join identities i using (kind, value) where i.customer = %s"
        " union all select 1 from customers where customer = %s and lower(traits ->> 'email') = %s",
        [
            [kind for kind, _ in names],
            [value for _, value in names],
            thread.customer,
            thread.customer,
            message.address.lower(),
        ],
    )
    return await cursor.fetchone() is not None


def _properties(message: InboundMessage, thread: _Thread) -> dict[str, JsonValue]:
    said: dict[str, JsonValue] = {
        "reply": message.reply,
        "channel": message.channel,
        "text": message.text[:TOLD_TEXT],
        "subject": message.subject,
    }
    known: dict[str, JsonValue] = {
        "delivery": thread.delivery,
        "message": thread.message,
        "journey": thread.journey,
        "run": thread.run,
        "case": thread.case,
    }
    return said | {name: value for name, value in known.items() if value is not None}
