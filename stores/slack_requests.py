"""Requests that Slack signed, so that one that is played again does nothing twice."""

import hashlib
from datetime import timedelta

from stores.database import Pool

KEPT = timedelta(minutes=15)
"""Longer than a signature is taken for; then it is refused for its age."""


class SlackRequestStore:
    """Remembers signatures for as long as they are worth anything."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def first(self, signature: str) -> bool:
        """Whether this request comes for the first time; from now on it does not."""
        digest = hashlib.sha256(signature.encode("utf-8", "replace")).hexdigest()
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "insert into slack_requests (digest) values (%s) on conflict do nothing returning digest",
                [digest],
            )
            new = await cursor.fetchone() is not None
            if new:
                await connection.execute(
                    "delete from slack_requests where at < clock_timestamp() - %s", [KEPT]
                )
        return new
