"""What must hold of some customers, held against the database, the server and the mails."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from contracts.evidence import Outside, Seen
from contracts.routing import customer_unit, subject_unit
from insight.invariants import Broken, check
from insight.told_runs import open_workflows, told_runs
from journey.programs import Programs
from stores.definitions import DefinitionStore
from stores.evidence import EvidenceStore
from tests.integration.conftest import Stack

OVERDUE = timedelta(seconds=30)
"""By how much an alarm may be overdue on a busy machine before its run counts as stuck."""

_LEFT = """
select (select count(*) from outbox where unit = any(%(units)s)) as pending,
       (select count(*) from routing_units where unit = any(%(units)s)
           and leased_by is not null and leased_until > clock_timestamp()) as leases
"""


async def broken_of(stack: Stack, customers: Sequence[str], acknowledged: Sequence[str]) -> Broken:
    """What does not hold of these customers, once nothing of theirs is under way any more.

    `acknowledged`: message ids of all that was told of them.
    """
    seen = await _settled(stack, customers)
    told = await told_runs(stack.client, seen.runs)
    under_way = await open_workflows(stack.client)
    outside = Outside(
        acknowledged=tuple(acknowledged),
        mails=Counter(mail.key for mail in stack.mails if mail.customer in customers),
        events=await _events(stack, seen),
        open_workflows=frozenset(
            each for each in under_way if any(customer in each for customer in customers)
        ),
    )
    return check(seen, told, outside, run_now=seen.at, late=OVERDUE)


async def _settled(stack: Stack, customers: Sequence[str]) -> Seen:
    """What the database has of them, read when nothing was pending."""
    found = list[Seen]()

    async def quiet() -> bool:
        found[:] = [await _seen(stack, customers)]
        under_way = any(each.state == "intended" for each in found[0].deliveries)
        return not (under_way or found[0].pending or found[0].leases)

    with suppress(TimeoutError):  # what is left then is told
        await stack.until(quiet)
    return found[0]


async def _seen(stack: Stack, customers: Sequence[str]) -> Seen:
    everything = await EvidenceStore(stack.pool).seen()
    runs = tuple(run for run in everything.runs if run.customer in customers)
    own = tuple(f"{run.workflow_id}:{run.entry}:" for run in runs)
    arrivals = tuple(each for each in everything.arrivals if each.customer in customers)
    arrived = {each.touchpoint for each in arrivals}
    touchpoints = tuple(
        each
        for each in everything.touchpoints
        if each.customer in customers or each.touchpoint in arrived
    )
    subjects = {each.subject for each in touchpoints if each.subject is not None}
    units = [*map(customer_unit, customers), *(subject_unit(*each) for each in subjects)]
    return replace(
        everything,
        runs=runs,
        touchpoints=touchpoints,
        arrivals=arrivals,
        deliveries=tuple(each for each in everything.deliveries if each.key.startswith(own)),
        **await _left(stack, units),
    )


async def _left(stack: Stack, units: list[str]) -> dict[str, Any]:
    async with stack.pool.connection() as connection:
        cursor = await connection.execute(_LEFT, {"units": units})
        row = await cursor.fetchone()
    assert row is not None
    return row


async def _events(stack: Stack, seen: Seen) -> dict[str, frozenset[str]]:
    definitions, programs = DefinitionStore(stack.pool), Programs()
    events: dict[str, frozenset[str]] = {}
    for version in {run.version for run in seen.runs}:
        canonical = await definitions.load(version)
        assert canonical is not None, f"version {version} is gone"
        events[version] = programs.add(canonical).listens
    return events
