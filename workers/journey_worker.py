"""`python -m workers journey`: carries runs, and writes down what they decide."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from activities.admission import Admissions
from activities.case_minding import CaseMinding
from activities.customer_offers import CustomerOffers
from activities.customer_traits import TraitsOfCustomer
from activities.other_journey import OtherJourneys
from activities.run_record import LateDesk, RunJournal
from activities.staff_cases import StaffCases
from channels.liquid_text import LiquidText
from contracts.names import JOURNEYS_QUEUE
from stores.admissions import AdmissionStore
from stores.case_clocks import CaseClockStore
from stores.cases import CaseStore
from stores.coupons import CouponStore
from stores.customer_traits import CustomerTraitStore
from stores.customers import CustomerStore
from stores.database import Pool
from stores.definitions import DefinitionStore
from stores.late_touchpoints import LateTouchpointStore
from stores.requested_entries import RequestedEntryStore
from stores.run_records import RunRecordStore
from stores.wakeup import Bell
from workers.build import build_id
from workers.connections import database, require_search_attributes, temporal
from workers.plugin import clew_plugin
from workers.presence import require_known_engines
from workers.process import Life
from workers.sealed_history import sealing
from workers.settings import JourneySettings


def journey_activities(pool: Pool, ring: Callable[[], None]) -> list[Callable[..., Any]]:
    """What runs ask of our own database. `ring` wakes the routers."""
    customers = CustomerStore(pool)
    records = RunRecordStore(pool, ring)
    journal = RunJournal(records=records)
    profiles = CustomerTraitStore(pool, customers, ring)
    admissions = Admissions(desks=AdmissionStore(pool, customers, ring))
    traits = TraitsOfCustomer(profiles=profiles, records=records)
    cases = StaffCases(
        cases=CaseStore(pool, ring), profiles=profiles, briefs=LiquidText(), records=records
    )
    offers = CustomerOffers(coupons=CouponStore(pool), records=records)
    return [
        admissions.admit,
        admissions.move_run,
        admissions.find_definition,
        journal.record_run,
        journal.record_end,
        LateDesk(touchpoints=LateTouchpointStore(pool, ring)).hand_back,
        traits.read_traits,
        traits.set_traits,
        cases.open_case,
        cases.escalate_case,
        cases.close_case,
        CaseMinding(cases=CaseClockStore(pool, ring)).mind_case,
        offers.grant_offer,
        offers.settle_offer,
        OtherJourneys(entries=RequestedEntryStore(pool, ring), records=records).start_run,
    ]


def journey_worker(
    client: Client,
    *,
    activities: Sequence[Callable[..., Any]] = (),
    cached_runs: int = 300,
    runs_at_once: int = 8,
    drain: timedelta = timedelta(seconds=20),
) -> Worker:
    """The worker of a client that has our plugin."""
    return Worker(
        client,
        task_queue=JOURNEYS_QUEUE,
        activities=list(activities),
        max_cached_workflows=cached_runs,
        max_concurrent_workflow_tasks=max(2, runs_at_once),
        max_concurrent_activities=50,
        max_concurrent_local_activities=20,
        graceful_shutdown_timeout=drain,
        build_id=build_id(),
    )


async def serve(settings: JourneySettings, life: Life) -> None:
    """Carry runs until told to stop; then let what is under way end."""
    async with AsyncExitStack() as parts:
        pool = await parts.enter_async_context(database(settings, "journey"))
        await require_known_engines(pool)
        bell = await parts.enter_async_context(Bell(settings.database_url))
        activities = journey_activities(pool, bell.ring)
        seal = sealing(settings, pool)
        plugin = clew_plugin(DefinitionStore(pool), activities, sealing=seal)
        client = await temporal(settings, plugins=[plugin], identity="journey")
        await require_search_attributes(client)
        worker = journey_worker(
            client,
            cached_runs=settings.cached_runs,
            runs_at_once=settings.runs_at_once,
            drain=timedelta(seconds=settings.drain_seconds),
        )
        async with worker:
            life.ready()
            await life.stop.wait()
