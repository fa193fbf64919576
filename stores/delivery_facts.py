"""What the delivery policy is told, read under the customer's lock."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from activities.delivery_ledger import DeliveryIntent
from journey.delivery_policy import DeliveryFacts
from stores.database import Connection

_ADDRESS_KINDS = {"email": "email", "sms": "phone"}
"""Channel → the trait, and the kind of identity, that holds its address."""

# `no key update`: identities may still be added to the customer meanwhile.
_LOCK = """
select traits, zone, (select p.locale from preferences p where p.customer = c.customer) as locale
from customers c where customer = %s for no key update
"""

# One order of who speaks, so that no two runs wait for each other: who holds before who does not,
# then by priority, then who entered first. Runs of one journey never hold each other.
_FACTS = """
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
    array(select channel from (
              select distinct on (channel) channel, given from consents
               where customer = %(customer)s and purpose = 'marketing'
               order by channel, consent desc) said
           where not given) as unsubscribed,
    (select coalesce(jsonb_object_agg(kind, value), '{}') from identity) as identities,
    (select coalesce(jsonb_object_agg(channel || ' ' || address, reason), '{}')
     from suppressed_addresses
     where channel = any(%(channels)s) and address in
         (select lower(trim(value)) from identity union all select unnest(%(addresses)s::text[])))
        as suppressed
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class CustomerNow:
    """A customer as they stand while their row is locked."""

    customer: str
    traits: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    zone: str | None = None
    locale: str | None = None

    def language(self) -> str | None:
        """The language they want to be written to in: as they said, else as we know them."""
        told = (self.locale, self.traits.get("locale"), self.traits.get("language"))
        return next((_text(each) for each in told if _text(each)), None)

    def values(self) -> dict[str, JsonValue]:
        """What a template or a condition may name under `customer`."""
        return {**self.traits, "zone": self.zone} if self.zone else dict(self.traits)


async def lock_customer(connection: Connection, customer: str) -> CustomerNow:
    """Lock the customer until the transaction ends; one whom nobody knows has no traits."""
    cursor = await connection.execute(_LOCK, (customer,))
    row = await cursor.fetchone()
    if row is None:
        return CustomerNow(customer=customer)
    return CustomerNow(
        customer=customer, traits=row["traits"], zone=row["zone"], locale=row["locale"]
    )


async def load(
    connection: Connection, intent: DeliveryIntent, customer: CustomerNow
) -> DeliveryFacts:
    """All that `decide` asks for, in one read."""
    kinds = {way: kind for way, kind in _ADDRESS_KINDS.items() if way in intent.channels}
    own = {kind: value for kind in kinds.values() if (value := _text(customer.traits.get(kind)))}
    asked: dict[str, object] = {
        "entry": intent.run.entry,
        "n": intent.deliver.n,
        "customer": customer.customer,
        "channels": list(kinds),
        "kinds": list(kinds.values()),
        "addresses": [value.lower() for value in own.values()],
    }
    cursor = await connection.execute(_FACTS, asked)
    row = await cursor.fetchone()
    assert row is not None
    # By trait, else by the identity that came last.
    by_kind = {**row["identities"], **own}
    addresses = {way: _text(by_kind[kind]) for way, kind in kinds.items() if kind in by_kind}
    given = intent.deliver.values.get("customer")
    known: dict[str, JsonValue] = {
        **(given if isinstance(given, dict) else {}),
        **customer.values(),
    }
    return DeliveryFacts(
        addresses=addresses,
        suppressed=_suppressed(addresses, row["suppressed"]),
        unsubscribed=frozenset(row["unsubscribed"]),
        consent_withheld=customer.traits.get("marketing_consent") is False,
        run_ended=row["run_state"] == "finished"
        and not (intent.last_act or intent.deliver.last_act),
        held_out=intent.held_out or row["held_out"],
        replaced=row["replaced"],
        held_by=row["held_by"],
        names={**intent.deliver.values, "customer": known},
    )


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _suppressed(addresses: Mapping[str, str], reasons: Mapping[str, str]) -> dict[str, str]:
    """Channel → why nothing may go to its address."""
    sought = {way: f"{way} {address.lower()}" for way, address in addresses.items()}
    return {way: reasons[address] for way, address in sought.items() if address in reasons}
