"""`python -m workers delivery`: sends messages, service ones never behind marketing."""

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from activities.case_messages import CaseMessageDelivery
from activities.counted_links import CountedLinks
from activities.message_channel import MessageChannel
from activities.message_delivery import MessageDelivery
from activities.message_words import MessageWords
from activities.service_call import ServiceCaller, ServiceCalls
from channels.case_hook import CaseHookPost
from channels.customer_links import CustomerLinks
from channels.http_call import HttpCaller
from channels.message_renderer import MessageFileRenderer
from channels.short_link import ShortLinks
from channels.staff_address import StaffAddresses, staff_mail_key
from channels.survey_link import SurveyLinks
from channels.unsubscribe_link import UnsubscribeLinks
from contracts.names import CALLS_QUEUE, delivery_queue
from contracts.outside_desk import OutsideDesk
from routing.background_work import BackgroundWork
from routing.case_hooks import CaseHooks
from routing.channel_tests import ChannelTests
from routing.outside_desks import DeskMirror
from routing.staff_mail import MailPost, StaffMailRound
from stores.case_decisions import REFUSALS
from stores.case_desk import CaseDesk
from stores.case_events import CaseEventStore
from stores.case_hooks import CaseHookStore
from stores.case_messages import CaseWriter
from stores.channel_reports import ChannelReportStore
from stores.channel_tests import ChannelTestStore
from stores.database import Pool
from stores.definitions import DefinitionStore
from stores.erased_hashes import ErasedHashes
from stores.feelings import FeelingStore
from stores.house_policy import HousePolicyStore
from stores.ledger import Ledger
from stores.members import MemberStore
from stores.messages import MessageStore
from stores.outside_desks import OutsideDeskStore
from stores.run_records import RunRecordStore
from stores.send_rates import SendRateStore
from stores.short_links import ShortLinkStore
from stores.staff_mails import StaffMailStore
from stores.wakeup import Bell
from workers.build import build_id, process_name
from workers.channel_report import ChannelWatch, told_channels
from workers.channels import sending_channels
from workers.connections import database, temporal
from workers.mail_channel import mail_channel
from workers.plugin import clew_plugin
from workers.process import Life
from workers.sealed_history import sealing
from workers.settings import DeliverySettings

PURPOSES = ("service", "marketing")


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def message_delivery(
    pool: Pool,
    ring: Callable[[], None],
    channels: Mapping[str, MessageChannel],
    surveys: SurveyLinks | None = None,
    *,
    pages: CustomerLinks | None = None,
    services: ServiceCaller | None = None,
    links: ShortLinks | None = None,
    hashes: ErasedHashes | None = None,
) -> MessageDelivery:
    """Deliveries over these channels, kept in our ledger. `hashes`: to know addresses of erased customers."""
    policies = HousePolicyStore(pool)
    return MessageDelivery(
        ledger=Ledger(pool, _wall_clock, policies=policies, hashes=hashes, ring=ring),
        messages=MessageStore(pool),
        words=MessageWords(
            renderer=MessageFileRenderer(),
            surveys=surveys,
            pages=pages,
            feelings=FeelingStore(pool),
            services=services,
            links=CountedLinks(tokens=links, kept=ShortLinkStore(pool)) if links else None,
        ),
        channels=channels,
        records=RunRecordStore(pool, ring),
        wall_clock=_wall_clock,
        rates=SendRateStore(pool, _wall_clock, policies),
    )


def case_messages(
    pool: Pool, ring: Callable[[], None], delivery: MessageDelivery
) -> CaseMessageDelivery:
    """What staff write from cases, sent as everything else is."""
    return CaseMessageDelivery(
        letters=CaseWriter(pool, ring), messages=MessageStore(pool), delivery=delivery
    )


def delivery_workers(
    client: Client,
    delivery: MessageDelivery,
    cases: CaseMessageDelivery | None = None,
    *,
    at_once: int = 20,
    drain: timedelta = timedelta(seconds=20),
) -> list[Worker]:
    """One worker for each purpose, of a client whose plugin carries no journeys; staff write as service."""
    of_staff = [cases.deliver_case_message] if cases is not None else []
    return [
        Worker(
            client,
            task_queue=delivery_queue(purpose),
            activities=[
                delivery.deliver_message,
                *(of_staff if purpose == "service" else ()),
            ],
            max_concurrent_activities=at_once,
            graceful_shutdown_timeout=drain,
            build_id=build_id(),
        )
        for purpose in PURPOSES
    ]


def calls_worker(client: Client, calls: ServiceCalls, *, drain: timedelta) -> Worker:
    """The worker that calls services outside."""
    return Worker(
        client,
        task_queue=CALLS_QUEUE,
        activities=[calls.call_service],
        max_concurrent_activities=50,
        graceful_shutdown_timeout=drain,
        build_id=build_id(),
    )


def desk_mirror(
    pool: Pool, ring: Callable[[], None], desk: OutsideDesk, public_url: str
) -> DeskMirror:
    """Cases at a desk outside, on our own database."""
    return DeskMirror(
        desk=desk,
        desks=OutsideDeskStore(pool, public_url),
        cases=CaseDesk(pool, ring),
        members=MemberStore(pool),
        refused=REFUSALS,
    )


def staff_mail_round(pool: Pool, post: MailPost, public_url: str) -> StaffMailRound:
    """Mails to members of staff, on our own database."""
    return StaffMailRound(
        mails=StaffMailStore(pool),
        post=post,
        key_of=staff_mail_key,
        public_url=public_url,
        wall_clock=_wall_clock,
    )


@dataclass(slots=True, frozen=True, kw_only=True)
class Watching:
    """The channels, watched: how they do is told in rounds, and tests that staff ask for go by them."""

    channels: Mapping[str, MessageChannel]
    watch: ChannelWatch
    tests: ChannelTests

    def begin(self, parts: AsyncExitStack) -> None:
        """Go on in rounds until the process ends."""
        rounds = {"channel report": self.watch.round, "channel tests": self.tests.round}
        for name, doing in rounds.items():
            done = asyncio.create_task(BackgroundWork(name, doing).run())
            parts.callback(done.cancel)


async def watching(
    pool: Pool, settings: DeliverySettings, ways: Mapping[str, MessageChannel]
) -> Watching:
    """Tell how these channels are set, and watch them from now on."""
    reports = ChannelReportStore(pool)
    await reports.tell(process_name(), told_channels(settings, ways, os.environ))
    watch = ChannelWatch(reports, _wall_clock)
    channels = watch.over(ways)
    asked = ChannelTestStore(pool, ErasedHashes(settings.secret.get_secret_value().encode()))
    tests = ChannelTests(tests=asked, channels=channels, wall_clock=_wall_clock)
    return Watching(channels=channels, watch=watch, tests=tests)


async def serve(settings: DeliverySettings, life: Life) -> None:
    """Send messages until told to stop; then let what is under way end."""
    secret = settings.secret.get_secret_value().encode()
    surveys = SurveyLinks(settings.public_url, secret)
    pages = CustomerLinks(settings.public_url, secret, _wall_clock)
    drain = timedelta(seconds=settings.drain_seconds)
    async with AsyncExitStack() as parts:
        pool = await parts.enter_async_context(database(settings, "delivery"))
        bell = await parts.enter_async_context(Bell(settings.database_url))
        ways = await parts.enter_async_context(sending_channels(settings, pool, _wall_clock))
        watched = await watching(pool, settings, ways)
        watched.begin(parts)
        caller = HttpCaller(settings.calls_key(), _wall_clock, allowed=settings.calls_allowed)
        parts.push_async_callback(caller.close)
        seal = sealing(settings, pool)
        plugin = clew_plugin(DefinitionStore(pool), runs_journeys=False, sealing=seal)
        client = await temporal(settings, plugins=[plugin], identity="delivery")
        delivery = message_delivery(
            pool,
            bell.ring,
            watched.channels,
            surveys,
            pages=pages,
            services=caller,
            links=ShortLinks(settings.public_url, secret),
            hashes=ErasedHashes(secret),
        )
        workers = delivery_workers(
            client,
            delivery,
            case_messages(pool, bell.ring, delivery),
            at_once=settings.deliveries_at_once,
            drain=drain,
        )
        calls = ServiceCalls(caller=caller, records=RunRecordStore(pool, bell.ring))
        workers.append(calls_worker(client, calls, drain=drain))
        post = CaseHookPost(_wall_clock, allowed=settings.calls_allowed)
        parts.push_async_callback(post.close)
        hooks = CaseHookStore(pool, settings.master_keys())
        telling = CaseHooks(hooks, CaseEventStore(pool), post, _wall_clock)
        told = asyncio.create_task(BackgroundWork("case hooks", telling.round).run())
        parts.callback(told.cancel)
        slack = settings.slack_desk()
        for desk in (*([slack] if slack is not None else []), *settings.ticket_desks(_wall_clock)):
            parts.push_async_callback(desk.close)
            showing = desk_mirror(pool, bell.ring, desk, settings.public_url)
            shown = asyncio.create_task(BackgroundWork(desk.name, showing.round).run())
            parts.callback(shown.cancel)
        if settings.reply_domain is not None:
            replies = StaffAddresses(settings.reply_domain, secret)
            mail = mail_channel(settings, UnsubscribeLinks(settings.public_url, secret), replies)
            parts.push_async_callback(mail.close)
            writing = staff_mail_round(pool, mail, settings.public_url)
            written = asyncio.create_task(BackgroundWork("staff mail", writing.round).run())
            parts.callback(written.cancel)
        for worker in workers:
            await parts.enter_async_context(worker)
        life.ready()
        await life.stop.wait()
