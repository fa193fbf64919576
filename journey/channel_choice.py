"""By which channel a customer is reached: their wish, where they came, what reaches them, the author's order."""

from collections.abc import Mapping

from journey.channels import WHERE_THEY_CAME
from journey.effects import Deliver

PREFERRED = "preferred_channel"
"""The trait that names the channel by which a customer wants to hear; it chooses among those of a message."""


def in_order(
    message: Deliver, *, preferred: object, came_by: str | None, reach: Mapping[str, float]
) -> list[str]:
    """The channels of a message, the first choice first.

    The customer's own wish among those that the author named, then where they came if the author
    wants it, then what reached them best (`reach`: channel → 0 to 1), then as the journey has them.
    """
    named = [came_by if way == WHERE_THEY_CAME else way for way in message.via]
    ways = list(dict.fromkeys(way for way in named if way is not None))
    came = came_by if WHERE_THEY_CAME in message.via else None

    def rank(way: str) -> tuple[bool, bool, float]:
        return (way != preferred, way != came, -round(reach.get(way, 0.5), 2))

    return sorted(ways, key=rank)
