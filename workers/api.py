"""`python -m workers api`: ingest, staff, customers' own pages."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from fastapi import APIRouter, FastAPI

from api.acting_staff import ActingStaff
from api.app import create_app
from api.case_messages import case_messages_router
from api.cases import CaseParts, cases_router
from api.conversation import conversation_router
from api.devices import devices_router
from api.entries import entries_router
from api.erasures import erasures_router
from api.feedback import feedback_router
from api.feelings import feelings_router
from api.inbound_mail import InboundSecret, inbound_mail_router
from api.inbound_texts import slack_router, twilio_router
from api.inbox import inbox_router
from api.ingest import Ingest
from api.intake import Intake
from api.key_rates import KeyRates
from api.members import members_router
from api.mentions import mentions_router
from api.merges import merges_router
from api.now import now_router
from api.pressure import Pressure
from api.problems import problems_router
from api.queues import queues_router
from api.short_links import short_links_router
from api.slack_desk import SlackCaseDoor, slack_cases_router
from api.staff_figures import staff_figures_router
from api.staff_key import StaffKeyCheck
from api.status_events import LiveStatus
from api.stops import stops_router
from api.write_key_check import WriteKeyCheck
from channels.inbox_token import InboxTokens
from channels.liquid_text import LiquidText
from channels.slack_calls import SlackCalls
from channels.sns_message import SnsMessages, SnsNotifications
from channels.twilio_inbound import TwilioMedia
from stores.audit import AuditStore
from stores.case_brief import CaseBriefStore
from stores.case_desk import CaseDesk
from stores.case_events import CaseEventStore
from stores.case_lists import CaseListStore
from stores.case_messages import CaseWriter
from stores.conversations import ConversationStore
from stores.coupons import CouponStore
from stores.customers import CustomerStore
from stores.database import Pool, one_statement
from stores.definitions import DefinitionStore
from stores.devices import DeviceStore
from stores.feedback import FeedbackStore
from stores.feelings import FeelingStore
from stores.figures_ear import FiguresEar
from stores.house import HouseStore
from stores.inbound import InboundStore
from stores.inbox_ear import InboxEar
from stores.inbox_messages import InboxStore
from stores.members import MemberStore
from stores.mentions import MentionStore
from stores.moment import MomentStore
from stores.problem_answers import ProblemAnswers
from stores.problems import ProblemStore
from stores.queue_standings import QueueStandingStore
from stores.requested_entries import RequestedEntryStore
from stores.short_links import ShortLinkStore
from stores.slack_requests import SlackRequestStore
from stores.staff_figures import StaffFiguresStore
from stores.staff_merges import MergeStore
from stores.staff_opened_cases import StaffOpenedCaseStore
from stores.staff_tokens import StaffTokenStore
from stores.stops import StopStore
from stores.suggestions import SuggestionStore
from stores.wakeup import Bell
from stores.write_keys import WriteKeyStore
from workers.connections import database
from workers.control import ShownSettings, mission_control
from workers.customer_pages import customer_pages
from workers.erasing import erasures
from workers.feedback_sources import feedback_sources
from workers.http_spans import HttpSpans, TracedIntake
from workers.inbound import inbound_desk
from workers.inbox import staff_inbox
from workers.process import Life
from workers.settings import ApiSettings
from workers.telemetry import tracing
from workers.web import serve_http


def wall_clock() -> datetime:
    """Wall time."""
    return datetime.now(UTC)


def api_app(
    pool: Pool,
    bell: Bell,
    ear: InboxEar,
    settings: ApiSettings,
    stopping: asyncio.Event | None = None,
    figures: FiguresEar | None = None,
) -> FastAPI:
    """The application on our own database. `stopping` ends what pages listen to; `figures` hears of theirs."""
    intake = TracedIntake if tracing() else Intake
    keys = WriteKeyCheck(WriteKeyStore(pool))
    rates = KeyRates(settings.key_messages_per_second)
    ingest = Ingest(
        intake(pool, CustomerStore(pool), bell), keys, Pressure(settings.requests_at_once), rates
    )

    async def database_answers() -> None:
        async with one_statement(pool) as connection:
            await connection.execute("select 1")

    stopping = stopping or asyncio.Event()
    token = settings.staff_token.get_secret_value() if settings.staff_token else None
    staff = StaffKeyCheck(token, StaffTokenStore(pool))
    secret = settings.secret.get_secret_value().encode()
    return create_app(
        *staff_routers(pool, bell, staff, secret),
        *app_routers(pool, bell, ear, settings, staff, rates),
        *customer_pages(
            pool,
            bell.ring,
            settings,
            public_url=settings.public_url,
            secret=secret,
            live=LiveStatus(stopping=stopping),
        ),
        staff_inbox(pool, bell.ring, settings, stopping=stopping),
        mission_control(
            pool,
            figures or FiguresEar(settings.database_url),
            bell.ring,
            url=settings.database_url,
            https=settings.public_url.startswith("https://"),
            stopping=stopping,
            run_clock=settings.run_clock,
            web_ui=settings.codec_url,
            namespace=settings.temporal_namespace,
            shown=ShownSettings(
                public_url=settings.public_url, per_second=settings.key_messages_per_second
            ),
        ),
        *inbound_routers(pool, bell, settings, staff),
        ingest=ingest,
        checks={"database": database_answers},
        https=settings.public_url.startswith("https://"),
    )


def staff_routers(pool: Pool, bell: Bell, staff: StaffKeyCheck, secret: bytes) -> list[APIRouter]:
    """What staff and their programs ask and do: cases, entries, the moment, problems, stops, who is who."""
    customers, house = CustomerStore(pool), HouseStore(pool)
    return [
        members_router(MemberStore(pool), staff),
        queues_router(QueueStandingStore(pool), staff, wall_clock),
        case_messages_router(CaseWriter(pool, bell.ring), acting_staff(pool, staff), staff),
        mentions_router(MentionStore(pool, customers, bell.ring), staff),
        cases_router(case_parts(pool, bell.ring, staff), staff),
        entries_router(
            RequestedEntryStore(pool, bell.ring),
            customers,
            DefinitionStore(pool),
            CouponStore(pool),
            staff,
        ),
        now_router(
            MomentStore(pool, house),
            SuggestionStore(pool, bell.ring),
            customers,
            LiquidText(),
            staff,
        ),
        feelings_router(FeelingStore(pool, house, bell.ring), customers, staff),
        problems_router(
            ProblemStore(pool, bell.ring),
            customers,
            CaseDesk(pool),
            staff,
            ProblemAnswers(pool, CaseDesk(pool, bell.ring)),
        ),
        staff_figures_router(StaffFiguresStore(pool, house), staff, wall_clock),
        stops_router(StopStore(pool, bell.ring), staff),
        merges_router(MergeStore(pool, bell.ring), staff),
        erasures_router(erasures(pool, secret), staff),
    ]


def acting_staff(pool: Pool, staff: StaffKeyCheck) -> ActingStaff:
    """Who acts for staff, on our own database."""
    return ActingStaff(staff, MemberStore(pool), HouseStore(pool))


def case_parts(pool: Pool, ring: Callable[[], None], staff: StaffKeyCheck) -> CaseParts:
    """What the doors of cases work with, on our own database."""
    return CaseParts(
        desk=CaseDesk(pool, ring),
        lists=CaseListStore(pool),
        events=CaseEventStore(pool),
        briefs=CaseBriefStore(pool, HouseStore(pool), LiquidText().words_of),
        opened=StaffOpenedCaseStore(pool, wall_clock),
        customers=CustomerStore(pool),
        acting=acting_staff(pool, staff),
        wall_clock=wall_clock,
    )


def app_routers(
    pool: Pool,
    bell: Bell,
    ear: InboxEar,
    settings: ApiSettings,
    staff: StaffKeyCheck,
    rates: KeyRates,
) -> list[APIRouter]:
    """What a business's own app and pages ask: devices and the inbox."""
    customers, inboxes = CustomerStore(pool), InboxStore(pool, wall_clock, bell.ring)
    tokens = InboxTokens(settings.public_url, settings.secret.get_secret_value().encode())
    return [
        devices_router(
            DeviceStore(pool),
            customers,
            WriteKeyCheck(WriteKeyStore(pool), "devices"),
            settings.vapid_public(),
            rates,
        ),
        inbox_router(inboxes, ear, tokens, customers, staff),
    ]


def inbound_routers(
    pool: Pool, bell: Bell, settings: ApiSettings, staff: StaffKeyCheck
) -> list[APIRouter]:
    """What comes back: clicks, what providers report, and what customers write."""
    customers = CustomerStore(pool)
    desk = inbound_desk(
        pool,
        bell,
        settings,
        reply_domain=settings.reply_domain,
        welcome=settings.inbound_welcomes,
    )
    secret = settings.inbound_secret.get_secret_value() if settings.inbound_secret else None
    routers = [
        short_links_router(ShortLinkStore(pool, bell.ring)),
        feedback_router(
            feedback_sources(settings), FeedbackStore(pool, bell.ring), settings.public_url
        ),
        inbound_mail_router(
            desk,
            InboundSecret(secret),
            staff,
            sns=inbound_sns(settings),
            deeds=AuditStore(pool),
        ),
        conversation_router(
            customers, ConversationStore(pool), InboundStore(pool, customers), staff
        ),
    ]
    if settings.twilio_account and settings.twilio_auth_token:
        token = settings.twilio_auth_token.get_secret_value()
        media = TwilioMedia(settings.twilio_account, token)
        routers.append(
            twilio_router(desk, token, settings.public_url, media, help_text=settings.inbound_help)
        )
    if settings.slack_signing_secret:
        signing = settings.slack_signing_secret.get_secret_value()
        routers.append(slack_router(desk, signing))
        slack = settings.slack_calls()
        if slack is not None:
            routers.append(
                slack_cases_router(slack_case_door(pool, bell, settings, slack, signing))
            )
    return routers


def slack_case_door(
    pool: Pool, bell: Bell, settings: ApiSettings, slack: SlackCalls, signing_secret: str
) -> SlackCaseDoor:
    """What staff do in Slack, on our own database."""
    return SlackCaseDoor(
        desk=CaseDesk(pool, bell.ring),
        members=MemberStore(pool),
        requests=SlackRequestStore(pool),
        slack=slack,
        signing_secret=signing_secret,
        public_url=settings.public_url,
    )


def inbound_sns(settings: ApiSettings) -> SnsNotifications | None:
    """Tells whether a mail comes from our SES; None where its door is shut."""
    topic = settings.inbound_ses_topic
    if topic is None:
        return None
    return SnsNotifications(SnsMessages([topic], setting="CLEW_INBOUND_SES_TOPIC"), wall_clock)


async def serve(settings: ApiSettings, life: Life) -> None:
    """Answer until told to stop; then finish what was asked."""
    async with AsyncExitStack() as parts:
        pool = await parts.enter_async_context(database(settings, "api"))
        bell = await parts.enter_async_context(Bell(settings.database_url))
        ear = await parts.enter_async_context(InboxEar(settings.database_url))
        figures = await parts.enter_async_context(FiguresEar(settings.database_url))
        app = api_app(pool, bell, ear, settings, life.stop, figures)
        await serve_http(
            HttpSpans(app) if tracing() else app,
            settings.api_host,
            settings.api_port,
            life,
            settings,
        )
