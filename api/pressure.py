"""No more requests at once than we can carry; the rest is asked to come again."""

from collections.abc import Generator
from contextlib import contextmanager

from api.refusals import RefusedRequestError


class Pressure:
    """Counts the requests under way. `at_most` bounds memory too: each may hold a batch."""

    def __init__(self, at_most: int = 64, *, retry_after: int = 1) -> None:
        self._at_most = at_most
        self._retry_after = retry_after
        self.under_way = 0

    @contextmanager
    def admit(self) -> Generator[None]:
        """Carry one request. Raises: `RefusedRequestError` 429 with Retry-After."""
        if self.under_way >= self._at_most:
            raise RefusedRequestError(
                429, "too_many_requests", "too much at once: come again", self._retry_after
            )
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1
