"""What the delivery policy is told, read under the customer's lock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import DictRow
from pydantic import JsonValue

from activities.delivery_ledger import DeliveryIntent
from journey.channels import WHERE_THEY_CAME
from journey.delivery_policy import DeliveryFacts
from journey.house_policy import HousePolicy
from journey.preferences import Preferences
from journey.sending_caps import InLine, Place, Sent
from stores import addresses
from stores.consents import EVERY_CHANNEL, newest_words
from stores.database import Connection
from stores.erased_hashes import ErasedHashes
from stores.identity_graph import is_erased
from stores.phone_zone import zone_of_phone
from stores.preferences import preferences_of

# `no key update`: identities may still be added to the customer meanwhile.
_LOCK = """
select customer, traits, zone, merged_into, is_erased(customer) as erased
  from customers where customer = %s for no key update
"""

# One order of who speaks, so that no two runs wait for each other: who holds before who does not,
# then by priority, then who entered first. Runs of one journey never hold each other.
_FACTS = f"""
with identity as (
    select distinct on (kind) kind, value from identities
    where customer = %(customer)s and kind = any(%(kinds)s) order by kind, created_at desc, value
)
select
    (select state from runs where entry = %(entry)s) as run_state,
    coalesce((select held_out from runs where entry = %(entry)s), false) as held_out,
    exists (select from deliveries where entry = %(entry)s and replaces = %(n)s) as replaced,
    (select other.journey from runs other, runs own
      where own.entry = %(entry)s and other.customer = own.customer and other.state = 'open'
        and other.journey <> own.journey
        and (other.holds is not null or coalesce(other.priority, 0) > coalesce(own.priority, 0))
        and (other.holds is not null, coalesce(other.priority, 0), -other.entry)
            > (own.holds is not null, coalesce(own.priority, 0), -own.entry)
      order by other.holds is null, other.priority desc nulls last, other.entry limit 1) as held_by,
    coalesce((select priority from runs where entry = %(entry)s), 0) as priority,
    (select jsonb_object_agg(channel, jsonb_build_array(consent, given)) from (
         select distinct on (channel) channel, consent, given from consents
          where customer = %(customer)s and purpose = %(purpose)s
          order by channel, consent desc) said) as consents,
    (select jsonb_agg(jsonb_build_array(scope, name)) from stops where lifted_at is null) as stops,
    p.preferred_channel, p.channels_off, p.topics_off, p.quiet_from, p.quiet_to, p.paused_until,
    p.locale, p.changed_at,
    {addresses.COLUMNS}
    (select coalesce(jsonb_object_agg(channel || ' ' || address, reason), '{{}}')
     from suppressed_addresses
     where channel = any(%(channels)s) and (not marketing_only or %(purpose)s = 'marketing')
       and address in
         (select lower(trim(value)) from identity union all select unnest(%(addresses)s::text[])))
        as suppressed,
    case when %(erased_inner)s::bytea is not null and exists (select from erased_addresses) then (
        select jsonb_object_agg(encode(e.digest, 'hex'), e.at) from erased_addresses e
         where e.digest = any(%(erased_known)s::bytea[] || array(
            select sha256(%(erased_outer)s::bytea || sha256(%(erased_inner)s::bytea
                   || convert_to(a.kind || ':' || lower(a.value), 'UTF8')))
              from (select kind, value from identity union all
                    select channel, token from devices
                     where customer = %(customer)s and gone_at is null) a))) end as erased,
    case when exists (select from erased_addresses) then (
        select jsonb_object_agg(channel, at) from (
            select channel, max(at) as at from (
                select distinct on (purpose, channel) channel, given, proof, at from consents
                 where customer = %(customer)s
                   and (purpose = %(purpose)s or %(purpose)s = 'service')
                 order by purpose, channel, consent desc) word
             where given and proof <> '' group by channel) yes) end as agreed_at,
    case when %(counted_since)s::timestamptz is not null then (
        select jsonb_agg(jsonb_build_object('at', run_time, 'purpose', purpose, 'channel', channel,
                                            'topic', topic, 'journey', journey))
          from deliveries
         where customer = %(customer)s and run_time > %(counted_since)s and key <> %(key)s
           and state in ('accepted', 'intended', 'unknown')) end as sent,
    case when %(counted_since)s::timestamptz is not null then (
        select jsonb_agg(jsonb_build_object(
                   'key', d.key, 'priority', d.priority, 'asked_at', coalesce(d.asked_at, d.run_time),
                   'until', d.deferred_until, 'channel', d.channel, 'topic', d.topic,
                   'journey', d.journey, 'expires', d.expires))
          from deliveries d join runs r using (entry)
         where d.customer = %(customer)s and d.state = 'deferred' and d.purpose = 'marketing'
           and d.reason in ('capped', 'quiet_until', 'paused') and d.key <> %(key)s
           and r.state = 'open') end as waiting,
    case when %(choosing)s then (
        select jsonb_object_agg(channel, score) from (
            select channel, (sum(weight * worth) + 0.5) / (sum(weight) + 1) as score from (
                select power(0.5, greatest(extract(epoch from %(now)s - d.run_time), 0) / 2592000)
                           as weight, tell.*
                  from deliveries d
                  left join lateral (
                      select bool_or(f.kind in ('bounced', 'complained', 'unsubscribed')) as bad,
                             bool_or(f.kind in ('opened', 'clicked', 'replied')) as good
                        from delivery_feedback f where f.delivery = d.key) said on true
                  cross join lateral (
                      select d.channel, case when d.state = 'refused' or said.bad then 0
                                             when said.good then 1 else 0.5 end as worth
                       where d.channel is not null
                      union all select t, 0 from jsonb_object_keys(d.tried) t) tell
                 where d.customer = %(customer)s and d.run_time > %(now)s - interval '180 days'
                   and d.state in ('accepted', 'refused')) one
             group by channel) each_channel) end as reach,
    case when %(came)s then (
        select channel from (
            (select channel, heard_at from conversations
              where customer = %(customer)s and channel = any(%(sendable)s)
              order by heard_at desc limit 1)
            union all
            (select coalesce(context ->> 'channel', context ->> 'place'), received_at
               from touchpoints
              where customer = %(customer)s and received_at > now() - interval '30 days'
                and coalesce(context ->> 'channel', context ->> 'place') = any(%(sendable)s)
              order by received_at desc limit 1)) heard
         order by heard_at desc limit 1) end as came_by
  from (select 1) one left join preferences p on p.customer = %(customer)s
"""


_NO_HASHES: dict[str, object] = {"erased_inner": None, "erased_outer": None, "erased_known": []}

ERASED_ADDRESS = "whoever had this address was erased, and has not agreed anew"


@dataclass(slots=True, frozen=True, kw_only=True)
class CustomerNow:
    """A customer as they stand while their row is locked. `erased`: nothing of them is kept any more."""

    customer: str
    traits: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    zone: str | None = None
    erased: bool = False

    def language(self, preferences: Preferences) -> str | None:
        """The language they want to be written to in: as they said, else as we know them."""
        told = (preferences.locale, self.traits.get("locale"), self.traits.get("language"))
        return next((_text(each) for each in told if _text(each)), None)

    def values(self) -> dict[str, JsonValue]:
        """What a template or a condition may name under `customer`."""
        return {**self.traits, "zone": self.zone} if self.zone else dict(self.traits)


async def lock_customer(connection: Connection, customer: str) -> CustomerNow:
    """Lock the customer whom an id means now until the transaction ends; one whom nobody knows has no traits."""
    row = await (await connection.execute(_LOCK, (customer,))).fetchone()
    while row is not None and row["merged_into"] is not None:
        row = await (await connection.execute(_LOCK, (row["merged_into"],))).fetchone()
    if row is None:
        return CustomerNow(customer=customer, erased=await is_erased(connection, customer))
    return CustomerNow(
        customer=row["customer"], traits=row["traits"], zone=row["zone"], erased=row["erased"]
    )


async def load(
    connection: Connection,
    intent: DeliveryIntent,
    customer: CustomerNow,
    policy: HousePolicy,
    earlier: DictRow | None = None,
    hashes: ErasedHashes | None = None,
) -> DeliveryFacts:
    """All that `decide` asks for, in one read. `earlier`: what the ledger has of this delivery.

    `hashes`: to know addresses that were an erased customer's.
    """
    ways, traits = intent.channels, customer.traits
    told = addresses.of_traits(ways, traits)
    values = _asked(intent, customer, policy) | addresses.asked(ways, traits)
    values |= hashes.asked(told) if hashes is not None else _NO_HASHES
    cursor = await connection.execute(_FACTS, values)
    row = await cursor.fetchone()
    assert row is not None
    held = addresses.found(ways, customer.customer, traits, row)
    given, deliver = intent.deliver.values.get("customer"), intent.deliver
    known: dict[str, JsonValue] = {
        **(given if isinstance(given, dict) else {}),
        **customer.values(),
    }
    priority = deliver.priority if deliver.priority is not None else row["priority"]
    asked_at = (earlier or {}).get("asked_at") or intent.now
    return DeliveryFacts(
        addresses=held.by_channel,
        address_keys=held.keys,
        heard_at=held.heard_at,
        suppressed={
            **_erased(held.by_channel, row, hashes),
            **_suppressed(held.by_channel, row["suppressed"]),
        },
        tried=(earlier or {}).get("tried") or {},
        consents=newest_words(row["consents"] or {}),
        consent_withheld=customer.traits.get("marketing_consent") is False,
        run_ended=row["run_state"] == "finished" and not (intent.last_act or deliver.last_act),
        held_out=intent.held_out or row["held_out"],
        replaced=row["replaced"],
        held_by=row["held_by"],
        stops=frozenset((scope, name) for scope, name in row["stops"] or ()),
        journey=intent.run.journey,
        zone=customer.zone or _zone_of(traits, row["identities"], deliver.purpose),
        policy=policy,
        preferences=Preferences() if row["changed_at"] is None else preferences_of(row),
        came_by=row["came_by"],
        reach=row["reach"] or {},
        sent=tuple(_sent(each) for each in row["sent"] or ()),
        waiting=tuple(_in_line(each) for each in row["waiting"] or ()),
        place=Place(priority=priority, asked_at=asked_at, key=intent.key),
        names={**deliver.values, "customer": known},
    )


def _zone_of(
    traits: Mapping[str, JsonValue], identities: Mapping[str, str], purpose: str
) -> str | None:
    """Where their phone is from. Only marketing keeps hours."""
    phone = traits.get("phone") or identities.get("phone")
    return zone_of_phone(phone) if isinstance(phone, str) and purpose == "marketing" else None


def _asked(intent: DeliveryIntent, customer: CustomerNow, policy: HousePolicy) -> dict[str, object]:
    deliver = intent.deliver
    back: timedelta | None = policy.longest_cap if deliver.purpose == "marketing" else None
    return {
        "key": intent.key,
        "entry": intent.run.entry,
        "n": deliver.n,
        "now": intent.now,
        "customer": customer.customer,
        "purpose": deliver.purpose,
        "counted_since": intent.now - back if back is not None else None,
        "choosing": len(deliver.via) > 1,
        "came": WHERE_THEY_CAME in deliver.via,
        "sendable": sorted(intent.channels),
    }


def _sent(row: dict[str, Any]) -> Sent:
    return Sent(
        at=datetime.fromisoformat(row["at"]),
        purpose=row["purpose"],
        channel=row["channel"],
        topic=row["topic"],
        journey=row["journey"],
    )


def _in_line(row: dict[str, Any]) -> InLine:
    expires = row["expires"]
    return InLine(
        place=Place(
            priority=row["priority"],
            asked_at=datetime.fromisoformat(row["asked_at"]),
            key=row["key"],
        ),
        until=datetime.fromisoformat(row["until"]),
        channel=row["channel"],
        topic=row["topic"],
        journey=row["journey"],
        expires=datetime.fromisoformat(expires) if expires else None,
    )


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _erased(known: Mapping[str, str], row: DictRow, hashes: ErasedHashes | None) -> dict[str, str]:
    """Channel → why nothing may go to an address that was an erased customer's, without a yes since."""
    if hashes is None or not row["erased"]:
        return {}
    shut: dict[str, str] = {}
    agreed: Mapping[str, str] = row["agreed_at"] or {}
    for way, address in known.items():
        erased_at = row["erased"].get(hashes.of_address(way, address).hex())
        yes = max((agreed[each] for each in (way, EVERY_CHANNEL) if each in agreed), default="")
        if erased_at is not None and not (yes and _moment(yes) > _moment(erased_at)):
            shut[way] = ERASED_ADDRESS
    return shut


def _moment(told: str) -> datetime:
    return datetime.fromisoformat(told)


def _suppressed(known: Mapping[str, str], reasons: Mapping[str, str]) -> dict[str, str]:
    """Channel → why nothing may go to its address."""
    sought = {way: f"{way} {address.lower()}" for way, address in known.items()}
    return {way: reasons[address] for way, address in sought.items() if address in reasons}
