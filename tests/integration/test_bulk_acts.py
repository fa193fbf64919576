"""All who wait at a step of a real server's runs are moved, ended and nudged; also while routers are killed."""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from contracts.bulk_acts import BulkAnswer, BulkDeed, BulkKind, BulkOrder
from routing.bulk_acts import GONE_ON, BulkActs, TemporalBulk
from stores.bulk_acts import BulkAct, BulkActStore
from stores.stops import StopStore
from tests.integration.conftest import Stack

WAITS = """
enter: {on: Set Out In Bulk}
stages:
  - stage: only
    steps:
      - wait: {any: [{on: Arrived In Bulk, do: [{finish: arrived}]}], until: 30d}
      - finish: lost
"""
JOURNEY = "trip-in-bulk"


async def act(
    stack: Stack, kind: BulkKind, version: str, n: int, to_version: str | None = None
) -> BulkAct:
    """Previewed, ordered and carried out."""
    store = BulkActStore(stack.pool)
    await stack.until(lambda: _standing(stack, version, n))
    seen = await store.see(JOURNEY, version, "only/0", datetime.now(UTC))
    await store.order(
        BulkOrder(
            form=f"form-{kind}", kind=kind, bound=seen.bound, shown=seen.n, reason="a trial", by="eva",
            to_version=to_version,
        )
    )  # fmt: skip
    work = BulkActs(store, TemporalBulk(stack.client))

    async def settled() -> bool:
        await work.round()
        return (await store.acts(JOURNEY))[0].waits == 0

    await stack.until(settled)
    return (await store.acts(JOURNEY))[0]


async def test_runs_at_a_wait_are_moved_and_then_ended(stack: Stack) -> None:
    old = await stack.write(JOURNEY, WAITS)
    for customer in ("rover", "nomad", "pilgrim"):
        await stack.tell("Set Out In Bulk", customer=customer)
    await stack.until(lambda: _standing(stack, old, 3))
    new = await stack.write(JOURNEY, WAITS.replace("30d", "40d"))

    moved = await act(stack, "move", old, 3, new)

    assert (moved.shown, moved.done, moved.refused) == (3, 3, 0)
    assert {run.version for run in await stack.runs(JOURNEY, state="open")} == {new}

    await stack.tell("Arrived In Bulk", customer="nomad")
    ended = await act(stack, "end", new, 2)

    assert (ended.shown, ended.done, ended.left_alone) == (2, 2, 0)
    runs = [await stack.run_of(each, JOURNEY) for each in ("rover", "nomad", "pilgrim")]
    outcomes = [(await stack.outcome(run.workflow_id))["outcome"] for run in runs]
    assert outcomes == ["left", "arrived", "left"]


NUDGED = """
enter: {on: Set Out To Be Nudged}
stages:
  - stage: only
    steps:
      - wait: 30d
      - send: {message: come-in, purpose: service}
      - wait: {any: [{on: Never}], until: 60d}
      - finish: over
"""
OPEN_AGAIN = "to-be-nudged"


async def ordered_nudge(stack: Stack, version: str, journey: str, n: int, address: str) -> BulkAct:
    store = BulkActStore(stack.pool)

    async def stand() -> bool:
        return (await store.see(journey, version, address, datetime.now(UTC))).n == n

    await stack.until(stand, seconds=90)
    seen = await store.see(journey, version, address, datetime.now(UTC))
    act = await store.order(
        BulkOrder(form=uuid4().hex, kind="nudge", bound=seen.bound, shown=n, reason="open again", by="eva")
    )  # fmt: skip
    return (await store.acts(journey, act))[0]


async def carried_out(stack: Stack, act: BulkAct) -> BulkAct:
    store = BulkActStore(stack.pool)
    work = BulkActs(store, TemporalBulk(stack.client))

    async def settled() -> bool:
        await work.round()
        return (await store.acts(act.journey, act.act))[0].waits == 0

    await stack.until(settled, seconds=60)
    return (await store.acts(act.journey, act.act))[0]


@pytest.mark.timeout(300)
async def test_a_router_that_is_killed_while_it_nudges_is_followed_by_another_and_nobody_is_told_twice(
    stack: Stack,
) -> None:
    version = await stack.write(OPEN_AGAIN, NUDGED, "come-in")
    people, ours = [f"guest-{number}" for number in range(11)], list[str]()
    for each in people:
        ours.append(await stack.know(each, email=f"{each}@example.com"))
        await stack.tell("Set Out To Be Nudged", customer=each)
    act = await ordered_nudge(stack, version, OPEN_AGAIN, len(people), "only/0")
    store = BulkActStore(stack.pool)

    for tells in (1, 3):
        dying = await router(stack, tells)
        assert await asyncio.wait_for(dying.wait(), 60) == -signal.SIGKILL
    between = (await store.acts(OPEN_AGAIN, act.act))[0]
    assert between.waits > 0
    told = await stack.rows("select count(distinct entry) as n from trace where kind = 'nudged'")
    assert told[0]["n"] > between.done, "who was told is not written down: that is what is at stake"

    alive = await router(stack, 0)

    async def settled() -> bool:
        return (await store.acts(OPEN_AGAIN, act.act))[0].waits == 0

    await stack.until(settled, seconds=60)
    alive.kill()
    await alive.wait()

    done = (await store.acts(OPEN_AGAIN, act.act))[0]
    assert (done.done, done.left_alone, done.refused) == (len(people), 0, 0)
    await stack.until(lambda: all(stack.told(each) for each in ours), 60)
    assert [stack.told(each) for each in ours] == [["come-in"]] * len(people)
    traced = await stack.rows(
        "select t.entry, count(*) as n from trace t join runs r using (entry)"
        " where r.journey = %s and t.kind = 'nudged' group by 1", OPEN_AGAIN
    )  # fmt: skip
    assert [row["n"] for row in traced] == [1] * len(people)


async def router(stack: Stack, tells: int) -> asyncio.subprocess.Process:
    """A router in a process of its own, which carries out acts only."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.dying_router",
        stack.database_url, stack.temporal_address, str(tells),
    )  # fmt: skip


async def test_who_went_on_is_left_alone_and_who_cannot_be_nudged_says_why(stack: Stack) -> None:
    journey = "nudged-or-not"
    text = NUDGED.replace("Set Out To Be Nudged", "Set Out Or Not").replace(
        "- wait: 30d", "- wait: {any: [{on: Came Or Not}], forever: true}"
    )
    version = await stack.write(journey, text, "come-in")
    for each in ("mia", "leo"):
        await stack.tell("Set Out Or Not", customer=each)
    act = await ordered_nudge(stack, version, journey, 2, "only/0")
    runs = {each: await stack.run_of(each, journey) for each in ("mia", "leo")}
    # It goes on after the router has looked, and before the run is told.
    leo = stack.client.get_workflow_handle(runs["leo"].workflow_id)
    await leo.execute_update(
        "touchpoint_now", {"message_id": "leo-came", "event": "Came Or Not", "properties": {}}
    )
    told = TemporalBulk(stack.client)
    answers = {
        name: await told.tell(
            BulkDeed(
                act=act.act, entry=run.entry, kind="nudge", workflow_id=run.workflow_id, address="only/0",
                reason="open again", to_version=None, to_step=None, stands=True, obeyed=False,
            )
        )
        for name, run in runs.items()
    }  # fmt: skip

    assert answers["leo"] == BulkAnswer(became="left_alone", why=GONE_ON)
    assert answers["mia"] == BulkAnswer(
        became="refused",
        why="it waits for Came Or Not without a deadline: move it instead",
    )


async def test_a_message_that_a_stop_holds_is_still_held_after_a_nudge(stack: Stack) -> None:
    journey = "nudged-at-night"
    text = """
enter: {on: Set Out At Night}
stages:
  - stage: only
    steps:
      - send: {message: news, purpose: marketing}
      - finish: over
"""
    version = await stack.write(journey, text, "news")
    ours = await stack.know("nox", email="nox@example.com")
    stops = StopStore(stack.pool)
    await stops.begin("journey", journey, reason="a wrong price", by="eva")
    await stack.tell("Set Out At Night", customer="nox")
    act = await ordered_nudge(stack, version, journey, 1, "only/0")

    done = await carried_out(stack, act)

    assert done.done == 1
    run = await stack.run_of("nox", journey)

    async def held_again() -> bool:
        rows = await stack.rows(
            "select count(*) as n from trace where entry = %s and kind = 'deferred'", run.entry
        )
        return rows[0]["n"] == 2

    await stack.until(held_again)
    status = await stack.status(run.workflow_id)
    assert (status["outcome"], stack.told(ours)) == (None, [])
    await stops.lift("journey", journey, by="eva")


async def _standing(stack: Stack, version: str, n: int) -> bool:
    seen = await BulkActStore(stack.pool).see(JOURNEY, version, "only/0", datetime.now(UTC))
    return seen.n == n


async def test_one_run_is_nudged_by_command_and_one_that_stands_elsewhere_says_so(
    stack: Stack,
) -> None:
    journey = "nudged-by-command"
    await stack.write(journey, NUDGED.replace("Set Out To Be Nudged", "Set Out Alone"), "come-in")
    await stack.tell("Set Out Alone", customer="ida")
    run = await stack.run_of("ida", journey)

    async def clew(step: str) -> tuple[int, str]:
        started = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).parent / "clew"), "nudge", str(run.entry),
            "--at", step, "--reason", "open again",
            env={
                **os.environ,
                "CLEW_DATABASE_URL": stack.database_url,
                "TEMPORAL_ADDRESS": stack.temporal_address,
            },
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        told, _ = await started.communicate()
        return started.returncode or 0, told.decode()

    assert await clew("only/2") == (
        1,
        f"Error: {run.entry} was not nudged: nobody stands at only/2.\n",
    )
    assert await clew("only/0") == (0, "It goes on: open again.\n")

    await stack.until(lambda: _stands_at(stack, run.entry, "only/2"))
    told = await stack.rows(
        "select detail from audit where did = 'nudged' and object = %s",
        f"run {run.workflow_id}",
    )
    assert {row["detail"]["step"] for row in told} == {"only/0", "only/2"}


async def _stands_at(stack: Stack, entry: int, address: str) -> bool:
    rows = await stack.rows("select stands ? %s as here from runs where entry = %s", address, entry)
    return rows[0]["here"]
