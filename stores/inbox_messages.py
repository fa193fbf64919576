"""The messages in customers' inboxes, each once, and what customers did with them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout
from pydantic import JsonValue

from activities.message_channel import (
    ProviderBusyError,
    ProviderRefusedError,
    RenderedMessage,
    UnknownOutcomeError,
)
from contracts.ids import message_id
from journey.message_events import CLICKED, OPENED
from stores.database import Connection, Pool, clean_text, one_statement
from stores.inbox_ear import CHANNEL
from stores.touchpoints import store_touchpoint

MOST_LISTED = 100

# What a correction replaces is shown no more, whichever of the two comes first.
_PUT = """
with known as (
    select 1 from customers where customer = %(customer)s for no key update
), corrected as (
    update inbox_messages set replaced_by = %(delivery)s
     where delivery = %(corrects)s and exists (select from known)
), put as (
    insert into inbox_messages (delivery, customer, purpose, subject, text, html, link,
                                unsubscribe, locale, at)
    select %(delivery)s, %(customer)s, %(purpose)s, %(subject)s, %(text)s, %(html)s, %(link)s,
           %(unsubscribe)s, %(locale)s, %(at)s
      from known
    on conflict (delivery) do nothing
    returning message
)
select message, true as fresh from put
union all
select message, false from inbox_messages where delivery = %(delivery)s
 limit 1
"""

_LIST = """
select message, purpose, subject, text, html, link, unsubscribe, locale, at, read_at, archived_at
  from inbox_messages
 where customer = %(customer)s and replaced_by is null and message < %(before)s
   and (archived_at is not null) = %(archived)s
 order by message desc limit %(most)s
"""

_AFTER = """
select message, purpose, subject, text, html, link, unsubscribe, locale, at, read_at, archived_at
  from inbox_messages
 where customer = %s and replaced_by is null and archived_at is null and message > %s
 order by message limit 100
"""

_UNREAD = """
select count(*) as unread from inbox_messages
 where customer = %s and read_at is null and archived_at is null and replaced_by is null
"""

_OF_DELIVERY = """
select d.key, d.message, d.channel, d.journey, r.workflow_id, i.link
  from inbox_messages i join deliveries d on d.key = i.delivery left join runs r using (entry)
 where i.message = %s and i.customer = %s
"""

_LAST = 2**62


@dataclass(slots=True, frozen=True, kw_only=True)
class InboxMessage:
    """One message as the customer sees it."""

    message: int
    purpose: Literal["service", "marketing"]
    subject: str
    text: str
    html: str | None
    link: str | None
    unsubscribe: str | None
    locale: str | None
    at: datetime
    read_at: datetime | None
    archived_at: datetime | None


class InboxStore:
    """All inboxes. `ring` wakes the routers, for what customers do there are touchpoints."""

    def __init__(
        self,
        pool: Pool,
        wall_clock: Callable[[], datetime],
        ring: Callable[[], None] | None = None,
    ) -> None:
        self._pool, self._wall_clock = pool, wall_clock
        self._ring = ring or (lambda: None)

    # -- in

    async def put(self, message: RenderedMessage, unsubscribe: str | None) -> str:
        """Keep a message under its key, once; its id. Whoever looks at the inbox hears of it.

        Raises: `ProviderRefusedError`, `ProviderBusyError`, `UnknownOutcomeError`.
        """
        values = _values(message, unsubscribe)
        try:
            async with one_statement(self._pool) as connection:
                row = await (await connection.execute(_PUT, values)).fetchone()
                if row is None:
                    words = "there is no such customer any more"
                    raise ProviderRefusedError(words, reason="unreachable")
                if row["fresh"]:
                    # Not in the statement that stores: NOTIFY there makes commits queue.
                    await connection.execute(
                        "select pg_notify(%s, %s)", [CHANNEL, message.customer]
                    )
        except (PoolTimeout, PoolClosed) as error:
            raise ProviderBusyError("the database is away") from error
        except psycopg.OperationalError as error:
            raise UnknownOutcomeError("the database went away") from error
        return str(row["message"])

    async def id_of(self, key: str) -> str | None:
        """The id of the message of a delivery; None where it is in no inbox."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select message from inbox_messages where delivery = %s", [key]
            )
            row = await cursor.fetchone()
        return str(row["message"]) if row else None

    # -- out

    async def messages(
        self,
        customer: str,
        *,
        before: int | None = None,
        archived: bool = False,
        most: int = MOST_LISTED,
    ) -> list[InboxMessage]:
        """A customer's messages, the newest first; `before` one of them for the next page."""
        values = {
            "customer": customer,
            "before": before if before is not None else _LAST,
            "archived": archived,
            "most": min(most, MOST_LISTED),
        }
        async with one_statement(self._pool) as connection:
            rows = await (await connection.execute(_LIST, values)).fetchall()
        return [InboxMessage(**row) for row in rows]

    async def since(self, customer: str, after: int) -> list[InboxMessage]:
        """What came after a message, the oldest first; at most 100."""
        async with one_statement(self._pool) as connection:
            rows = await (await connection.execute(_AFTER, [customer, after])).fetchall()
        return [InboxMessage(**row) for row in rows]

    async def newest(self, customer: str) -> int:
        """The id of the newest message; 0 where there is none."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select coalesce(max(message), 0) as newest from inbox_messages where customer = %s",
                [customer],
            )
            row = await cursor.fetchone()
        return row["newest"] if row else 0

    async def unread(self, customer: str) -> int:
        """How many messages the customer has not read or put away."""
        async with one_statement(self._pool) as connection:
            row = await (await connection.execute(_UNREAD, [customer])).fetchone()
        return row["unread"] if row else 0

    # -- what the customer does

    async def read(self, customer: str, message: int) -> bool:
        """The customer read it: told as a touchpoint the first time. False: no such message."""
        return await self._did(customer, message, OPENED)

    async def click(self, customer: str, message: int) -> bool:
        """The customer followed its link, and so has read it. False: no such message, or no link."""
        return await self._did(customer, message, CLICKED)

    async def mark(
        self, customer: str, message: int, column: Literal["read_at", "archived_at"], *, set_: bool
    ) -> bool:
        """Put away, bring back, or take for unread again. False: no such message."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                f"update inbox_messages set {column} ="
                f" case when %s then coalesce({column}, %s) end where message = %s and customer = %s",
                [set_, self._wall_clock(), message, customer],
            )
            return cursor.rowcount > 0

    async def _did(self, customer: str, message: int, event: str) -> bool:
        now = self._wall_clock()
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_OF_DELIVERY, [message, customer])).fetchone()
            if row is None or (event == CLICKED and row["link"] is None):
                return False
            events = [OPENED] if event == OPENED else [OPENED, event]
            told: dict[str, JsonValue] = {
                "delivery": row["key"],
                "message": row["message"],
                "channel": row["channel"],
                "journey": row["journey"],
                "run": row["workflow_id"],
            }
            for each in events:
                also: dict[str, JsonValue] = {"url": row["link"]} if each == CLICKED else {}
                await _tell(connection, customer, each, {**told, **also}, now)
            await connection.execute(
                "update inbox_messages set read_at = coalesce(read_at, %s) where message = %s",
                [now, message],
            )
        self._ring()
        return True


async def _tell(
    connection: Connection,
    customer: str,
    event: str,
    told: dict[str, JsonValue],
    now: datetime,
) -> None:
    """Once per message and event: as a touchpoint, and in what is known of the delivery."""
    one = message_id(f"inbox/{event}", str(told["delivery"]))
    await store_touchpoint(
        connection,
        customer=customer,
        subject=None,
        message_id=one,
        event=event,
        occurred_at=now,
        properties=told,
        context={},
    )
    await connection.execute(
        "insert into delivery_feedback (event_id, delivery, customer, channel, kind, detail, at)"
        " values (%s, %s, %s, 'inbox', %s, %s, %s) on conflict do nothing",
        [
            one,
            told["delivery"],
            customer,
            "opened" if event == OPENED else "clicked",
            str(told.get("url") or ""),
            now,
        ],
    )


def _values(message: RenderedMessage, unsubscribe: str | None) -> dict[str, object]:
    return {
        "delivery": message.key,
        "customer": message.customer,
        "purpose": message.purpose,
        "subject": clean_text(message.subject),
        "text": clean_text(message.text),
        "html": clean_text(message.html) if message.html is not None else None,
        "link": message.link,
        "unsubscribe": unsubscribe,
        "locale": message.locale,
        "corrects": message.corrects,
        "at": message.at,
    }
