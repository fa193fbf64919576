"""The ledger of deliveries: what was meant to leave, what left, and what nobody can tell.

The intent is committed before anything leaves, in the transaction that decided under the
customer's lock. An attempt holds a claim; one that is gone without a word leaves its claim to
expire, and the next attempt knows that the message may have left.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, LiteralString, Protocol

from psycopg.errors import DeadlockDetected
from psycopg.rows import DictRow

from activities.delivery_ledger import (
    Claimed,
    DeliveryIntent,
    Doubt,
    Settlement,
    Standing,
    UnderWay,
)
from activities.sent_words import SentWords
from contracts.fault_points import reach
from contracts.message_delivery import MessageDelivered
from journey.delivery_policy import Decision, Defer, DeliveryFacts, Refuse, Send, decide
from journey.house_policy import HousePolicy
from stores import delivery_facts
from stores.consents import suppress
from stores.database import Connection, Pool, clean_text, one_statement
from stores.delivery_facts import CustomerNow
from stores.erased_hashes import ErasedHashes
from stores.house_policy import HousePolicyStore
from stores.run_records import write_record, write_with

LEASE = timedelta(seconds=30)
"""How long an attempt holds its claim: longer than any channel may take, on the wall."""

CONVERSATION = timedelta(hours=24)
"""For how long after a customer wrote by a channel they are in a conversation there, on the wall."""

MENDABLE = "cannot_render"
"""A refusal that is looked at again when asked again: the message may have been mended."""

ERASED = "the customer is being erased"

_NOT_YET = (
    "channel",
    "address",
    "claimed_until",
    "deferred_until",
    "intended_at",
    "settled_at",
)

_CLAIM = """
insert into deliveries as d
    (key, entry, n, journey, customer, message, revision, purpose, channel, address, state, reason,
     words, attempts, doubts, claimed_until, deferred_until, run_time, asked_at, intended_at,
     settled_at, replaces, expires, topic, priority)
values
    (%(key)s, %(entry)s, %(n)s, %(journey)s, %(customer)s, %(message)s, %(revision)s, %(purpose)s,
     %(channel)s, %(address)s, %(state)s, %(reason)s, %(words)s, 1, 0, %(claimed_until)s,
     %(deferred_until)s, %(run_time)s, %(run_time)s, %(intended_at)s, %(settled_at)s, %(replaces)s,
     %(expires)s, %(topic)s, %(priority)s)
on conflict (key) do update set
    revision = excluded.revision, purpose = excluded.purpose, channel = excluded.channel,
    address = excluded.address, state = excluded.state, reason = excluded.reason,
    words = excluded.words, attempts = d.attempts + 1, doubts = d.doubts + %(doubted)s,
    claimed_until = excluded.claimed_until, deferred_until = excluded.deferred_until,
    intended_at = case when d.state = 'intended' then d.intended_at else excluded.intended_at end,
    settled_at = excluded.settled_at, run_time = excluded.run_time, expires = excluded.expires,
    topic = excluded.topic, priority = excluded.priority
returning attempts, doubts, intended_at
"""

_SETTLE = """
update deliveries set state = %(settlement)s, reason = %(reason)s, words = %(words)s,
    provider_id = %(provider_id)s, settled_at = %(wall)s, claimed_until = null,
    sent_subject = coalesce(%(subject)s, sent_subject), sent_text = coalesce(%(text)s, sent_text)
where key = %(key)s and attempts = %(attempt)s and state = 'intended'
"""

# An attempt that was given up for lost and came through after all: what it knows is true.
_SETTLE_LATE = """
update deliveries set
    uncertain = uncertain or attempts <> %(attempt)s and state in ('accepted', 'intended'),
    provider_id = coalesce(provider_id, %(provider_id)s),
    settled_at = coalesce(settled_at, %(wall)s), state = 'accepted', reason = '',
    words = case when state = 'accepted' then words else 'accepted after all, late' end,
    sent_subject = coalesce(%(subject)s, sent_subject), sent_text = coalesce(%(text)s, sent_text),
    claimed_until = null
where key = %(key)s
"""

_REPLACE = """
update deliveries set state = 'refused', reason = 'replaced', deferred_until = null,
    words = 'a later message corrects it', settled_at = %(wall)s
where entry = %(entry)s and n = %(replaces)s and state = 'deferred'
"""


_GONE = """
with device as (
    update devices set gone_at = coalesce(gone_at, %(wall)s)
     where channel = %(channel)s and token = %(address)s
    returning 1
)
insert into suppressed_addresses (channel, address, reason)
select %(channel)s, lower(trim(%(address)s)), 'gone' where not exists (select from device)
on conflict do nothing
"""


class HousePolicies(Protocol):
    """Where the house's policy is known."""

    async def current(self) -> HousePolicy:
        """The policy that holds now."""
        ...


class Ledger:
    """One row a delivery key, for ever, in PostgreSQL."""

    def __init__(
        self,
        pool: Pool,
        wall_clock: Callable[[], datetime],
        *,
        lease: timedelta = LEASE,
        policies: HousePolicies | None = None,
        hashes: ErasedHashes | None = None,
        ring: Callable[[], None] | None = None,
    ) -> None:
        """`hashes`: to know addresses that were an erased customer's. `ring`: touchpoints were put back."""
        self._pool = pool
        self._wall_clock = wall_clock
        self._lease = lease
        self._policies = policies or HousePolicyStore(pool)
        self._hashes = hashes
        self._ring = ring or (lambda: None)

    async def claim(self, intent: DeliveryIntent) -> Claimed | UnderWay | MessageDelivered:
        """Write the record that rides along, decide, and write the intent, in one transaction.

        Or answer with what is already known.
        """
        policy = await self._policies.current()
        put_back = False
        async with self._pool.connection() as connection, connection.transaction():
            customer = await delivery_facts.lock_customer(connection, intent.run.customer)
            if intent.record is not None:
                put_back = await write_record(connection, intent.run, intent.record)
            answer = await self._decided_claim(connection, intent, customer, policy)
            reach("delivery.before_intent")
        if put_back:
            self._ring()
        return answer

    async def _decided_claim(
        self,
        connection: Connection,
        intent: DeliveryIntent,
        customer: CustomerNow,
        policy: HousePolicy,
    ) -> Claimed | UnderWay | MessageDelivered:
        if customer.erased:
            return MessageDelivered(state="refused", reason="suppressed", words=ERASED)
        intent = replace(intent, run=replace(intent.run, customer=customer.customer))
        row = await _row(connection, intent.key)
        known = _known(row, self._wall_clock())
        if known is not None:
            return known
        if row is not None and _in_doubt(row):
            intent = _by_the_same_channel(intent, row["channel"])
        facts = await delivery_facts.load(connection, intent, customer, policy, row, self._hashes)
        decision = decide(facts, intent.deliver, intent.now)
        intent = _by_its_place(intent, facts)
        if row is not None and _in_doubt(row):
            claimed = await self._take_over(connection, intent, decision, row)
        else:
            claimed = await self._write(connection, intent, decision, doubted=0)
        if isinstance(claimed, MessageDelivered):
            return claimed
        return replace(
            claimed,
            whose=customer.customer,
            customer=customer.values(),
            locale=customer.language(facts.preferences),
            address_keys=dict(facts.address_keys.get(claimed.channel, {})),
            in_conversation=self._in_conversation(facts, claimed.channel),
            **await self._replace(connection, intent, claimed.channel),
        )

    async def _take_over(
        self,
        connection: Connection,
        intent: DeliveryIntent,
        decision: Decision,
        row: DictRow,
    ) -> Claimed | MessageDelivered:
        """Claim a message whose last attempt is gone, and say what is doubtful about it."""
        if isinstance(decision, Defer):
            return MessageDelivered(state="deferred", reason=decision.words, until=decision.until)
        pointless = decision.reason if isinstance(decision, Refuse) else None
        send = Send(channel=row["channel"], address=row["address"])
        if isinstance(decision, Send):
            send = decision
        claimed = await self._write(connection, intent, send, doubted=1)
        assert isinstance(claimed, Claimed)
        assert claimed.doubt is not None
        return replace(claimed, doubt=replace(claimed.doubt, pointless=pointless))

    async def _write(
        self,
        connection: Connection,
        intent: DeliveryIntent,
        decision: Decision,
        *,
        doubted: int,
    ) -> Claimed | MessageDelivered:
        values = {**_columns(intent), **self._decided(decision), "doubted": doubted}
        cursor = await connection.execute(_CLAIM, values)
        row = await cursor.fetchone()
        assert row is not None
        match decision:
            case Send():
                doubt = Doubt(since=row["intended_at"], times=row["doubts"]) if doubted else None
                return Claimed(
                    key=intent.key,
                    attempt=row["attempts"],
                    channel=decision.channel,
                    address=decision.address,
                    doubt=doubt,
                )
            case Refuse():
                return MessageDelivered(
                    state="refused", reason=decision.reason, words=decision.words
                )
            case Defer():
                return MessageDelivered(
                    state="deferred", reason=decision.words, until=decision.until
                )

    def _decided(self, decision: Decision) -> dict[str, object]:
        wall = self._wall_clock()
        told: dict[str, object] = {"reason": "", "words": ""}
        told.update(dict.fromkeys(_NOT_YET))
        match decision:
            case Send():
                told["state"] = "intended"
                told["channel"], told["address"] = decision.channel, decision.address
                told["intended_at"], told["claimed_until"] = wall, wall + self._lease
            case Refuse():
                told["state"], told["settled_at"] = "refused", wall
                told["reason"], told["words"] = decision.reason, clean_text(decision.words)
            case Defer():
                told["state"], told["deferred_until"] = "deferred", decision.until
                told["reason"], told["words"] = decision.reason, clean_text(decision.words)
                told["channel"] = decision.channel
        return told

    def _in_conversation(self, facts: DeliveryFacts, channel: str) -> bool:
        heard = facts.heard_at.get(channel)
        return heard is not None and self._wall_clock() < heard + CONVERSATION

    async def _replace(
        self, connection: Connection, intent: DeliveryIntent, channel: str
    ) -> dict[str, Any]:
        """Stop the delivery that this one corrects; its key and id, where it has left or may have."""
        if intent.deliver.replaces is None:
            return {}
        where = {
            "entry": intent.run.entry,
            "replaces": intent.deliver.replaces,
            "wall": self._wall_clock(),
        }
        await connection.execute(_REPLACE, where)
        cursor = await connection.execute(
            "select key, channel, provider_id from deliveries where entry = %(entry)s"
            " and n = %(replaces)s and state in ('accepted', 'unknown', 'intended')",
            where,
        )
        found = await cursor.fetchone()
        if found is None:
            return {}
        same = found["channel"] == channel
        return {"corrects": found["key"], "corrects_id": found["provider_id"] if same else None}

    async def resend(self, claim: Claimed) -> None:
        """Mark the delivery: the customer may get it twice."""
        await self._execute(
            "update deliveries set uncertain = true where key = %(key)s and attempts = %(attempt)s",
            {"key": claim.key, "attempt": claim.attempt},
        )

    async def settle(
        self, claim: Claimed, settlement: Settlement, standing: Standing | None = None
    ) -> None:
        """Write how the attempt ended, and how its run stands now, in one statement.

        An acceptance is never lost, however late it comes.
        """
        values: dict[str, object] = {
            "key": claim.key,
            "attempt": claim.attempt,
            "settlement": settlement.state,
            "reason": settlement.reason,
            "words": clean_text(settlement.words),
            "provider_id": settlement.provider_id,
            "wall": self._wall_clock(),
            **_sent(settlement.sent),
        }
        settled = await self._settled(values, standing)
        if not settled and settlement.state == "accepted":
            await self._execute(_SETTLE_LATE, values)

    async def _settled(self, values: dict[str, object], standing: Standing | None) -> bool:
        if standing is None:
            return bool(await self._execute(_SETTLE, values))
        try:
            async with one_statement(self._pool) as connection:
                return await write_with(connection, *standing, _SETTLE, values)
        except DeadlockDetected:  # it has left: what became of it is not to be lost with the rest
            settled = bool(await self._execute(_SETTLE, values))
        async with self._pool.connection() as connection:
            await write_record(connection, *standing)
        return settled

    async def release(self, claim: Claimed, words: str) -> None:
        """Give the claim back: nothing left now. What was doubtful before stays so."""
        doubted = claim.doubt is not None
        await self._execute(
            "update deliveries set words = %(words)s, doubts = doubts - %(doubted)s,"
            " claimed_until = case when %(doubted)s = 1 then 'epoch'::timestamptz end"
            " where key = %(key)s and attempts = %(attempt)s and state = 'intended'",
            {
                "key": claim.key,
                "attempt": claim.attempt,
                "words": clean_text(words),
                "doubted": int(doubted),
            },
        )

    async def turn_away(self, claim: Claimed, words: str) -> None:
        """Remember what the provider said, and give the claim back: another channel may be tried."""
        await self._execute(
            "update deliveries set tried = tried || jsonb_build_object(channel, %(words)s::text),"
            " claimed_until = null"
            " where key = %(key)s and attempts = %(attempt)s and state = 'intended'",
            {"key": claim.key, "attempt": claim.attempt, "words": clean_text(words)},
        )

    async def suppress(self, claim: Claimed, reason: str) -> None:
        """Send nothing to this address any more, whoever it belongs to."""
        async with self._pool.connection() as connection:
            await suppress(connection, claim.channel, claim.address, clean_text(reason))

    async def gone(self, claim: Claimed, words: str) -> None:
        """Give the claim back, and never send to this address again.

        A device is marked as gone; any other address is suppressed, until the customer has another.
        """
        address: dict[str, object] = {
            "channel": claim.channel,
            "address": claim.address,
            "wall": self._wall_clock(),
        }
        await self._execute(_GONE, address)
        await self.release(claim, words)

    async def doubt(self, claim: Claimed, words: str, sent: SentWords) -> None:
        """End the claim now, without a word on what became of the message."""
        await self._execute(
            "update deliveries set words = %(words)s, claimed_until = %(wall)s,"
            " sent_subject = %(subject)s, sent_text = %(text)s"
            " where key = %(key)s and attempts = %(attempt)s and state = 'intended'",
            {
                "key": claim.key,
                "attempt": claim.attempt,
                "words": clean_text(words),
                "wall": self._wall_clock(),
                **_sent(sent),
            },
        )

    async def _execute(self, statement: LiteralString, values: dict[str, object]) -> int:
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(statement, values)
            return cursor.rowcount


async def _row(connection: Connection, key: str) -> DictRow | None:
    cursor = await connection.execute("select * from deliveries where key = %s for update", (key,))
    return await cursor.fetchone()


def _known(row: DictRow | None, wall: datetime) -> MessageDelivered | UnderWay | None:
    """What the row already answers; None where it is to be decided (again)."""
    if row is None or row["state"] == "deferred":
        return None
    if row["state"] == "intended":
        until: datetime | None = row["claimed_until"]
        return UnderWay(until=until) if until is not None and until > wall else None
    if row["reason"] == MENDABLE and row["state"] == "refused":
        return None
    return MessageDelivered(
        state=row["state"], reason=row["reason"], words=row["words"], channel=row["channel"]
    )


def _in_doubt(row: DictRow) -> bool:
    """An attempt began and did not say how it ended (a claim that was given back is null)."""
    return row["state"] == "intended" and row["claimed_until"] is not None


def _sent(sent: SentWords | None) -> dict[str, str | None]:
    if sent is None:
        return {"subject": None, "text": None}
    return {"subject": clean_text(sent.subject), "text": clean_text(sent.text)}


def _by_the_same_channel(intent: DeliveryIntent, channel: str) -> DeliveryIntent:
    return replace(intent, deliver=replace(intent.deliver, via=(channel,)))


def _by_its_place(intent: DeliveryIntent, facts: DeliveryFacts) -> DeliveryIntent:
    """The same with the priority that it has, of its own or of its run."""
    priority = facts.place.priority if facts.place is not None else 0
    return replace(intent, deliver=replace(intent.deliver, priority=priority))


def _columns(intent: DeliveryIntent) -> dict[str, object]:
    return {
        "key": intent.key,
        "entry": intent.run.entry,
        "n": intent.deliver.n,
        "journey": intent.run.journey,
        "customer": intent.run.customer,
        "message": intent.deliver.message,
        "revision": intent.revision,
        "purpose": intent.deliver.purpose,
        "run_time": intent.now,
        "replaces": intent.deliver.replaces,
        "expires": intent.deliver.expires,
        "topic": intent.deliver.topic,
        "priority": intent.deliver.priority or 0,
    }
