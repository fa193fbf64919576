"""What is asked of the server's search to know whether runs are there."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

from temporalio.client import Client

from routing.temporal_standing import TemporalStanding

IDS = [f"journey/tea/c{n}" for n in range(100)]


@dataclass(frozen=True)
class Found:
    id: str


@dataclass(frozen=True)
class Many:
    count: int


@dataclass
class Search:
    """A server on which these are under way; `counted` and `listed` are what it was asked."""

    there: Collection[str]
    counted: list[str] = field(default_factory=list[str])
    listed: list[str] = field(default_factory=list[str])

    async def count_workflows(self, query: str, *, rpc_timeout: timedelta) -> Many:
        assert rpc_timeout > timedelta(0)
        self.counted.append(query)
        return Many(len(self._found(query)))

    async def list_workflows(self, query: str, *, rpc_timeout: timedelta) -> AsyncIterator[Found]:
        assert rpc_timeout > timedelta(0)
        self.listed.append(query)
        for each in self._found(query):
            yield Found(each)

    def _found(self, query: str) -> list[str]:
        assert query.startswith("ExecutionStatus = 'Running' and WorkflowId in (")
        return [each for each in self.there if f"'{each}'" in query]


async def under_way(search: Search) -> set[str]:
    return await TemporalStanding(cast("Client", search)).under_way(IDS)


async def test_where_all_are_there_nobody_is_listed() -> None:
    search = Search(IDS)

    assert await under_way(search) == set(IDS)
    assert (len(search.counted), search.listed) == (3, [])


async def test_where_one_is_missing_only_those_asked_for_with_it_are_listed() -> None:
    search = Search([each for each in IDS if each != IDS[50]])

    assert await under_way(search) == set(IDS) - {IDS[50]}
    [listed] = search.listed
    assert f"'{IDS[50]}'" in listed
