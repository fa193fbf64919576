"""Eight writers at once make of the same names the same customers as one does."""

import asyncio
import random
from collections.abc import Iterable

import pytest

from journey.identity_rules import Identity
from tests.integration.identity.conftest import NO_LIMITS, People

KINDS = ("user_id", "email", "phone", "device")
WRITERS = 8

Edge = tuple[Identity, Identity]


class UnionFind:
    """What belongs together, in memory."""

    def __init__(self) -> None:
        self._above: dict[Identity, Identity] = {}

    def root(self, name: Identity) -> Identity:
        above = self._above.setdefault(name, name)
        while above != self._above[above]:
            above = self._above[above]
        return above

    def join(self, one: Identity, other: Identity) -> None:
        self._above[self.root(one)] = self.root(other)

    def components(self) -> set[frozenset[Identity]]:
        found: dict[Identity, set[Identity]] = {}
        for name in self._above:
            found.setdefault(self.root(name), set()).add(name)
        return {frozenset(names) for names in found.values()}


def a_graph(number: int) -> list[Edge]:
    """A few names of one neighbourhood, each said alone, some of them said together."""
    dice = random.Random(number)
    names = [(dice.choice(KINDS), f"g{number}-{index}") for index in range(dice.randint(3, 8))]
    pairs = [dice.sample(names, 2) for _ in range(dice.randint(2, 7))]
    return [*((name, name) for name in names), *((one, other) for one, other in pairs)]


async def said_at_once(people: People, edges: Iterable[Edge]) -> None:
    waiting = list(edges)
    random.Random(7).shuffle(waiting)

    async def write() -> None:
        while waiting:
            await people.named(*waiting.pop())

    async with asyncio.TaskGroup() as writers:
        for _ in range(WRITERS):
            writers.create_task(write())


async def components(people: People) -> set[frozenset[Identity]]:
    rows = await people.rows("select customer, kind, value from identities")
    found: dict[str, set[Identity]] = {}
    for row in rows:
        found.setdefault(row["customer"], set()).add((row["kind"], row["value"]))
    return {frozenset(names) for names in found.values()}


@pytest.mark.parametrize(
    "graphs", [100, pytest.param(1_000, marks=pytest.mark.faults_full)], ids=str
)
async def test_eight_writers_make_the_customers_that_one_makes(people: People, graphs: int) -> None:
    people.rules = NO_LIMITS
    edges = [edge for number in range(graphs) for edge in a_graph(number)]
    told = UnionFind()
    for edge in edges:
        told.join(*edge)

    await said_at_once(people, edges)

    assert await components(people) == told.components()
    pointed = await people.rows(
        "select count(*) as n from customers c join customers s on s.customer = c.merged_into"
        " where s.merged_into is not null"
    )
    assert pointed[0]["n"] == 0, "whoever became somebody points to the end of the chain"
    nameless = await people.rows(
        "select count(*) as n from customers c where merged_into is null"
        " and not exists (select from identities i where i.customer = c.customer)"
    )
    assert nameless[0]["n"] == 0


async def test_undone_one_by_one_everybody_is_who_they_were(people: People) -> None:
    people.rules = NO_LIMITS
    await said_at_once(people, [edge for number in range(14) for edge in a_graph(number)])
    merges = await people.rows("select merge, goes from merges order by merge desc")
    assert len(merges) >= 5

    for row in merges:
        before = await people.rows(
            "select count(*) as n from identities where customer = %s", row["goes"]
        )
        assert before[0]["n"] == 0
        await people.merges.unmerge(row["merge"], by="tests", why="they are two")

    assert await people.rows("select * from customers where merged_into is not null") == []
    nameless = await people.rows(
        "select c.customer from customers c"
        " where not exists (select from identities i where i.customer = c.customer)"
    )
    assert nameless == [], "each has the names back by which they came"
