"""The devices that customers carry: phones with our app, browsers that took our notifications."""

from collections.abc import Mapping
from typing import Literal

from stores.database import Connection, Pool, clean_text, jsonb

DeviceChannel = Literal["push", "webpush"]

# A token is one device's, whoever used it before: it goes with whoever uses it now.
_SEEN = """
insert into devices (channel, token, customer, keys, platform)
select %(channel)s, %(token)s, %(customer)s, %(keys)s, %(platform)s
 where exists (select from customers where customer = %(customer)s for no key update)
on conflict (channel, token) do update set
    customer = excluded.customer, seen_at = now(), gone_at = null,
    keys = case when excluded.keys = '{}' then devices.keys else excluded.keys end,
    platform = case when excluded.platform = '' then devices.platform else excluded.platform end
"""


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
        """The customer uses this device. One that was gone is there again."""
        async with self._pool.connection() as connection:
            await device_seen(connection, customer, channel, token, keys=keys, platform=platform)

    async def forget(self, customer: str, channel: DeviceChannel, token: str) -> bool:
        """The customer uses it no more, such as after logging out. False: it was not theirs."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "delete from devices where customer = %s and channel = %s and token = %s",
                [customer, channel, clean_text(token)],
            )
            return cursor.rowcount > 0


async def device_seen(
    connection: Connection,
    customer: str,
    channel: DeviceChannel,
    token: str,
    *,
    keys: Mapping[str, str] | None = None,
    platform: str = "",
) -> None:
    """As `DeviceStore.seen`, in the caller's transaction."""
    await connection.execute(
        _SEEN,
        {
            "channel": channel,
            "token": clean_text(token),
            "customer": customer,
            "keys": jsonb(dict(keys or {})),
            "platform": clean_text(platform),
        },
    )
