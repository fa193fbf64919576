"""The product in one process: a real PostgreSQL and Temporal, our workers and router, a recorder for mails."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import pytest_asyncio
from fastapi import FastAPI
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import Client

from activities.message_channel import RenderedMessage
from activities.service_call import ServiceCalls
from channels.http_call import HttpCaller
from channels.recording import RecordingChannel
from channels.survey_link import SurveyLinks
from cli.journey_files import Published, check_files, find_files
from contracts.sealing import MasterKeys
from routing.background_work import BackgroundWork
from routing.case_clocks import CaseClocks, TemporalClocks
from routing.entry_scanner import EntryScanner
from routing.journey_programs import JourneyPrograms
from routing.router import Router
from routing.temporal_runs import TemporalRuns
from stores.case_clocks import CaseClockStore
from stores.customers import CustomerStore
from stores.database import Pool, open_pool
from stores.definitions import DefinitionStore
from stores.entry_looks import EntryLookStore
from stores.history_keys import HistoryKeyStore
from stores.messages import MessageStore
from stores.published import PublishedStore
from stores.run_records import RunRecordStore
from stores.runs import Run, RunStore
from stores.touchpoints import store_touchpoint
from stores.wakeup import Ear
from workers.delivery_worker import (
    calls_worker,
    case_messages,
    delivery_workers,
    message_delivery,
)
from workers.embedded.postgres_server import PostgresServer
from workers.journey_worker import journey_activities, journey_worker
from workers.plugin import clew_plugin
from workers.router import router_parts
from workers.sealed_history import Sealing, data_converter

SECRET = "a secret of at least 32 characters"
SURVEYS = SurveyLinks("https://example.com", SECRET.encode())
CALLS_KEY = b"what calls are signed with"
QUICK = timedelta(seconds=1)
STAFF_TOKEN = "staff-token-of-this-test"
SENT_BACK = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND


@dataclass
class Stack:
    """An installation as its users meet it; what it sends is in `mails`."""

    temporal_address: str
    database_url: str
    client: Client
    pool: Pool
    channel: RecordingChannel
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    now: list[datetime] = field(default_factory=list[datetime])
    """The time at which people are looked at for entering; the real one where nothing is said."""
    opening: Client | None = None
    """A client that opens what histories hold, where they are sealed."""

    @property
    def scanner(self) -> EntryScanner:
        """Looks at whoever may enter without doing anything; the router does so by itself when something came."""
        looks = EntryLookStore(self.pool, self.heard.set, self._time)
        return EntryScanner(looks, JourneyPrograms(DefinitionStore(self.pool)))

    async def overlooked(self) -> None:
        """Cases whose clock should have looked a while ago are looked for, as a router does by itself."""
        await CaseClockStore(self.pool).ring_overlooked()

    def _time(self) -> datetime:
        return self.now[-1] if self.now else datetime.now(UTC)

    @property
    def mails(self) -> list[RenderedMessage]:
        return self.channel.taken

    async def publish(self, path: Path) -> list[str]:
        """A journey file, a message, or a folder of them; the versions that are live now."""
        checked = check_files(
            find_files([path]), Published(messages=await MessageStore(self.pool).names())
        )
        assert checked.problems == []
        for name, (_, source) in checked.messages.items():
            await MessageStore(self.pool).publish(name, source)
        words = PublishedStore(self.pool)
        for name, survey in checked.surveys.items():
            await words.publish("survey", name, survey.model_dump(mode="json"))
        for name, offer in checked.offers.items():
            await words.publish("offer", name, offer.model_dump(mode="json"))
        return [await DefinitionStore(self.pool).publish(found) for found in checked.journeys]

    async def publish_text(self, source: str) -> str:
        """A journey as text, whatever messages it names."""
        from journey.publication import read_definition

        return await DefinitionStore(self.pool).publish(read_definition(source, "test.yaml"))

    async def write(self, journey: str, text: str, *messages: str) -> str:
        """A journey given without its head, and messages with their name as subject; its version."""
        for message in messages:
            source = (
                f'---\nsubject: "{message}"\n---\nHello {{{{ survey.link | default: "there" }}}}'
            )
            await MessageStore(self.pool).publish(message, source)
        head = f"language: 1\njourney: {journey}\ntitle: A journey of the tests\nowner: tests\n"
        return await self.publish_text(head + text)

    def told(self, customer: str) -> list[str]:
        """The subjects of what a customer got, in order."""
        return [mail.subject for mail in self.mails if mail.customer == customer]

    async def know(self, customer: str, **traits: Any) -> str:
        """A customer with traits, such as an email to be reached by; their id with us."""
        customers = CustomerStore(self.pool)
        async with self.pool.connection() as connection:
            ours = await customers.resolve(connection, [("user_id", customer)])
            await customers.merge_traits(connection, ours, traits)
        return ours

    async def tell(
        self,
        event: str,
        *,
        customer: str | None = None,
        subject: tuple[str, str] | None = None,
        message_id: str | None = None,
        happened: datetime | None = None,
        **properties: Any,
    ) -> str:
        """A touchpoint, as ingest stores it; its message id. It happened now unless said otherwise."""
        message = message_id or uuid4().hex
        context: dict[str, Any] = (
            {"subject": {"kind": subject[0], "id": subject[1]}} if subject else {}
        )
        async with self.pool.connection() as connection:
            resolve = CustomerStore(self.pool).resolve
            await store_touchpoint(
                connection,
                customer=await resolve(connection, [("user_id", customer)]) if customer else None,
                subject=subject,
                message_id=message,
                event=event,
                occurred_at=happened or datetime.now(UTC),
                properties=properties,
                context=context,
            )
        self.heard.set()
        return message

    async def outcome(self, workflow_id: str) -> dict[str, Any]:
        """How a run ended: its result, once it has."""
        async with asyncio.timeout(60):
            return await self.client.get_workflow_handle(workflow_id).result()

    async def status(self, workflow_id: str) -> dict[str, Any]:
        return await self.client.get_workflow_handle(workflow_id).query("status")

    async def run_of(self, customer: str, journey: str | None = None) -> Run:
        """The customer's newest run, once it is written down."""
        found = list[Run]()

        async def there() -> bool:
            known = await CustomerStore(self.pool).find(customer)
            if known is not None:
                found[:] = await RunStore(self.pool).runs(customer=known.customer, journey=journey)
            return bool(found)

        await self.until(there)
        return found[0]

    async def runs(self, journey: str, **chosen: Any) -> list[Run]:
        return await RunStore(self.pool).runs(journey=journey, **chosen)

    async def entries(self, journey: str, count: int) -> list[Run]:
        """The admissions and refusals of a journey, once there are so many; the newest first."""
        found = list[Run]()

        async def there() -> bool:
            found[:] = await self.runs(journey)
            return len(found) == count

        await self.until(there)
        return found

    async def rows(self, statement: Any, *values: object) -> list[dict[str, Any]]:
        """What the database holds."""
        async with self.pool.connection() as connection:
            return await (await connection.execute(statement, values)).fetchall()

    async def failed_tasks(self, workflow_id: str) -> list[str]:
        """Why workflow tasks of the run failed: none ever should.

        A task whose end of the run the server sends back, because a signal came meanwhile, did not
        fail: it is done again with the signal, and that is how nothing is lost at the end of a run.
        """
        failures = list[str]()
        handle = self.client.get_workflow_handle(workflow_id)
        async for event in handle.fetch_history_events():
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                failed = event.workflow_task_failed_event_attributes
                if failed.cause != SENT_BACK:
                    failures.append(failed.failure.message)
        return failures

    async def until(
        self, condition: Callable[[], Awaitable[Any] | Any], seconds: float = 30
    ) -> None:
        """Until something has come about that only shows from outside."""
        async with asyncio.timeout(seconds):
            while True:
                value = condition()
                if isinstance(value, Awaitable):
                    value = await value
                if value:
                    return
                await asyncio.sleep(0.05)


@pytest_asyncio.fixture(scope="session")
async def stack_database(postgres: PostgresServer, migrated_template: str) -> str:
    """One database for all stacks of the session, so that runs left open find their definitions."""
    return await postgres.create_database("clew_stack", template=migrated_template)


@pytest_asyncio.fixture(scope="module")
async def stack(stack_database: str, temporal_address: str) -> AsyncIterator[Stack]:
    """The product while a file of tests runs. Customers of different tests have different names."""
    async with AsyncExitStack() as parts:
        pool = await open_pool(stack_database, most=20)
        parts.push_async_callback(pool.close)
        ear = await parts.enter_async_context(Ear(stack_database))
        definitions = DefinitionStore(pool)
        activities = journey_activities(pool, ear.heard.set)
        keys = HistoryKeyStore(pool, MasterKeys.read(None, SECRET), time.monotonic)
        sealing = Sealing(keys)
        journeys = await Client.connect(
            temporal_address, plugins=[clew_plugin(definitions, activities, sealing=sealing)]
        )
        deliveries = await Client.connect(
            temporal_address,
            plugins=[clew_plugin(definitions, runs_journeys=False, sealing=sealing)],
        )
        channel = RecordingChannel()
        sending = message_delivery(pool, ear.heard.set, {channel.name: channel}, SURVEYS)
        caller = HttpCaller(CALLS_KEY, lambda: datetime.now(UTC), allowed=["localhost"])
        parts.push_async_callback(caller.close)
        calls = ServiceCalls(caller=caller, records=RunRecordStore(pool, ear.heard.set))
        workers = [
            journey_worker(journeys, drain=QUICK),
            *delivery_workers(
                deliveries, sending, case_messages(pool, ear.heard.set, sending), drain=QUICK
            ),
            calls_worker(deliveries, calls, drain=QUICK),
        ]
        for worker in workers:
            await parts.enter_async_context(worker)
        plain = await Client.connect(temporal_address)
        sealed = await Client.connect(
            temporal_address, data_converter=data_converter(sealing=sealing)
        )
        router = Router(router_parts(pool, TemporalRuns(sealed)), name="tests", heard=ear.heard)
        stop = asyncio.Event()
        routing = asyncio.create_task(router.run(stop))
        clocks = CaseClocks(CaseClockStore(pool), TemporalClocks(sealed))
        telling = BackgroundWork("case clocks", clocks.round, pause=timedelta(milliseconds=200))
        parts.callback(asyncio.create_task(telling.run()).cancel)
        yield Stack(
            temporal_address, stack_database, plain, pool, channel, ear.heard, opening=sealed
        )
        stop.set()
        await routing


@asynccontextmanager
async def staff_client(
    app: FastAPI, base_url: str = "http://staff"
) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of an app in this process that holds the staff token."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url=base_url,
        headers={"Authorization": f"Bearer {STAFF_TOKEN}"},
    ) as client:
        yield client


@pytest_asyncio.fixture
async def folder() -> AsyncIterator[Path]:
    """A folder with a short path: a socket's name has little room."""
    path = Path(tempfile.mkdtemp(prefix="clew-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)
