"""The inbox of staff, on our own database."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from fastapi import APIRouter
from pydantic import SecretStr

from channels.liquid_text import LiquidText
from channels.openid_provider import OpenIdProvider
from console.inbox import Inbox, inbox_router
from console.inbox_acts import Acts
from console.inbox_case import CasePage
from console.inbox_door import AT, InboxDoor
from console.inbox_figures import FiguresPage
from console.inbox_list import ListPage
from console.inbox_live import LiveInbox, LivePage
from console.inbox_login import Login
from console.inbox_new import NewCasePage
from console.inbox_problems import ProblemsPage
from console.inbox_replies import RepliesPage
from console.inbox_second_factor import SecondFactorPage
from console.inbox_sessions import SessionsPage
from contracts.sealing import MasterKeys
from stores.case_brief import CaseBriefStore
from stores.case_events import CaseEventStore
from stores.case_messages import CaseWriter
from stores.case_writers import CaseWriterStore
from stores.conversations import ConversationStore
from stores.customers import CustomerStore
from stores.database import Pool
from stores.house import HouseStore
from stores.inbound import InboundStore
from stores.inbox_keepsakes import KeepsakeStore
from stores.inbox_list import InboxListStore
from stores.member_passwords import MemberPasswordStore
from stores.members import Member, MemberStore
from stores.messages import MessageStore
from stores.problem_answers import ProblemAnswers
from stores.problems import ProblemStore
from stores.second_factors import SecondFactorStore
from stores.staff_figures import StaffFiguresStore
from stores.staff_opened_cases import StaffOpenedCaseStore
from stores.staff_sign_ins import SignInStore


class InboxTold(Protocol):
    """What it is told of."""

    @property
    def public_url(self) -> str: ...
    @property
    def oidc_issuer(self) -> str | None: ...
    @property
    def oidc_client_id(self) -> str | None: ...
    @property
    def oidc_client_secret(self) -> SecretStr | None: ...
    @property
    def oidc_name(self) -> str: ...
    @property
    def codec_url(self) -> str | None: ...
    @property
    def oidc_amr(self) -> list[str]: ...
    def master_keys(self) -> MasterKeys: ...
    def second_factor_demanded(self, member: Member) -> bool: ...


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def staff_inbox(
    pool: Pool,
    ring: Callable[[], None],
    settings: InboxTold,
    *,
    stopping: asyncio.Event,
    now: Callable[[], datetime] = _wall_clock,
    every_seconds: float = 1.0,
) -> APIRouter:
    """All its pages. `stopping` ends what they listen to; `now` is wall time."""
    sign_ins, house, members = SignInStore(pool, now), HouseStore(pool), MemberStore(pool)
    door = InboxDoor(
        sign_ins, settings.public_url.startswith("https://"), settings.codec_url is not None
    )
    desk, kept, writers = CaseWriter(pool, ring), KeepsakeStore(pool), CaseWriterStore(pool, now)
    lists, liquid, events = InboxListStore(pool), LiquidText(), CaseEventStore(pool)
    customers, passwords = CustomerStore(pool), MemberPasswordStore(pool)
    factors = SecondFactorStore(pool, settings.master_keys(), now)
    login = Login(
        door=door, sessions=sign_ins, passwords=passwords, factors=factors, members=members,
        demanded=settings.second_factor_demanded, provider=_provider(settings, now),
        provider_name=settings.oidc_name,
    )  # fmt: skip
    inbound = InboundStore(pool, customers)
    case = CasePage(
        door=door, cases=desk, briefs=CaseBriefStore(pool, house, liquid.words_of, now), events=events,
        conversations=ConversationStore(pool), letters=desk, received=inbound, published=MessageStore(pool),
        clocks=lists, replies=kept, words=liquid,
        writers=writers, house=house, members=members, now=now,
    )  # fmt: skip
    live = LiveInbox(
        events=events, changes=lists, writers=writers, stopping=stopping, every_seconds=every_seconds
    )  # fmt: skip
    return inbox_router(
        Inbox(
            door=door,
            login=login,
            second_factor=SecondFactorPage(door=door, login=login, half=sign_ins, factors=factors),
            sessions=SessionsPage(
                door=door, login=login, sessions=sign_ins, passwords=passwords, factors=factors,
                histories=settings.codec_url,
            ),
            lists=ListPage(
                door=door, lists=lists, views=kept, customers=customers, house=house,
                members=members, now=now,
            ),
            case=case,
            acts=Acts(page=case, desk=desk, writers=writers),
            live=LivePage(live=live, page=case),
            replies=RepliesPage(door=door, replies=kept, words=liquid, house=house),
            new=NewCasePage(door=door, opened=StaffOpenedCaseStore(pool, now), house=house),
            problems=ProblemsPage(
                door=door, problems=ProblemStore(pool, ring, now), answers=ProblemAnswers(pool, desk),
                now=now,
            ),
            figures=FiguresPage(
                door=door, figures=StaffFiguresStore(pool, house), house=house, members=members, now=now
            ),
        )
    )  # fmt: skip


def _provider(settings: InboxTold, now: Callable[[], datetime]) -> OpenIdProvider | None:
    secret = settings.oidc_client_secret
    if settings.oidc_issuer is None or settings.oidc_client_id is None or secret is None:
        return None
    return OpenIdProvider(
        settings.oidc_issuer,
        settings.oidc_client_id,
        secret.get_secret_value(),
        f"{settings.public_url.rstrip('/')}{AT}/openid/answer",
        now=now,
        factors=settings.oidc_amr,
    )
