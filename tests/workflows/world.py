"""A world in memory around the real workflow: who is admitted, what is recorded, what is sent."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkerDeploymentVersion
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import Worker, WorkerDeploymentConfig

from contracts import names
from contracts.customer_offer import (
    GrantCustomerOffer,
    OfferGranted,
    OfferSettled,
    SettleCustomerOffer,
)
from contracts.customer_traits import CustomerTraits, ReadCustomerTraits, SetCustomerTraits
from contracts.ids import case_id, workflow_id
from contracts.journey_run import (
    Admission,
    AdmitRun,
    Admitted,
    DefinitionFound,
    FindDefinition,
    HandBack,
    MoveRun,
    NotAdmitted,
    RecordRun,
    RunReference,
)
from contracts.message_delivery import (
    MESSAGE_REJECTED,
    DeliverMessage,
    MessageDelivered,
    with_channel,
)
from contracts.other_journey import OtherRunAsked, StartOtherRun
from contracts.service_call import ActivityCall, CallService, ServiceAnswered
from contracts.staff_case import (
    CaseMinded,
    CaseToMind,
    CloseStaffCase,
    EscalateStaffCase,
    OpenStaffCase,
    StaffCaseChanged,
)
from journey.effects import Effect, RunRecord, TraceEntry
from journey.first_record import first_record
from journey.machine import CASE_CLOCK_ENGINE, ENGINE, LEAN_ENGINE
from journey.program import Program
from journey.programs import PROGRAMS
from journey.publication import read_definition
from workers.plugin import clew_plugin

# As production names its builds: each event of a history carries the id, so it is short.
DEPLOYED = WorkerDeploymentConfig(
    version=WorkerDeploymentVersion(deployment_name="clew", build_id="12345678"),
    use_worker_versioning=False,
)

OTHER_QUEUES = (
    names.delivery_queue("service"),
    names.delivery_queue("marketing"),
    names.CALLS_QUEUE,
    "own",
)
"""Where activities are asked for that are not the journeys' own; `own` is a user's."""


@dataclass
class World:
    """Activities and definitions in memory; each test has its own."""

    definitions: dict[str, bytes] = field(default_factory=dict)
    live: dict[str, str] = field(default_factory=dict)
    admitted: dict[str, Admission] = field(default_factory=dict)
    records: list[tuple[RunReference, RunRecord]] = field(default_factory=list)
    sent: list[DeliverMessage] = field(default_factory=list)
    cases: dict[str, StaffCaseChanged] = field(default_factory=dict)
    minds: list[CaseMinded] = field(default_factory=list)
    minded: list[str] = field(default_factory=list)
    answers: dict[str, list[MessageDelivered]] = field(default_factory=dict)
    coupons: dict[int, str] = field(default_factory=dict)
    begun: list[StartOtherRun] = field(default_factory=list)
    behind: dict[int, int] = field(default_factory=dict)
    carried: dict[int, str] = field(default_factory=dict)
    traits: dict[str, Any] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    looked_for: list[str] = field(default_factory=list)
    handed_back: list[str] = field(default_factory=list)
    database_down: bool = False
    refused_records: int = 0
    publishes_on_admission: bool = True
    engine: int = ENGINE

    def publish(self, source: str, name: str = "test.yaml") -> str:
        publishable = read_definition(source, name)
        self.definitions[publishable.version] = publishable.canonical
        self.live[publishable.journey] = publishable.version
        return publishable.version

    async def load(self, version: str) -> bytes | None:
        return self.definitions.get(version)

    @activity.defn(name=names.ADMIT)
    async def admit(self, order: AdmitRun) -> Admission:
        if order.first_run_id in self.admitted:
            return self.admitted[order.first_run_id]
        version = order.version or self.live.get(order.journey)
        if version is None:
            answer = NotAdmitted(reason="unknown_journey")
        else:
            program = (
                PROGRAMS.add(self.definitions[version]) if self.publishes_on_admission else None
            )
            event = program.entry_event if program else order.arrived[0].event
            entering = next((i for i, t in enumerate(order.arrived) if t.event == event), None)
            if entering is None:
                answer = NotAdmitted(reason="no_entering_touchpoint")
            else:
                answer = Admitted(
                    entry=len(self.admitted) + 1,
                    version=version,
                    engine=self.engine if program else 1,
                    customer=order.customer,
                    entering=entering,
                    traits={
                        name: self.traits[name]
                        for name in (program.traits if program else ())
                        if name in self.traits
                    },
                )
                if program is not None and answer.engine >= LEAN_ENGINE:
                    self._write_first(program, order, answer)
                    return self.admitted.setdefault(
                        order.first_run_id,
                        Admission(answer=answer.answering(order), version=version),
                    )
        return self.admitted.setdefault(
            order.first_run_id, Admission(answer=answer, version=version)
        )

    def _write_first(self, program: Program, order: AdmitRun, admitted: Admitted) -> None:
        entering = order.arrived[admitted.entering or 0]
        record = first_record(program, admitted.happening(order.key, entering), order.now)
        run = RunReference(
            entry=admitted.entry, journey=order.journey, customer=order.customer, now=order.now
        )
        self._keep(run, record)

    @activity.defn(name=names.RECORD_RUN)
    async def record_run(self, order: RecordRun) -> None:
        if self.database_down:
            self.refused_records += 1
            raise ConnectionError("the database is down")
        self.records.append((order.run, order.record))

    @activity.defn(name=names.RECORD_END)
    async def record_end(self, order: RecordRun) -> bool:
        await self.record_run(order)
        return True

    @activity.defn(name=names.HAND_BACK)
    async def hand_back(self, order: HandBack) -> None:
        self.handed_back += [touchpoint.message_id for touchpoint in order.touchpoints]

    async def _take(self, run: RunReference, record: RunRecord | None, effect: Effect) -> None:
        """An effect has come to be carried out, with the record that rides along."""
        self._keep(run, record)
        await self.turn(effect.n)

    async def turn(self, n: int) -> None:
        """Until the effect has been answered that a test wants to be answered before this one."""
        self.carried[n] = activity.info().activity_id
        first = self.behind.get(n)
        while first is not None and await self._under_way(first):
            await asyncio.sleep(0.01)

    async def _under_way(self, n: int) -> bool:
        here = activity.info()
        run = activity.client().get_workflow_handle(here.workflow_id or "")
        pending = (await run.describe()).raw_description.pending_activities
        return n not in self.carried or self.carried[n] in {each.activity_id for each in pending}

    def _keep(self, run: RunReference, record: RunRecord | None) -> None:
        if record is not None:
            self.records.append((run, record))

    @activity.defn(name=names.DELIVER_MESSAGE)
    async def deliver(self, order: DeliverMessage) -> MessageDelivered:
        await self._take(order.run, order.record, order.deliver)
        if order.deliver.message in self.broken:
            words = f"{order.deliver.message}:3: run.nothing is not known"
            raise ApplicationError(words, type=MESSAGE_REJECTED, non_retryable=True)
        answer = await self.answer(order)
        if answer.state == "accepted":
            self.sent.append(order)
            self._keep(order.run, order.accepted and with_channel(order.accepted, answer.channel))
        return answer

    async def answer(self, order: DeliverMessage) -> MessageDelivered:
        """What the provider says: as scripted, else yes."""
        waiting = self.answers.get(order.deliver.message)
        return waiting.pop(0) if waiting else MessageDelivered(state="accepted", channel="email")

    @activity.defn(name=names.OPEN_CASE)
    async def open_case(self, order: OpenStaffCase) -> StaffCaseChanged:
        await self._take(order.run, order.record, order.open)
        case = case_id(order.run.workflow_id, order.run.entry, order.open.n)
        opened = StaffCaseChanged(
            case=case,
            state="open",
            queue=order.open.queue,
            clocked=self.engine >= CASE_CLOCK_ENGINE,
        )
        return self.cases.setdefault(case, opened)

    @activity.defn(name=names.MIND_CASE)
    async def mind_case(self, order: CaseToMind) -> CaseMinded:
        """As scripted, the last again and again."""
        self.minded.append(order.case)
        return self.minds.pop(0) if len(self.minds) > 1 else self.minds[0]

    @activity.defn(name=names.ESCALATE_CASE)
    async def escalate_case(self, order: EscalateStaffCase) -> StaffCaseChanged:
        await self._take(order.run, order.record, order.escalate)
        case = case_id(order.run.workflow_id, order.run.entry, order.escalate.case)
        self.cases[case] = StaffCaseChanged(case=case, state="open", queue=order.escalate.queue)
        return self.cases[case]

    @activity.defn(name=names.CLOSE_CASE)
    async def close_case(self, order: CloseStaffCase) -> StaffCaseChanged:
        await self._take(order.run, order.record, order.close)
        case = case_id(order.run.workflow_id, order.run.entry, order.close.case)
        self.cases[case] = StaffCaseChanged(case=case, state="closed", queue=self.cases[case].queue)
        return self.cases[case]

    @activity.defn(name=names.READ_TRAITS)
    async def read_traits(self, order: ReadCustomerTraits) -> CustomerTraits:
        await self._take(order.run, order.record, order.read)
        return CustomerTraits(traits={name: self.traits.get(name) for name in order.read.names})

    @activity.defn(name=names.SET_TRAITS)
    async def set_traits(self, order: SetCustomerTraits) -> CustomerTraits:
        await self._take(order.run, order.record, order.set)
        self.traits.update(order.set.traits)
        return CustomerTraits(traits=order.set.traits)

    @activity.defn(name=names.GRANT_OFFER)
    async def grant_offer(self, order: GrantCustomerOffer) -> OfferGranted:
        await self._take(order.run, order.record, order.grant)
        self.coupons.setdefault(order.grant.n, "open")
        return OfferGranted(code=f"CODE-{order.grant.n}")

    @activity.defn(name=names.SETTLE_OFFER)
    async def settle_offer(self, order: SettleCustomerOffer) -> OfferSettled:
        await self._take(order.run, order.record, order.settle)
        self.coupons[order.settle.grant] = order.settle.state
        return OfferSettled(state=order.settle.state)

    @activity.defn(name=names.CALL_SERVICE)
    async def call_service(self, order: CallService) -> ServiceAnswered:
        await self._take(order.run, order.record, order.call)
        return ServiceAnswered(result={"status": 200})

    @activity.defn(name="own")
    async def own(self, order: ActivityCall) -> dict[str, int]:
        """An activity of the user's own."""
        await self.turn(int(order.key.rpartition(":")[2]))
        return {"status": 200}

    @activity.defn(name=names.START_RUN)
    async def start_run(self, order: StartOtherRun) -> OtherRunAsked:
        await self._take(order.run, order.record, order.start)
        self.begun.append(order)
        return OtherRunAsked()

    @activity.defn(name=names.MOVE_RUN)
    async def move_run(self, order: MoveRun) -> DefinitionFound:
        PROGRAMS.add(self.definitions[order.version])
        return DefinitionFound(version=order.version)

    @activity.defn(name=names.FIND_DEFINITION)
    async def find_definition(self, order: FindDefinition) -> DefinitionFound:
        self.looked_for.append(order.version)
        if order.version not in self.definitions:
            raise LookupError(f"no definition {order.version}: publish it again")
        return DefinitionFound(version=order.version)

    def activities(self) -> list[Any]:
        return [
            self.admit,
            self.record_run,
            self.record_end,
            self.hand_back,
            self.deliver,
            self.open_case,
            self.escalate_case,
            self.mind_case,
            self.close_case,
            self.read_traits,
            self.set_traits,
            self.grant_offer,
            self.settle_offer,
            self.call_service,
            self.own,
            self.start_run,
            self.move_run,
            self.find_definition,
        ]

    def decisions(self, entry: int | None = None) -> list[TraceEntry]:
        """Decisions as recorded, in order."""
        told = {
            (run.entry, item.sequence): item
            for run, record in self.records
            for item in record.trace
            if entry is None or run.entry == entry
        }
        return [told[key] for key in sorted(told)]

    def trace(self, entry: int | None = None) -> list[str]:
        """Decisions as recorded, in order: `kind why`."""
        return [f"{item.kind}: {item.why}" for item in self.decisions(entry)]


@dataclass
class Customer:
    """One customer in one run, as a test tells the story."""

    stage: "Stage"
    journey: str
    name: str
    handle: WorkflowHandle[Any, Any]
    told: int = 0

    async def does(
        self, event: str, context: dict[str, Any] | None = None, **properties: Any
    ) -> None:
        self.told += 1
        told = touchpoint(event, f"{self.name}-{self.told}", **properties)
        await self.handle.signal("touchpoint", {**told, "context": context} if context else told)

    async def status(self) -> dict[str, Any]:
        return await self.handle.query("status")

    async def outcome(self) -> str:
        return (await self.stage.result_of(self.handle))["outcome"]

    def was_told(self) -> list[str]:
        return [
            order.deliver.message
            for order in self.stage.world.sent
            if order.run.customer == self.name
        ]


def touchpoint(event: str, message_id: str, **properties: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"message_id": message_id, "event": event}
    return {**told, "properties": properties} if properties else told


@dataclass
class Stage:
    """The real workflow on a Temporal server with a world in memory."""

    client: Client
    world: World
    skipping: Any = None
    queue: str = names.JOURNEYS_QUEUE
    entered: list[WorkflowHandle[Any, Any]] = field(default_factory=list)

    async def result_of(self, handle: WorkflowHandle[Any, Any]) -> dict[str, Any]:
        """The result of a run; on the time-skipping server time jumps to it."""
        if self.skipping is None:
            return await handle.result()
        async with self.skipping.time_skipping_unlocked():
            return await handle.result()

    async def pass_time_hours(self, hours: float) -> None:
        """Let time pass on the time-skipping server."""
        await self.skipping.sleep(timedelta(hours=hours))

    async def enter(
        self,
        journey: str,
        event: str,
        customer: str | None = None,
        key: str | None = None,
        **properties: Any,
    ) -> Customer:
        name = customer or f"c_{uuid4().hex[:10]}"
        start = {"journey": journey, "customer": name}
        handle = await self.client.start_workflow(
            names.WORKFLOW_TYPE,
            {**start, "key": key} if key else start,
            id=workflow_id(journey, name, key),
            task_queue=self.queue,
            start_signal="touchpoint",
            start_signal_args=[touchpoint(event, f"{name}-0", **properties)],
        )
        self.entered.append(handle)
        return Customer(self, journey, name, handle)

    async def clear(self) -> None:
        """End what still runs: on a server that tests share, it would keep the next one's clock from jumping."""
        for handle in self.entered:
            with suppress(RPCError):  # it has ended
                await handle.terminate("the test is over")

    def workers(self, **options: Any) -> "Workers":
        return Workers(self, options)

    async def until(self, condition: Any, seconds: float = 20) -> None:
        """Until something has come about that only shows from outside; polls, and fails in words."""
        async with asyncio.timeout(seconds):
            while True:
                value = condition()
                if asyncio.iscoroutine(value):
                    value = await value
                if value:
                    return
                await asyncio.sleep(0.02)


class Workers:
    """Workers for runs and deliveries while a test lasts."""

    def __init__(self, stage: Stage, options: dict[str, Any]) -> None:
        self._stage, self._options, self._workers = stage, options, list[Worker]()

    async def __aenter__(self) -> "Workers":
        stage = self._stage
        for queue in (stage.queue, *OTHER_QUEUES):
            options = self._options if queue == stage.queue else {}
            worker = Worker(
                stage.client,
                task_queue=queue,
                activities=stage.world.activities(),
                graceful_shutdown_timeout=timedelta(0),
                deployment_config=DEPLOYED,
                **options,
            )
            self._workers.append(worker)
            await worker.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        for worker in self._workers:
            await worker.__aexit__(*error)


async def connect(address: str, world: World) -> Client:
    # Each event names who did it, as in production: the kind of process.
    return await Client.connect(
        address, plugins=[clew_plugin(world, sealing=None)], identity="journey"
    )
