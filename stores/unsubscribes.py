"""Who no longer wants what by which channel, with the proof; and addresses nothing may go to."""

from stores.database import Pool


class UnsubscribeStore:
    """Consents withdrawn. The first proof is kept; a second click changes nothing."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def unsubscribe(self, customer: str, purpose: str, channel: str, proof: str) -> None:
        """From now on nothing of this purpose goes to the customer by this channel."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "insert into unsubscribes (customer, purpose, channel, proof)"
                " values (%s, %s, %s, %s) on conflict do nothing",
                (customer, purpose, channel, proof),
            )

    async def suppress(self, channel: str, address: str, reason: str) -> None:
        """Send nothing to this address any more, whoever it belongs to."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "insert into suppressed_addresses (channel, address, reason)"
                " values (%s, %s, %s) on conflict do nothing",
                (channel, address.strip().lower(), reason),
            )
