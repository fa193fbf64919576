"""The rules of the house on identities, read now and then: publishing them takes effect within seconds."""

import time

from journey.identity_rules import DEFAULT_RULES, IdentityRules
from stores.database import Connection
from stores.published import HOUSE, live_source

READ_EACH_SECONDS = 5.0


class HouseRules:
    """The rules as this process knows them. `fixed`: these, whatever is published."""

    def __init__(self, fixed: IdentityRules | None = None) -> None:
        self._fixed = fixed
        self._held = fixed or DEFAULT_RULES
        self._read_at: float | None = None

    async def read(self, connection: Connection) -> IdentityRules:
        """What holds now, at most a few seconds old; where nothing was published, what is usual."""
        now = time.monotonic()
        if self._fixed is None and (
            self._read_at is None or now - self._read_at > READ_EACH_SECONDS
        ):
            source = await live_source(connection, "identities", HOUSE)
            self._held = DEFAULT_RULES if source is None else IdentityRules.model_validate(source)
            self._read_at = now
        return self._held
