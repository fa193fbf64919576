"""What customers agreed to and what they withdrew, with the proof; and addresses nothing may go to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from journey.effects import Purpose
from stores.customers import lock_canonical
from stores.database import Connection, Pool, clean_text

EVERY_CHANNEL = ""
"""In place of a channel's name: what is said holds for all of them."""

_SAY = """
insert into consents (customer, purpose, channel, given, source, proof)
select %(customer)s, %(purpose)s, %(channel)s, %(given)s, %(source)s, %(proof)s
 where (select c.given from consents c
         where c.customer = %(customer)s and c.purpose = %(purpose)s and c.channel = %(channel)s
         order by c.consent desc limit 1) is distinct from %(given)s
"""

_OF = """
select distinct on (purpose, channel) purpose, channel, given, source, proof, at
  from consents where customer = canonical(%s) order by purpose, channel, consent desc
"""


_SUPPRESS = """
insert into suppressed_addresses as s (channel, address, reason, marketing_only, at)
values (%(channel)s, %(address)s, %(reason)s, %(marketing_only)s, coalesce(%(at)s, now()))
on conflict (channel, address) do update set
    reason = excluded.reason, marketing_only = excluded.marketing_only, at = excluded.at
where (excluded.marketing_only, excluded.at, excluded.reason) < (s.marketing_only, s.at, s.reason)
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class Consent:
    """What a customer last said of one purpose and channel (`''`: every channel), how, and when."""

    purpose: Purpose
    channel: str
    given: bool
    source: str
    proof: str
    at: datetime


class ConsentStore:
    """Every yes and no. Said twice, the first proof is kept."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def give(
        self, customer: str, purpose: Purpose, channel: str, *, source: str, proof: str
    ) -> None:
        """The customer agrees."""
        async with self._pool.connection() as connection:
            await say(
                connection, customer, purpose, channel, given=True, source=source, proof=proof
            )

    async def withdraw(
        self, customer: str, purpose: Purpose, channel: str, *, source: str, proof: str
    ) -> None:
        """The customer wants no more of it."""
        async with self._pool.connection() as connection:
            await say(
                connection, customer, purpose, channel, given=False, source=source, proof=proof
            )

    async def of(self, customer: str) -> list[Consent]:
        """What the customer last said of each purpose and channel."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_OF, [customer])
            return [Consent(**row) for row in await cursor.fetchall()]

    async def suppress(self, channel: str, address: str, reason: str) -> None:
        """Send nothing to this address any more, whoever it belongs to."""
        async with self._pool.connection() as connection:
            await suppress(connection, channel, address, reason)


def newest_words(said: Mapping[str, tuple[int, bool]]) -> dict[str, bool]:
    """Channel → what was said last: of it, or of every channel. `said`: the number of each word, and the word."""
    of_all = said.get(EVERY_CHANNEL, (0, False))
    return {
        channel: max(of_it, of_all, key=lambda word: word[0])[1] for channel, of_it in said.items()
    }


async def say(
    connection: Connection,
    customer: str,
    purpose: Purpose,
    channel: str,
    *,
    given: bool,
    source: str,
    proof: str,
) -> None:
    """A yes or no, in the caller's transaction; what already holds is not said again."""
    customer = await lock_canonical(connection, customer)
    await connection.execute(
        _SAY,
        {
            "customer": customer,
            "purpose": purpose,
            "channel": channel,
            "given": given,
            "source": source,
            "proof": clean_text(proof),
        },
    )


async def suppress(
    connection: Connection,
    channel: str,
    address: str,
    reason: str,
    *,
    marketing_only: bool = False,
    at: datetime | None = None,
) -> None:
    """As `ConsentStore.suppress`, in the caller's transaction; `at` is when it became so.

    What closes the address for everything outranks what closes it for marketing; else the oldest
    reason is kept, in whatever order they come.
    """
    await connection.execute(
        _SUPPRESS,
        {
            "channel": channel,
            "address": clean_text(address).strip().lower(),
            "reason": clean_text(reason),
            "marketing_only": marketing_only,
            "at": at,
        },
    )
