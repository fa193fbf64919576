"""What the delivery policy is told, read under the customer's lock."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from activities.delivery_ledger import DeliveryIntent
from journey.delivery_policy import DeliveryFacts
from stores.database import Connection, jsonb

_ADDRESS_KINDS = {"email": "email", "sms": "phone"}
"""Channel → the trait, and the kind of identity, that holds its address."""

# `no key update`: identities may still be added to the customer meanwhile.
_LOCK = "select traits, zone from customers where customer = %s for no key update"

_IDENTITIES = """
select distinct on (kind) kind, value from identities
where customer = %s and kind = any(%s) order by kind, created_at desc, value
"""

_FACTS = """
select
    (select state from runs where entry = %(entry)s) as run_state,
    coalesce((select held_out from runs where entry = %(entry)s), false) as held_out,
    exists (select from deliveries where entry = %(entry)s and replaces = %(n)s) as replaced,
    array(select channel from unsubscribes
          where customer = %(customer)s and purpose = 'marketing') as unsubscribed,
    (select coalesce(jsonb_object_agg(s.channel, s.reason), '{}') from suppressed_addresses s
     join jsonb_each_text(%(addresses)s::jsonb) a
         on a.key = s.channel and lower(a.value) = s.address) as suppressed
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class CustomerNow:
    """A customer as they stand while their row is locked."""

    customer: str
    traits: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    zone: str | None = None

    def values(self) -> dict[str, JsonValue]:
        """What a template or a condition may name under `customer`."""
        return {**self.traits, "zone": self.zone} if self.zone else dict(self.traits)


async def lock_customer(connection: Connection, customer: str) -> CustomerNow:
    """Lock the customer until the transaction ends; one whom nobody knows has no traits."""
    cursor = await connection.execute(_LOCK, (customer,))
    row = await cursor.fetchone()
    if row is None:
        return CustomerNow(customer=customer)
    return CustomerNow(customer=customer, traits=row["traits"], zone=row["zone"])


async def load(
    connection: Connection, intent: DeliveryIntent, customer: CustomerNow
) -> DeliveryFacts:
    """All that `decide` asks for, in two reads."""
    addresses = await _addresses(connection, intent, customer)
    asked = {
        "entry": intent.run.entry,
        "n": intent.deliver.n,
        "customer": customer.customer,
        "addresses": jsonb(addresses),
    }
    cursor = await connection.execute(_FACTS, asked)
    row = await cursor.fetchone()
    assert row is not None
    given = intent.deliver.values.get("customer")
    known: dict[str, JsonValue] = {
        **(given if isinstance(given, dict) else {}),
        **customer.values(),
    }
    return DeliveryFacts(
        addresses=addresses,
        suppressed=row["suppressed"],
        unsubscribed=frozenset(row["unsubscribed"]),
        consent_withheld=customer.traits.get("marketing_consent") is False,
        run_ended=row["run_state"] == "finished" and not intent.last_act,
        held_out=intent.held_out or row["held_out"],
        replaced=row["replaced"],
        names={**intent.deliver.values, "customer": known},
    )


async def _addresses(
    connection: Connection, intent: DeliveryIntent, customer: CustomerNow
) -> dict[str, str]:
    """By trait, else by the identity that came last."""
    kinds = {
        channel: kind for channel, kind in _ADDRESS_KINDS.items() if channel in intent.channels
    }
    cursor = await connection.execute(_IDENTITIES, (customer.customer, list(kinds.values())))
    identities = {row["kind"]: row["value"] for row in await cursor.fetchall()}
    found: dict[str, str] = {}
    for channel, kind in kinds.items():
        trait = customer.traits.get(kind)
        address = trait if isinstance(trait, str) and trait.strip() else identities.get(kind)
        if address:
            found[channel] = address.strip()
    return found
