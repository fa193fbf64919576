"""One cause, whom it touches, and each of them told exactly once, whatever happens in between."""

import asyncio
from collections import Counter

from stores import problem_reach
from stores.problem_reach import ProblemReach
from tests.integration.moment.conftest import House

RULES = """
problems:
  - problem: payments-fail
    title: Payments fail
    words: We know that paying does not work.
    on: Payment Failed
    same: event.properties.bank
    customers: 3
    within: 10m
    queues: [support]
"""


class KilledError(Exception):
    """The process was killed here."""


async def opens(house: House, problem: str = "outage", **of: object) -> None:
    await house.post(
        "/v1/problems",
        201,
        **{
            "problem": problem,
            "title": "No internet",
            "words": "We are at it.",
            "why": "a cut cable",
            "by": "ops",
            **of,
        },
    )


async def test_everybody_it_touches_is_told_before_they_call_and_when_it_is_mended(
    house: House,
) -> None:
    await house.publish_journey()
    anna, ben = await house.known("anna", region="north"), await house.known("ben", region="south")

    await opens(house, where="customer.region == 'north'", properties={"what": "internet"})
    await house.reach()
    await house.route()

    run = house.run_of(anna)
    told = run.told[0]["properties"]
    assert (told["problem"], told["what"], told["called"], told["how"]) == (
        "outage",
        "internet",
        False,
        "audience",
    )
    await house.post("/v1/problems/outage/update", words="By six.", by="ops")
    await house.reach()
    await house.post("/v1/problems/outage/mend", words="It works.", by="ops")
    await house.reach()
    await house.route()
    events = [each["event"] for each in run.told]
    assert events == ["Problem Opened", "Problem Updated", "Problem Mended"]
    mended = run.told[-1]["properties"]
    assert (mended["words"], mended["ask"], mended["told"]) == ("It works.", True, True)
    assert ben not in await house.told("Problem Mended")
    problem = await house.get("/v1/problems/outage")
    assert problem["settled"] is True
    assert (problem["touched"], problem["told"], problem["mended_told"]) == (1, 1, 1)
    assert [each["news"] for each in problem["news"]] == ["opened", "updated", "mended"]


async def test_who_joins_late_is_told_as_long_as_it_is_open(house: House) -> None:
    await opens(house, where="customer.region == 'north'", subject={"kind": "batch", "id": "B7"})
    await house.reach()
    moved, buyer = await house.known("moved"), await house.known("buyer")
    async with house.pool.connection() as connection:
        await house.customers.merge_traits(connection, moved, {"region": "north"})
    await house.happens("$identify", moved, region="north")
    await house.happens("Bought", buyer, context={"subject": {"kind": "batch", "id": "B7"}})
    await house.route()
    await house.reach()

    assert sorted(await house.told("Problem Opened")) == sorted([moved, buyer])
    await house.post("/v1/problems/outage/mend", by="ops")
    late = await house.known("late", region="north")
    await house.happens("$identify", late, region="north")
    await house.route()
    await house.reach()
    assert sorted(await house.told("Problem Mended")) == sorted([moved, buyer])


async def test_who_stands_somewhere_or_is_listed_is_touched_once(house: House) -> None:
    anna, ben = await house.known(), await house.known("ben")
    await house.runs_at("delivery", anna, "on-the-van")
    await house.runs_at("delivery", ben, "delivered")
    await opens(house, journey="delivery", stage="on-the-van", customers=["anna", "carl"])
    await house.reach()

    carl = (await house.get("/v1/customers/carl/now"))["who"]["customer"]
    assert sorted(await house.told("Problem Opened")) == sorted([anna, carl])


async def test_who_called_already_is_told_through_their_case(house: House) -> None:
    anna, ben = await house.known(), await house.known("ben")
    for name, (customer, queue) in {"1:1": (anna, "support"), "2:1": (ben, "sales")}.items():
        await house.rows(
            'insert into cases ("case", entry, n, workflow_id, journey, customer, queue, brief,'
            " decisions, state, opened_at) values (%s, %s, 1, 'x', 'help', %s, %s, '', '{}', 'open',"
            " now())",
            f"case/x:{name}",
            int(name[0]),
            customer,
            queue,
        )
    await opens(house, customers=["anna"], queues=["support"])
    await house.post("/v1/problems/outage/link", case="2:1", by="eva")
    await house.reach()

    told = await house.rows(
        "select customer, properties from touchpoints where event = 'Problem Opened'"
    )
    cases = {row["customer"]: row["properties"]["case"] for row in told}
    assert cases == {anna: "case/x:1:1", ben: "case/x:2:1"}
    assert all(row["properties"]["called"] for row in told)


async def test_a_crash_in_the_middle_leaves_nobody_out_and_tells_nobody_twice(
    house: House, monkeypatch: object
) -> None:
    await house.crowd(500, region="north")
    await opens(house, where="customer.region == 'north'")
    left = [4]

    def killed() -> object:
        left[0] -= 1
        if left[0] < 0:
            left[0] = 4
            raise KilledError
        return house.now

    deaths = 0
    for _ in range(200):
        reach = ProblemReach(house.pool, now=killed, portion=40, page=70)  # type: ignore[arg-type]
        try:
            if not await reach.round():
                break
        except KilledError:
            deaths += 1
    # Two processes at once, from here on, and the news that it is mended.
    await house.post("/v1/problems/outage/mend", by="ops")
    both = [ProblemReach(house.pool, now=house.time, portion=40, page=70) for _ in range(2)]
    for _ in range(60):
        await asyncio.gather(*(each.round() for each in both))

    assert deaths > 3
    for event in ("Problem Opened", "Problem Mended"):
        assert Counter(Counter(await house.told(event)).values()) == {1: 500}


async def test_nobody_is_told_while_the_routers_are_behind(house: House) -> None:
    await house.known("anna")
    await opens(house, customers=["anna"])
    await house.rows(
        "insert into outbox (unit, touchpoint, received_at)"
        " select 's/van/' || n, n, now() from generate_series(1, %s) n returning 1",
        problem_reach.MOST_PENDING,
    )
    await house.reach()
    assert await house.told("Problem Opened") == []
    await house.rows("delete from outbox returning 1")
    await house.reach()
    assert len(await house.told("Problem Opened")) == 1


async def test_a_survey_is_asked_once_also_where_it_breaks_again(house: House) -> None:
    anna = await house.known()
    await opens(house, customers=["anna"])
    await house.reach()
    for words in ("It works.", "It works now, really."):
        await house.post("/v1/problems/outage/mend", words=words, by="ops")
        await house.reach()
        await house.post("/v1/problems/outage/reopen", words="Not yet.", by="ops")
        await house.reach()

    rows = await house.rows(
        "select event, properties -> 'ask' as ask from touchpoints where customer = %s"
        " order by touchpoint",
        anna,
    )
    assert [(row["event"], row["ask"]) for row in rows] == [
        ("Problem Opened", None),
        ("Problem Mended", True),
        ("Problem Updated", None),
        ("Problem Mended", False),
        ("Problem Updated", None),
    ]


async def test_the_same_thing_for_three_customers_opens_a_problem_by_itself(house: House) -> None:
    await house.publish("problems", RULES)
    people = [await house.known(name) for name in ("anna", "ben", "carl", "dana", "eve")]
    for customer in people[:2]:
        await house.happens("Payment Failed", customer, bank="Acme Bank")
        await house.happens("Payment Failed", customer, bank="Acme Bank")
    await house.happens("Payment Failed", people[4], bank="Other")
    await house.route()
    assert (await house.get("/v1/problems"))["problems"] == []

    await house.happens("Payment Failed", people[2], bank="Acme Bank")
    await house.route()
    await house.happens("Payment Failed", people[3], bank="Acme Bank")
    await house.route()
    await house.reach()

    [problem] = (await house.get("/v1/problems"))["problems"]
    assert problem["problem"].startswith("payments-fail-acme-bank-2")
    assert problem["opened_by"] == "rule: payments-fail"
    assert sorted(await house.told("Problem Opened")) == sorted(people[:4])


async def test_what_failed_for_three_over_a_day_is_no_problem(house: House) -> None:
    await house.publish("problems", RULES)
    for name in ("anna", "ben", "carl"):
        await house.happens("Payment Failed", await house.known(name), bank="Acme Bank")
        await house.route()
        house.later(minutes=9)
    assert (await house.get("/v1/problems"))["problems"] == []


async def test_a_problem_of_two_who_became_one_is_told_once(house: House) -> None:
    anna, ben = await house.known(), await house.known("ben")
    await opens(house, customers=["anna", "ben"])
    await house.reach()
    await house.rows("update problem_touched set customer = %s returning 1", anna)
    await house.post("/v1/problems/outage/mend", by="ops")
    await house.reach()
    assert sorted(await house.told("Problem Opened")) == sorted([anna, ben])
    assert await house.told("Problem Mended") == [anna]


async def test_what_cannot_be_done_says_what_can(house: House) -> None:
    await opens(house, customers=["anna"])
    told = await house.post(
        "/v1/problems", 409, problem="outage", title="x", why="x", by="ops", customers=["anna"]
    )
    assert "another name" in told["message"]
    told = await house.post("/v1/problems", 400, problem="y", title="x", why="x", by="ops")
    assert "touches nobody" in told["message"]
    told = await house.post(
        "/v1/problems", 400, problem="y", title="x", why="x", by="ops", where="customer.x ="
    )
    assert told["message"].startswith("where: ")
    await house.post("/v1/problems/outage/mend", by="ops")
    told = await house.post("/v1/problems/outage/update", 409, words="x", by="ops")
    assert "reopen it first" in told["message"]
    await house.post("/v1/problems/nothing/mend", 404, by="ops")
    told = await house.post(
        "/v1/problems",
        400,
        problem="z",
        title="x",
        why="x",
        by="o",
        customers=["a"],
        properties={"ask": 1},
    )
    assert "properties.ask" in told["message"]


async def test_who_is_linked_to_a_problem_that_is_not_there_is_not_made_known(house: House) -> None:
    before = await house.rows("select count(*) as n from customers")

    await house.post("/v1/problems/nothing/link", 404, customer="stranger", by="eva")

    assert await house.rows("select count(*) as n from customers") == before
