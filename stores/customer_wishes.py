"""What a customer wishes of us, as their own page shows and changes it: preferences and consents together."""

from collections.abc import Mapping
from dataclasses import dataclass

from journey.house_policy import NO_POLICY, HousePolicy
from journey.preferences import Preferences
from stores.consents import EVERY_CHANNEL, newest_words
from stores.customers import Customer, find_customer, lock_canonical
from stores.database import Connection, Pool, clean_text
from stores.house_policy import HousePolicyStore
from stores.preferences import keep_preferences, read_preferences

_SAID = """
select distinct on (channel) channel, consent, given from consents
 where customer = canonical(%s) and purpose = 'marketing' order by channel, consent desc
"""

_SAY = """
insert into consents (customer, purpose, channel, given, source, proof)
values (%s, 'marketing', %s, %s, %s, %s)
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class Visit:
    """Who came by a link, and in which language they once wished to read."""

    customer: Customer
    locale: str | None


@dataclass(slots=True, frozen=True, kw_only=True)
class Wishes:
    """As they hold now. `said`: channel (empty: every one) → whether marketing was agreed to."""

    preferences: Preferences
    said: Mapping[str, bool]
    policy: HousePolicy = NO_POLICY

    def wants(self, channel: str) -> bool:
        """Whether marketing may come by this channel, as far as the customer's own word goes."""
        if channel in self.preferences.channels_off:
            return False
        unasked = self.policy.consent.needs("marketing", channel) != "opt_in"
        return self.said.get(channel, self.said.get(EVERY_CHANNEL, unasked))


class WishStore:
    """Reads and keeps wishes, each change under the customer's lock."""

    def __init__(self, pool: Pool) -> None:
        self._pool, self._policies = pool, HousePolicyStore(pool)

    async def visit(self, customer: str) -> Visit | None:
        """Whom a link leads to: also where two customers have become one since it was made."""
        async with self._pool.connection() as connection:
            found = await find_customer(connection, customer)
            if found is None:
                return None
            preferences = await read_preferences(connection, found.customer)
        return Visit(customer=found, locale=preferences.locale)

    async def wishes(self, customer: str) -> Wishes:
        """What holds now."""
        policy = await self._policies.current()
        async with self._pool.connection() as connection:
            return await self._read(connection, customer, policy)

    async def keep(
        self,
        customer: str,
        preferences: Preferences,
        marketing: Mapping[str, bool],
        *,
        source: str,
        proof: str,
    ) -> Wishes:
        """Keep preferences, and of `marketing` (channel → wanted) each yes and no that is new.

        What was left as it stood is no new word of the customer: nobody agrees by not unticking.
        """
        policy = await self._policies.current()
        async with self._pool.connection() as connection:
            customer = await lock_canonical(connection, customer)
            before = await self._read(connection, customer, policy)
            await keep_preferences(connection, customer, preferences)
            for channel, wanted in marketing.items():
                if wanted != before.wants(channel):
                    said = (customer, channel, wanted, source, clean_text(proof))
                    await connection.execute(_SAY, said)
            return await self._read(connection, customer, policy)

    async def _read(self, connection: Connection, customer: str, policy: HousePolicy) -> Wishes:
        preferences = await read_preferences(connection, customer)
        cursor = await connection.execute(_SAID, [customer])
        rows = {row["channel"]: (row["consent"], row["given"]) for row in await cursor.fetchall()}
        return Wishes(preferences=preferences, said=newest_words(rows), policy=policy)
