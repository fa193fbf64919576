"""The topics that customers may choose among, as the policy of the house names them."""

from collections.abc import Sequence

from journey.house_policy import TitledTopic
from journey.preferences import Topic
from stores.database import Pool
from stores.house_policy import HousePolicyStore


class HouseTopicStore:
    """Reads `topics` of the live policy; none where none is published."""

    def __init__(self, pool: Pool) -> None:
        self._policies = HousePolicyStore(pool)

    async def topics(self) -> Sequence[Topic]:
        """In the order of the policy."""
        policy = await self._policies.current()
        return [
            Topic(name=topic.name, titles=topic.titles)
            if isinstance(topic, TitledTopic)
            else Topic(name=topic)
            for topic in policy.topics
        ]
