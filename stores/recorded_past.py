"""What happened here in a span of the past, read in one snapshot by a process of its own; changes nothing.

A share of the customers is drawn by a hash of their id, so that the same are drawn each time.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import orjson
import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_loads

from contracts.recorded_past import PastCustomer, PastSize, PastSpan, PastTouchpoint
from journey.house_policy import NO_POLICY, HousePolicy
from journey.preferences import Preferences
from journey.sending_caps import Sent
from journey.touchpoint import ENTER, RESERVED, TRAITS_CHANGED, Touchpoint
from stores.addresses import IDENTITIES, found
from stores.consents import newest_words
from stores.preferences import preferences_of

BATCH = 500

_LEFT_OUT = sorted(RESERVED - {TRAITS_CHANGED, ENTER})
"""What came of runs and of messages as they were: it would answer what is played before it happened."""

# Who was looked at and entered has an occasion: a journey that is played looks for itself.
_PAST: LiteralString = """
  from touchpoints t left join customers c using (customer)
 where t.received_at >= %(received_since)s and t.occurred_at >= %(begins)s and t.occurred_at < %(ends)s
   and t.event <> all(%(left_out)s)
   and not (t.event = '$enter' and t.properties ? 'occasion')
   and not (t.event = '$identify' and t.message_id like 'traits/%%')
"""

_SIZE: LiteralString = f"""
select count(distinct coalesce(c.merged_into, t.customer)) as customers, count(*) as touchpoints,
       coalesce(sum(200 + pg_column_size(t.properties) + pg_column_size(t.context)), 0)::bigint as size
{_PAST}
"""

_TOUCHPOINTS: LiteralString = f"""
select coalesce(c.merged_into, t.customer) as customer, t.message_id, t.event, t.occurred_at, t.properties, t.context
{_PAST}
   and (t.customer is null or hashtextextended(coalesce(c.merged_into, t.customer), 0) <= %(highest)s)
 order by t.received_at, t.touchpoint
"""

_ALL_CUSTOMERS: LiteralString = "select count(*) as n from customers where merged_into is null"

_CUSTOMERS: LiteralString = f"""
with whose as (select distinct coalesce(c.merged_into, t.customer) as customer {_PAST} and t.customer is not null)
select o.customer, o.traits, o.zone,
       (select coalesce(jsonb_object_agg(kind, value), '{{}}') from (
            select distinct on (kind) kind, value from identities i
             where i.customer = o.customer and kind = any(%(kinds)s)
             order by kind, created_at desc, value) newest) as identities,
       (select coalesce(jsonb_object_agg(channel, jsonb_build_array(token, keys)), '{{}}') from (
            select distinct on (channel) channel, token, keys from devices d
             where d.customer = o.customer and gone_at is null and channel = any(%(channels)s)
             order by channel, seen_at desc, token) held) as devices,
       (select coalesce(jsonb_agg(jsonb_build_array(purpose, channel, consent, given)), '[]') from (
            select distinct on (purpose, channel) purpose, channel, consent, given from consents s
             where s.customer = o.customer order by purpose, channel, consent desc) said) as consents,
       p.preferred_channel, p.channels_off, p.topics_off, p.quiet_from, p.quiet_to, p.paused_until,
       p.locale, p.changed_at
  from customers o left join preferences p on p.customer = o.customer
 where o.merged_into is null and hashtextextended(o.customer, 0) <= %(highest)s
   and (%(everybody)s or o.customer in (select customer from whose))
"""

_SUPPRESSED: LiteralString = """
select channel, address, reason, marketing_only from suppressed_addresses
 where channel = any(%(channels)s) and address = any(%(addresses)s)
"""

_SENT: LiteralString = """
select customer, run_time as at, purpose, channel, topic, journey from deliveries
 where customer = any(%(customers)s) and journey <> %(journey)s and run_time > %(since)s
   and state in ('accepted', 'intended', 'unknown')
 order by run_time
"""

_POLICY: LiteralString = (
    "select source from published where kind = 'policy' and name = 'house' and live"
)

Connection = psycopg.Connection[DictRow]


@dataclass(slots=True, frozen=True, kw_only=True)
class OpenRecordedPast:
    """Opens the past of an installation, in one snapshot that only reads. Each statement has `seconds`."""

    url: str
    seconds: int = 60

    @contextmanager
    def __call__(self, span: PastSpan) -> Generator["RecordedPast"]:
        with Connection.connect(
            self.url,
            row_factory=dict_row,
            application_name="clew trying",
            prepare_threshold=None,
            connect_timeout=10,
        ) as connection:
            set_json_loads(orjson.loads, connection)
            connection.execute("set transaction isolation level repeatable read, read only")
            connection.execute("set local timezone to 'UTC'")
            connection.execute(
                "select set_config('statement_timeout', %s, true)", [f"{self.seconds}s"]
            )
            yield RecordedPast(connection, span)


class RecordedPast:
    """A span of the past. `share`: of how many customers, 1 for all; what is about subjects only comes always."""

    def __init__(self, connection: Connection, span: PastSpan) -> None:
        self._connection, self._span = connection, span
        self._asked: dict[str, object] = {
            "begins": span.begins,
            "ends": span.ends,
            "received_since": span.received_since,
            "left_out": _LEFT_OUT,
            "channels": list(span.channels),
            "kinds": sorted({kind for way, kind in IDENTITIES.items() if way in span.channels}),
            "everybody": span.everybody,
        }

    def size(self) -> PastSize:
        """How much there is of it."""
        told = self._one(_SIZE)
        if self._span.everybody:
            told["customers"] = self._one(_ALL_CUSTOMERS)["n"]
        return PastSize(**told)

    def policy(self) -> HousePolicy:
        """The policy of the house as it is now."""
        row = self._connection.execute(_POLICY).fetchone()
        return NO_POLICY if row is None else HousePolicy.model_validate(row["source"])

    def touchpoints(self, share: float = 1.0) -> Iterator[PastTouchpoint]:
        """What happened, in the order in which it came."""
        for rows in self._read("past_touchpoints", _TOUCHPOINTS, share):
            for row in rows:
                yield PastTouchpoint(
                    customer=row["customer"],
                    touchpoint=Touchpoint(
                        message_id=row["message_id"],
                        event=row["event"],
                        timestamp=row["occurred_at"],
                        properties=row["properties"],
                        context=row["context"],
                    ),
                )

    def customers(self, policy: HousePolicy, share: float = 1.0) -> Iterator[PastCustomer]:
        """To whom it happened, as they are now."""
        back = policy.longest_cap
        since = None if back is None else self._span.begins - back
        for rows in self._read("past_customers", _CUSTOMERS, share):
            yield from self._known(rows, since)

    def _known(self, rows: Sequence[DictRow], since: datetime | None) -> Iterator[PastCustomer]:
        channels = self._span.channels
        held = {
            row["customer"]: found(
                channels, row["customer"], row["traits"], {**row, "heard": {}}
            ).by_channel
            for row in rows
        }
        shut = self._suppressed([each for ways in held.values() for each in ways.values()])
        sent = self._sent(list(held), since)
        for row in rows:
            ways = held[row["customer"]]
            yield PastCustomer(
                customer=row["customer"],
                traits=row["traits"],
                zone=row["zone"],
                addresses=ways,
                consents=_consents(row["consents"]),
                suppressed={
                    way: shut[way, address.lower()]
                    for way, address in ways.items()
                    if (way, address.lower()) in shut
                },
                preferences=Preferences() if row["changed_at"] is None else preferences_of(row),
                sent=tuple(sent.get(row["customer"], ())),
            )

    def _suppressed(self, addresses: Sequence[str]) -> dict[tuple[str, str], tuple[str, bool]]:
        asked = {**self._asked, "addresses": [each.lower() for each in addresses]}
        return {
            (row["channel"], row["address"]): (row["reason"], row["marketing_only"])
            for row in self._connection.execute(_SUPPRESSED, asked)
        }

    def _sent(self, customers: Sequence[str], since: datetime | None) -> dict[str, list[Sent]]:
        sent: dict[str, list[Sent]] = {}
        if since is not None:
            asked = {"customers": list(customers), "journey": self._span.journey, "since": since}
            for row in self._connection.execute(_SENT, asked):
                sent.setdefault(row.pop("customer"), []).append(Sent(**row))
        return sent

    def _read(self, name: str, query: LiteralString, share: float) -> Iterator[Sequence[DictRow]]:
        asked = {**self._asked, "highest": _highest(share)}
        with self._connection.cursor(name) as cursor:
            cursor.execute(query, asked)
            while rows := cursor.fetchmany(BATCH):
                yield rows

    def _one(self, query: LiteralString) -> DictRow:
        row = self._connection.execute(query, self._asked).fetchone()
        assert row is not None, "a count has one row"
        return row


def _highest(share: float) -> int:
    """The highest hash of this share of the customers."""
    return min(2**63 - 1, int(share * 2**64) - 2**63)


def _consents(said: Sequence[Any]) -> dict[str, dict[str, bool]]:
    by_purpose: dict[str, dict[str, tuple[int, bool]]] = {}
    for purpose, channel, number, given in said:
        by_purpose.setdefault(purpose, {})[channel] = (number, given)
    return {purpose: newest_words(words) for purpose, words in by_purpose.items()}
