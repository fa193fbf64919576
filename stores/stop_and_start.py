"""STOP and START: what they stop and give back, in the transaction that keeps them."""

from contracts.inbound_message import InboundKind, InboundMessage
from stores.consents import say, suppress
from stores.database import Connection
from stores.inbound_thread import Thread

STOPPED = "stop"
"""Why an address is suppressed whose owner wrote STOP."""

CARRIED = frozenset({"sms", "whatsapp"})
"""Channels whose carriers forbid every message after STOP, not only marketing."""


async def what_it_is(
    connection: Connection, message: InboundMessage, thread: Thread
) -> InboundKind:
    """What it is. `YES` resumes only what was stopped; to everybody else it is an answer."""
    if message.kind != "start":
        return message.kind
    cursor = await connection.execute(
        """
        select 1 from suppressed_addresses
         where channel = %s and address = any(%s) and reason = %s limit 1
        """,
        [message.channel, _spellings(message, thread), STOPPED],
    )
    suppressed = await cursor.fetchone() is not None
    return "start" if suppressed or await _was_stopped(connection, message, thread) else "reply"


async def obey(
    connection: Connection, message: InboundMessage, thread: Thread, kind: InboundKind
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
    if thread.customer is not None and (
        not given or await _was_stopped(connection, message, thread)
    ):
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


async def _was_stopped(connection: Connection, message: InboundMessage, thread: Thread) -> bool:
    """Whether it was a STOP that took the consent: what was withdrawn on a page, START does not give."""
    cursor = await connection.execute(
        """
        select not given and source in ('reply', 'provider') as stopped from consents
         where customer = %s and purpose = 'marketing' and channel = %s
         order by consent desc limit 1
        """,
        [thread.customer, message.channel],
    )
    row = await cursor.fetchone()
    return row is not None and row["stopped"]


def _spellings(message: InboundMessage, thread: Thread) -> list[str]:
    """The address as it came and as the ledger has it: nothing may leave to either."""
    told = {message.address, thread.delivered_to} if thread.delivered_to else {message.address}
    return sorted(address.strip().lower() for address in told)
