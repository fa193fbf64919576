"""Customers enter a journey without doing anything: by what they are, on their day, by schedule, so many at a time."""

from datetime import UTC, datetime, timedelta

from tests.integration.conftest import Stack

CROWD = 12


async def test_who_comes_to_be_of_an_audience_enters_and_who_leaves_it_is_out(stack: Stack) -> None:
    await stack.write(
        "gold",
        """
enter:
  audience: 'customer.tier == "gold" && counts.orders >= 2'
  counts: {orders: {on: Gold Order, within: 30d}}
  again: always
exit: [{leaves_audience: true, outcome: no-longer}]
stages: [{stage: only, steps: [{wait: {until: 300d}}, {finish: over}]}]
""",
    )
    await stack.know("hana-gold", tier="gold")
    for _ in range(2):
        await stack.tell("Gold Order", customer="hana-gold")
    run = await stack.run_of("hana-gold", "gold")

    stack.now.append(datetime.now(UTC) + timedelta(days=31))
    try:
        await stack.scanner.round()
        assert (await stack.outcome(run.workflow_id))["outcome"] == "no-longer"
    finally:
        stack.now.clear()


async def test_who_loses_what_the_audience_asks_for_is_out_at_once_and_may_come_back(
    stack: Stack,
) -> None:
    await stack.write(
        "on-trial",
        """
enter: {audience: 'customer.plan == "trial"', again: always}
exit: [{leaves_audience: true, outcome: no-longer}]
stages: [{stage: only, steps: [{wait: {until: 300d}}, {finish: over}]}]
""",
    )
    outcomes: list[str | None] = []
    for plan in ("trial", "paid", "trial"):
        await stack.know("nela-trial", plan=plan)
        await stack.tell("$identify", customer="nela-trial", plan=plan)
        runs = await stack.entries("on-trial", 2 if outcomes[1:] else 1)
        if plan == "paid":
            outcomes.append((await stack.outcome(runs[0].workflow_id))["outcome"])
        else:
            outcomes.append(runs[0].outcome)

    assert outcomes == [None, "no-longer", None]


async def test_who_is_of_the_audience_already_enters_where_the_journey_says_so(
    stack: Stack,
) -> None:
    ours = {await stack.know(f"chess-{number}", plays="chess") for number in range(CROWD)}
    await stack.write(
        "players",
        """
enter: {audience: 'customer.plays == "chess"', existing: true}
stages: [{stage: only, steps: [{wait: {until: 300d}}, {finish: over}]}]
""",
    )
    for _ in range(2):
        while await stack.scanner.round():
            pass

    runs = await stack.entries("players", CROWD)
    assert {run.customer for run in runs if run.state == "open"} == ours


async def test_who_was_of_the_audience_before_does_not_enter(stack: Stack) -> None:
    await stack.know("ida-old", club="chess")
    await stack.write(
        "club",
        """
enter: {audience: 'customer.club == "chess"'}
stages: [{stage: only, steps: [{wait: {until: 300d}}, {finish: over}]}]
""",
    )
    while await stack.scanner.round():
        pass
    await stack.know("jan-new")
    ours = await stack.know("jan-new", club="chess")
    while await stack.scanner.round():
        pass
    await stack.tell("$identify", customer="jan-new", club="chess")

    await stack.run_of("jan-new", "club")
    assert [run.customer for run in await stack.runs("club")] == [ours]


async def test_the_day_of_a_trait_brings_its_customer_in_and_moves_with_it(stack: Stack) -> None:
    await stack.write(
        "expiring",
        """
enter: {date: customer.renews_on, offset: -30d, at: "09:00", again: always}
stages: [{stage: only, steps: [{wait: {until: 300d}}, {finish: over}]}]
""",
    )
    kim = await stack.know("kim-renews", renews_on="2031-05-31", zone="Europe/Prague")
    await stack.tell("$identify", customer="kim-renews")
    await stack.until(lambda: _looks_at(stack, kim, datetime(2031, 5, 1, 7, 0, tzinfo=UTC)))

    await stack.know("kim-renews", renews_on="2031-07-30")
    await stack.tell("$identify", customer="kim-renews")
    await stack.until(lambda: _looks_at(stack, kim, datetime(2031, 6, 30, 7, 0, tzinfo=UTC)))
    stack.now.append(datetime(2031, 6, 30, 7, 0, 1, tzinfo=UTC))
    try:
        await stack.scanner.round()
        await stack.run_of("kim-renews", "expiring")
        await stack.scanner.round()
    finally:
        stack.now.clear()

    assert len(await stack.runs("expiring")) == 1


async def _looks_at(stack: Stack, customer: str, at: datetime) -> bool:
    async with stack.pool.connection() as connection:
        cursor = await connection.execute(
            "select look_at from entry_looks where customer = %s and journey = 'expiring'",
            [customer],
        )
        row = await cursor.fetchone()
    return row is not None and row["look_at"] == at


async def test_a_schedule_lets_its_audience_enter_and_nobody_twice(stack: Stack) -> None:
    await stack.write(
        "weekly",
        """
enter:
  schedule: 'FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0;BYSECOND=0'
  audience: 'customer.reads == true'
  again: always
stages: [{stage: only, steps: [{wait: {until: 300d}}, {finish: over}]}]
""",
    )
    await stack.know("lea-reads", reads=True)
    await stack.know("max-does-not", reads=False)
    await stack.scanner.round()
    stack.now.append(datetime.now(UTC) + timedelta(days=7))
    try:
        for _ in range(3):
            await stack.scanner.round()
        await stack.run_of("lea-reads", "weekly")
        await stack.scanner.round()
    finally:
        stack.now.clear()

    assert len(await stack.runs("weekly")) == 1


async def test_no_more_than_the_cap_enter_within_an_hour(stack: Stack) -> None:
    await stack.write(
        "capped",
        """
enter: {on: Rushed In, cap: {per_hour: 3}}
stages: [{stage: only, steps: [{wait: {until: 300d}}, {finish: over}]}]
""",
    )
    for number in range(8):
        await stack.tell("Rushed In", customer=f"rushing-{number}")

    runs = await stack.entries("capped", 8)
    assert sorted(run.reason or "" for run in runs) == [""] * 3 + ["capped"] * 5
