"""What customers write to us: kept whole, told to their runs, and obeyed, in one transaction."""

from collections.abc import Callable, Collection
from dataclasses import replace

from psycopg.errors import DeadlockDetected
from pydantic import JsonValue

from contracts.fault_points import reach
from contracts.ids import message_id
from contracts.inbound_message import Heard, InboundFile, InboundKind, InboundMessage
from journey.message_events import REPLIED, UNSUBSCRIBED
from journey.queues import QueuesFile
from stores.case_hearing import Said, case_heard, tell_case
from stores.customers import CustomerStore
from stores.database import Connection, Pool, clean_text, one_statement
from stores.house import HouseStore
from stores.inbound_thread import Thread, find_thread, is_theirs, owner
from stores.stop_and_start import CARRIED, obey, what_it_is
from stores.touchpoints import store_touchpoint

TOLD_TEXT = 4_000
"""Characters of a message that runs are told; the rest is with the message."""

MOST_TOLD_AN_HOUR = 20
"""Of one address: a robot that answers ours, which answers the robot, ends here."""

AT_ONCE_AGAIN = 3
"""Whoever locks a case before its customer, as staff do, may meet us: then one of the two begins anew."""

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
        self._house = HouseStore(pool)

    async def take(self, message: InboundMessage) -> Heard:
        """Keep a message and do what it asks for; the same one again changes nothing."""
        house = (await self._house.house()).queues
        heard = await self._taken(message, house)
        reach("inbound.after_commit")
        if heard.new and heard.customer is not None:
            self._ring()
        return heard

    async def _taken(self, message: InboundMessage, house: QueuesFile | None) -> Heard:
        """In one transaction, and in another where somebody else waited for us who waited for them."""
        again = AT_ONCE_AGAIN
        while True:
            try:
                async with self._pool.connection() as connection:
                    heard = await self._take(connection, message, house)
                    reach("inbound.before_commit")
            except DeadlockDetected:
                if again == 0:
                    raise
                again -= 1
            else:
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

    async def _take(
        self, connection: Connection, message: InboundMessage, house: QueuesFile | None
    ) -> Heard:
        known = await connection.execute(
            "select kind, customer from inbound_messages where reply = %s", [message.reply]
        )
        seen = await known.fetchone()
        if seen is not None:
            return Heard(
                reply=message.reply, new=False, kind=seen["kind"], customer=seen["customer"]
            )
        thread = await self._locked_thread(connection, message)
        kind = await what_it_is(connection, message, thread)
        reason = await self._not_told(connection, message, thread, kind)
        if thread.customer is not None and kind in {"reply", "help"}:
            case = await case_heard(
                connection, thread.customer, house, delivery=thread.delivery, entry=thread.entry
            )
            thread = replace(thread, case=case)
        kept = await _keep(connection, message, thread, kind, reason)
        if not kept:
            return Heard(reply=message.reply, new=False, kind=kind, customer=thread.customer)
        if kind in {"stop", "start"}:
            await obey(connection, message, thread, kind)
        if thread.customer is not None:
            await _tell(connection, message, thread, kind, told=not reason)
            if thread.case is not None and not reason:
                said = Said(id=message.reply, channel=message.channel, files=len(message.files))
                await tell_case(connection, thread.case, said, house)
        return Heard(
            reply=message.reply,
            new=True,
            kind=kind,
            customer=thread.customer,
            told=not reason and kind in {"reply", "help"},
            reason=reason,
        )

    async def _locked_thread(self, connection: Connection, message: InboundMessage) -> Thread:
        """The thread, with its customer locked; looked for again where that was merged meanwhile."""
        thread = await self._thread(connection, message)
        for _ in range(3):
            if thread.customer is None:
                return thread
            await connection.execute(
                "select from customers where customer = %s for no key update", [thread.customer]
            )
            before, thread = thread, await self._thread(connection, message)
            if thread.customer == before.customer:
                break
        return thread

    async def _thread(self, connection: Connection, message: InboundMessage) -> Thread:
        found = await find_thread(connection, message)
        if found.customer is not None:
            return found
        known = await owner(connection, message)
        if known is None and self._is_welcome(message):
            known = await self._customers.resolve(connection, message.names)
        return replace(found, customer=known)

    def _is_welcome(self, message: InboundMessage) -> bool:
        """Whether somebody new becomes a customer by this message."""
        robot = message.kind in {"automatic", "bounce"}
        return bool(message.names) and message.channel in self._welcome and not robot

    async def _not_told(
        self, connection: Connection, message: InboundMessage, thread: Thread, kind: InboundKind
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


async def _keep(
    connection: Connection,
    message: InboundMessage,
    thread: Thread,
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


async def _tell(
    connection: Connection,
    message: InboundMessage,
    thread: Thread,
    kind: InboundKind,
    *,
    told: bool,
) -> None:
    """Tell the customer's runs, remember where they wrote, and that this delivery was answered."""
    assert thread.customer is not None
    if kind in {"automatic", "bounce"}:
        return
    if await is_theirs(connection, message, thread):
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


def _properties(message: InboundMessage, thread: Thread) -> dict[str, JsonValue]:
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
