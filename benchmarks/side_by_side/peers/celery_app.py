# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportArgumentType=false
# ruff: noqa: D103, ASYNC240 -- the journeys' names say it; contexts are the engine's; a ready file is local, once
# The package is in the peers' own environment, not in ours.
"""The journeys on Celery: tasks with a countdown, and a key each for whoever has bought and whoever waits.

python -m benchmarks.side_by_side.peers.celery_app worker|door URL SINK DOOR SECONDS [MORE]

A task cannot wait for an event. So each asks, when its time comes, whether they have bought meanwhile; and who waits
for an event is a key, which the event turns into a task. Tuned: acknowledged late, so that a killed worker's tasks come
again; no results kept; four processes; no gossip, no mingling, no heartbeat.

MORE: the seconds of a visibility timeout other than Celery's own.
"""

import asyncio
import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import redis
from celery import Celery
from celery.signals import worker_ready

from benchmarks.side_by_side.peers.door import open_door
from benchmarks.side_by_side.scenario import ASKED, BOUGHT, STEPPED, STEPS
from benchmarks.side_by_side.sink import SinkWriter

_, WHAT, URL, SINK, DOOR, SECONDS, *REST = sys.argv
WRITER = SinkWriter(Path(SINK))
WAIT = int(SECONDS)
VISIBILITY = float(REST[0]) if REST else 3_600.0
"""Celery's own default: a task whose time is further away than this may be run by several."""

APP = Celery("journeys", broker=URL)
APP.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_concurrency=4,
    broker_transport_options={"visibility_timeout": VISIBILITY},
    broker_connection_retry_on_startup=True,
)
KEYS = redis.Redis.from_url(URL)


def has_bought(customer: str) -> bool:
    """Whether they have, which then is forgotten."""
    return KEYS.getdel(f"bought:{customer}") is not None


@APP.task(name="reminder")
def reminder(customer: str) -> None:
    if not has_bought(customer):
        WRITER.take(customer, "reminder")
        handover.apply_async((customer,), countdown=WAIT)


@APP.task(name="handover")
def handover(customer: str) -> None:
    if not has_bought(customer):
        WRITER.take(customer, "handover")


@APP.task(name="say")
def say(customer: str, message: str) -> None:
    WRITER.take(customer, message)


def begin(journey: str, customer: str, due: str | None) -> None:
    match journey:
        case "cart":
            reminder.apply_async((customer,), countdown=WAIT)
        case "wave":
            say.apply_async((customer, "due"), eta=datetime.fromisoformat(due or ""))
        case _:
            KEYS.set(f"waiting:{journey}/{customer}", 0)


def touch(run: str, customer: str, event: str) -> None:
    if event == BOUGHT:
        KEYS.set(f"bought:{customer}", 1)
    elif event == ASKED:
        if KEYS.delete(f"waiting:{run}"):
            say.delay(customer, "answer")
    elif event == STEPPED:
        done = KEYS.incr(f"waiting:{run}")
        say.delay(customer, "step")
        if done == STEPS:
            KEYS.delete(f"waiting:{run}")
    else:
        KEYS.rpush(f"touchpoints:{customer}", event)


def answer(asked: dict[str, Any]) -> Any:
    """One line from the door."""
    customer = asked["customer"]
    if asked["do"] == "far":
        say.apply_async((customer, "due"), countdown=asked["seconds"])
        return None
    run = f"{asked['journey']}/{customer}"
    match asked["do"]:
        case "begin":
            return begin(asked["journey"], customer, asked["due"])
        case "touch":
            return touch(run, customer, asked["event"])
        case _:
            return not KEYS.exists(f"bought:{customer}", f"waiting:{run}")


async def door() -> None:
    """Take touchpoints until told to end: Celery's client blocks, so each is taken in a thread."""
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)

    async def do(asked: dict[str, Any]) -> Any:
        return await asyncio.to_thread(answer, asked)

    async with await open_door(Path(DOOR), do):
        Path(os.environ["CLEW_READY_FILE"]).touch()
        await end.wait()


@worker_ready.connect
def say_that_it_works(**_: object) -> None:
    """It takes tasks."""
    Path(os.environ["CLEW_READY_FILE"]).touch()


if __name__ == "__main__":
    if WHAT == "door":
        asyncio.run(door())
    else:
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        APP.worker_main(["worker", "--loglevel", "error", "--hostname", f"{WHAT}@%h", *quiet])
