"""The topics that customers may choose among, as the policy of the house names them."""

from collections.abc import Sequence
from typing import Any, cast

from journey.preferences import Topic
from stores.database import Pool, one_statement
from stores.published import HOUSE, live_source


class HouseTopicStore:
    """Reads `topics` of the live policy; none where none is published.

    An entry is a name, or `{name, titles}` with a title by locale.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def topics(self) -> Sequence[Topic]:
        """In the order of the policy."""
        async with one_statement(self._pool) as connection:
            policy = await live_source(connection, "policy", HOUSE)
        return [_topic(each) for each in (policy or {}).get("topics", [])]


def _topic(entry: Any) -> Topic:
    if isinstance(entry, str):
        return Topic(name=entry)
    told = cast("dict[str, Any]", entry)
    return Topic(name=told["name"], titles=told.get("titles", {}))
