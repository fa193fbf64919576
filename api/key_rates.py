"""How much one sender may send: so many messages a second on average, and more in a burst."""

import math
import time
from collections.abc import Callable

from api.refusals import RefusedRequestError

BURST_SECONDS = 10
"""Whoever was silent for so long may send at once what they left out."""

_REMEMBERED = 10_000


class KeyRates:
    """A bucket for each name of a write key, in this process: with N processes, N times as much comes through.

    Keys of one name share a bucket, so that a rotation gives nobody more. `per_second` 0: no limit.
    """

    def __init__(
        self, per_second: float, monotonic_clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second, self._clock = per_second, monotonic_clock
        self._most = per_second * BURST_SECONDS
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, name: str, messages: int) -> None:
        """Let so many messages pass, all or none. Raises: `RefusedRequestError` 429 with Retry-After.

        A batch that is larger than a whole burst passes when the bucket is full.
        """
        if not self._per_second:
            return
        now = self._clock()
        left, at = self._left.pop(name, (self._most, now))
        left = min(self._most, left + (now - at) * self._per_second)
        wanted = min(float(messages), self._most)
        passes = wanted <= left
        self._left[name] = (left - messages if passes else left, now)  # the newest stands last
        if len(self._left) > _REMEMBERED:
            del self._left[next(iter(self._left))]
        if not passes:
            wait = math.ceil((wanted - left) / self._per_second)
            said = f"{name}: over {self._per_second:g} messages a second; nothing was stored, come again"
            raise RefusedRequestError(429, "too_many_messages", said, max(wait, 1))
