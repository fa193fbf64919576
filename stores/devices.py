"""The devices that customers carry: phones with our app, browsers that took our notifications."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from stores.database import Connection, Pool, clean_text, jsonb

DeviceChannel = Literal["push", "webpush"]

# A token is one device's, whoever used it before: it goes with whoever uses it now. What is only
# noticed with a touchpoint is written at most once an hour, and never undoes what came later.
_SEEN = """
with given as (
    select distinct on (channel, token) * from jsonb_to_recordset(%s) as r(
        channel text, token text, customer text, keys jsonb, platform text, at timestamptz,
        told boolean)
     order by channel, token, at desc
), fresh as (
    select g.* from given g left join devices d using (channel, token)
     where d.token is null or g.told
        or (g.at > greatest(d.gone_at, d.seen_at)
            and (d.customer <> g.customer or d.gone_at is not null
                 or g.at > d.seen_at + interval '1 hour'))
), held as (
    select customer from customers where customer in (select customer from fresh)
     order by customer for no key update
)
insert into devices (channel, token, customer, keys, platform, seen_at)
select channel, token, customer, keys, platform, least(at, now())
  from fresh join held using (customer) order by channel, token
on conflict (channel, token) do update set
    customer = excluded.customer, seen_at = excluded.seen_at, gone_at = null,
    keys = case when excluded.keys = '{}' then devices.keys else excluded.keys end,
    platform = case when excluded.platform = '' then devices.platform else excluded.platform end
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class SeenDevice:
    """A customer used a device. `told`: a device said so itself; else it was noticed with a touchpoint."""

    channel: DeviceChannel
    token: str
    customer: str
    at: datetime
    platform: str = ""
    keys: Mapping[str, str] = field(default_factory=dict[str, str])
    told: bool = False


class DeviceStore:
    """Devices by channel and token."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def seen(
        self,
        customer: str,
        channel: DeviceChannel,
        token: str,
        *,
        keys: Mapping[str, str] | None = None,
        platform: str = "",
    ) -> None:
        """The customer uses this device now. One that was gone is there again."""
        device = SeenDevice(
            channel=channel,
            token=token,
            customer=customer,
            at=datetime.now(UTC),
            platform=platform,
            keys=keys or {},
            told=True,
        )
        async with self._pool.connection() as connection:
            await devices_seen(connection, [device])

    async def forget(self, customer: str, channel: DeviceChannel, token: str) -> bool:
        """The customer uses it no more, such as after logging out. False: it was not theirs."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "delete from devices where customer = %s and channel = %s and token = %s",
                [customer, channel, clean_text(token)],
            )
            return cursor.rowcount > 0


async def devices_seen(connection: Connection, devices: Sequence[SeenDevice]) -> None:
    """Many at once, in the caller's transaction."""
    if not devices:
        return
    rows = [
        {
            "channel": each.channel,
            "token": each.token,
            "customer": each.customer,
            "keys": dict(each.keys),
            "platform": each.platform,
            "at": each.at.isoformat(),
            "told": each.told,
        }
        for each in devices
    ]
    await connection.execute(_SEEN, [jsonb(rows)])
