"""Where each channel finds a customer: a trait, else the name they are known by, or a device of theirs.

Read in the one statement of `stores/delivery_facts.py`, under the customer's lock.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from pydantic import JsonValue

from stores.customers import normalised

TRAITS = {
    "email": ("email",),
    "sms": ("phone",),
    "whatsapp": ("whatsapp", "phone"),
    "slack": ("slack",),
    "webhook": ("webhook_url",),
    "apprise": ("apprise_url",),
}
"""Channel → the traits that hold its address, the surest first."""

IDENTITIES = {"email": "email", "sms": "phone", "whatsapp": "phone"}
"""Channel → the kind of identity that is its address where no trait says so."""

INBOX = "inbox"
"""Its address is the customer."""

_PHONES = frozenset({"sms", "whatsapp"})

COLUMNS = """
    (select coalesce(jsonb_object_agg(kind, value), '{}') from identity) as identities,
    (select coalesce(jsonb_object_agg(channel, jsonb_build_array(token, keys)), '{}')
       from (select distinct on (channel) channel, token, keys from devices
              where customer = %(customer)s and gone_at is null and channel = any(%(channels)s)
              order by channel, seen_at desc, token) held) as devices,
    (select coalesce(jsonb_object_agg(channel, heard_at), '{}') from conversations
      where customer = %(customer)s) as heard,
"""
"""What to select for `found`. Needs `identity`, the newest identity of each kind of `kinds`."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Addresses:
    """Where a customer can be found.

    `by_channel`: the address of each channel. `keys`: what an address needs beside itself.
    `heard_at`: when the customer last wrote by a channel (wall time).
    """

    by_channel: dict[str, str] = field(default_factory=dict[str, str])
    keys: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    heard_at: dict[str, datetime] = field(default_factory=dict[str, datetime])


def asked(channels: Collection[str], traits: Mapping[str, JsonValue]) -> dict[str, object]:
    """The parameters of the statement: which channels and kinds, and what traits say."""
    told = of_traits(channels, traits)
    return {
        "channels": sorted(channels),
        "kinds": sorted({kind for way, kind in IDENTITIES.items() if way in channels}),
        "addresses": [address.lower() for address in told.values()],
    }


def found(
    channels: Collection[str], customer: str, traits: Mapping[str, JsonValue], row: dict[str, Any]
) -> Addresses:
    """The customer's addresses: by trait, else by the identity that came last, else by device."""
    known: dict[str, str] = {
        way: address
        for way, kind in IDENTITIES.items()
        if way in channels and (address := _text(row["identities"].get(kind)))
    }
    known |= of_traits(channels, traits)
    keys: dict[str, dict[str, str]] = {}
    for way, (token, held) in row["devices"].items():
        known[way], keys[way] = token, held
    if INBOX in channels:
        known[INBOX] = customer
    heard = {way: datetime.fromisoformat(at) for way, at in row["heard"].items()}
    return Addresses(by_channel=known, keys=keys, heard_at=heard)


def of_traits(channels: Collection[str], traits: Mapping[str, JsonValue]) -> dict[str, str]:
    """What traits say, by channel."""
    told = {
        way: next(filter(None, (_text(traits.get(name)) for name in names)), "")
        for way, names in TRAITS.items()
        if way in channels
    }
    for way in _PHONES & told.keys():
        # As identities are: so that a number is one number, however it is written.
        told[way] = normalised("phone", told[way])[1]
    return {way: address for way, address in told.items() if address}


def _text(value: object) -> str:
    if isinstance(value, list):
        return " ".join(filter(None, map(_text, cast("list[object]", value))))
    return value.strip() if isinstance(value, str) else ""
