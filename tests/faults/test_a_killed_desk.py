"""Staff go on whatever is killed: no case lost, no decision applied twice, no deadline missed by much.

CLEW_FAULTS_SEED plays another day; CLEW_FAULTS_RUNS and CLEW_FAULTS_KILLS set the size of the full run.
"""

import asyncio
import os
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.faults.desk import Desk, Judged
from tests.faults.kills import Kill, Killer, plan
from tests.faults.mail_sink import MailSink
from tests.faults.shop import SETTINGS, Away, open_shop
from tests.faults.test_a_killed_day import SEED
from tests.scorecard import keep
from workers.embedded.stack import Stack
from workers.embedded.supervisor import FIRST_REST_SECONDS

KINDS = ("journey", "router", "api", "temporal")
RUNS = int(os.environ.get("CLEW_FAULTS_RUNS", "0"))
KILLS = int(os.environ.get("CLEW_FAULTS_KILLS", "0"))


async def worked(
    state: Path, customers: int, per_second: float, kills: int
) -> tuple[Judged, list[tuple[float, Kill]]]:
    """A day at the desk, with so many kills in it."""
    struck: list[tuple[float, Kill]] = []
    async with MailSink(state / "taken.jsonl") as sink:
        settings = {**SETTINGS, "CLEW_SMTP_URL": sink.url}
        processes: dict[str, int] = dict.fromkeys(("journey", "delivery", "router", "api"), 1)
        stack = Stack(state, say=_say, processes=processes, settings=settings)
        async with stack, open_shop(stack.addresses) as shop:
            desk, over, lasts = Desk(shop, SEED), asyncio.Event(), customers / per_second
            await desk.open()
            longest = asyncio.create_task(_longest_outage(stack, over))
            faults = plan(SEED, kills, lasts * 0.1, lasts, kinds=KINDS)
            async with asyncio.TaskGroup() as group:
                group.create_task(
                    _then(
                        desk.customers(customers, per_second),
                        over,
                        faults,
                        Killer(stack, struck=struck),
                    )
                )
                group.create_task(desk.work(over))
            await stack.until_whole()
            with suppress(TimeoutError):
                async with asyncio.timeout(300):
                    while not await _quiet(desk):
                        await asyncio.sleep(0.5)
            return await desk.judge(customers, timedelta(seconds=await longest)), struck


async def _then(
    customers: Coroutine[Any, Any, None], over: asyncio.Event, faults: list[Kill], killer: Killer
) -> None:
    """Customers and kills side by side; when both are through, and a while for the last case, it is over."""
    await asyncio.gather(customers, killer.work(faults, time.monotonic()))
    await asyncio.sleep(5)
    over.set()


async def _quiet(desk: Desk) -> bool:
    with suppress(*Away):
        return await desk.quiet()
    return False


async def _longest_outage(stack: Stack, over: asyncio.Event) -> float:
    """For how long some member was away, at the longest, in seconds."""
    longest, since = 0.0, time.monotonic()
    while not over.is_set():
        for watched in stack._supervisor.watched.values():
            watched.rest = FIRST_REST_SECONDS  # whoever is killed by us is no broken program
        now = time.monotonic()
        if stack.whole:
            since = now
        longest = max(longest, now - since)
        await asyncio.sleep(0.1)
    return longest


def _say(words: str) -> None:
    print(f"  {words}", flush=True)


def survives(judged: Judged) -> None:
    print(f"\n{asdict(judged)}", flush=True)
    assert judged.lost == []
    assert judged.twice == []
    assert judged.late == []


@pytest.mark.timeout(1_200)
async def test_staff_go_on_through_three_kills_of_each_kind(state: Path) -> None:
    judged, struck = await worked(state, 60, 1, 3 * len(KINDS))
    survives(judged)
    assert {kill.kind for _, kill in struck} == set(KINDS)
    assert judged.cases == 60
    assert judged.claims >= 30
    assert judged.escalated >= 15
    assert judged.approved > 0


@pytest.mark.faults_full
@pytest.mark.timeout(2 * 3_600)
async def test_staff_go_on_through_many_kills(state: Path) -> None:
    customers, kills = RUNS or 1_000, KILLS or 40
    judged, struck = await worked(state, customers, 2, kills)
    told = {
        **asdict(judged),
        "latest": judged.latest.total_seconds(),
        "kills": len(struck),
        "seed": SEED,
    }
    figures = {name: len(each) if isinstance(each, list) else each for name, each in told.items()}
    why = (
        ""
        if judged.holds
        else f"{len(judged.late)} deadlines missed, by up to {figures['latest']:.0f} s"
    )
    keep("R18", figures, met=judged.holds and judged.cases == customers, why=why)
    survives(judged)
