"""What must hold of some customers, held against the database, the server and the mails."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from contracts.evidence import Outside, Seen
from contracts.routing import customer_unit, subject_unit
from insight.invariants import Broken, check
from insight.told_runs import open_workflows, told_runs
from stores.definitions import DefinitionStore
from stores.evidence import EvidenceStore
from tests.integration.conftest import Stack
from tests.listened_events import listened_events

OVERDUE = timedelta(seconds=30)
"""By how much an alarm may be overdue on a busy machine before its run counts as stuck."""

_LEFT = """
select (select count(*) from outbox where unit = any(%(units)s)) as pending,
       (select count(*) from routing_units where unit = any(%(units)s)
           and leased_by is not null and leased_until > clock_timestamp()) as leases
"""


async def broken_of(stack: Stack, customers: Sequence[str], acknowledged: Sequence[str]) -> Broken:
    """What does not hold of these customers now; what is under way is told as left.

    `acknowledged`: message ids of all that was told of them.
    """
    seen = await _seen(stack, customers)
    told = await told_runs(stack.opening or stack.client, seen.runs)
    under_way = await open_workflows(stack.client)
    outside = Outside(
        acknowledged=tuple(acknowledged),
        mails=Counter(mail.key for mail in stack.mails if mail.customer in customers),
        events=await listened_events(DefinitionStore(stack.pool), seen),
        open_workflows=frozenset(
            each for each in under_way if any(customer in each for customer in customers)
        ),
    )
    return check(seen, told, outside, run_now=seen.at, late=OVERDUE)


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
