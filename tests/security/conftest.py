"""The API as it is wired for production, on a real database, with every door open."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString, cast

import httpx2 as httpx
import pytest_asyncio
from fastapi import FastAPI
from pydantic import SecretStr

from channels.customer_links import PATHS, CustomerLinks, PageKind
from channels.inbox_token import InboxTokens
from channels.opened_link import OpenedLinks, page_name
from channels.signed_link import SignedLinks
from channels.survey_link import SurveyInvitation, SurveyLinks
from channels.unsubscribe_link import UnsubscribeLinks, Unsubscription
from journey.staff_roles import ROLES
from stores.customers import CustomerStore
from stores.database import Pool, open_pool
from stores.members import Member, MemberStore
from stores.staff_sign_ins import SignInStore
from stores.staff_tokens import StaffTokenStore
from stores.wakeup import Bell
from stores.write_keys import WriteKeyStore
from workers.api import api_app
from workers.embedded.postgres_server import PostgresServer
from workers.settings import ApiSettings

ADDRESS = "https://clew.test"
SECRET = "a secret of at least 32 characters"
STAFF = "the-token-of-the-installation"
LONG_AGO = timedelta(days=4_000)


class NoBell:
    """Rings for nobody."""

    def ring(self) -> None:
        pass


@dataclass
class Doors:
    """An installation with every door open, two customers, and somebody of every kind."""

    pool: Pool
    app: FastAPI
    client: httpx.AsyncClient
    people: dict[str, str] = field(default_factory=dict[str, str])
    tokens: dict[str, str] = field(default_factory=dict[str, str])
    """Staff tokens and write keys, by who holds them."""

    def link(self, kind: str, customer: str, *, expired: bool = False) -> str:
        """The token of a link."""
        if kind == "inbox":
            now = datetime.now(UTC) - (LONG_AGO if expired else timedelta(0))
            return InboxTokens(ADDRESS, SECRET.encode()).make(customer, now).token
        if kind == "unsubscribe":
            wanted = Unsubscription(customer=customer, purpose="marketing", channel="email")
            return UnsubscribeLinks(ADDRESS, SECRET.encode()).token(wanted)
        if kind == "survey":
            asked = SurveyInvitation(ask=f"a-{customer}", survey="none", customer=customer, entry=1)
            return SurveyLinks(ADDRESS, SECRET.encode()).url(asked).partition("#")[2]
        at = datetime.now(UTC) - (LONG_AGO if expired else timedelta(0))
        links = CustomerLinks(ADDRESS, SECRET.encode(), lambda: at)
        entry = 1 if kind in ("person", "status") else None
        return links.token(cast("PageKind", kind), customer, entry)

    def opened(self, kind: str, token: str, *, ended: bool = False) -> tuple[str, str]:
        """What the page of a link is called, and the cookie that its link left. `ended`: long ago."""
        at = datetime.now(UTC) - (LONG_AGO if ended else timedelta(0))
        kept = OpenedLinks(ADDRESS, SECRET.encode(), lambda: at)
        path = "s" if kind == "survey" else PATHS[cast("PageKind", kind)]
        name = "survey" if kind == "survey" else f"page {kind}"
        signed = SignedLinks(ADDRESS, SECRET.encode(), kind=name, path=path)
        cookie = kept.kept(kept.open(path, token, signed.read(token)))
        return page_name(token), f"__Host-clew-page-{path}-{page_name(token)}={cookie}"

    async def held(self) -> dict[str, Any]:
        """What the whole database holds, as one number for each table."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "select relname from pg_class c join pg_namespace n on n.oid = relnamespace"
                " where nspname = 'public' and relkind in ('r', 'p') and not relispartition"
            )
            names = [row["relname"] for row in await cursor.fetchall()]
            each = " union all ".join(
                f"select '{name}' as name, count(*) as n, coalesce(sum(hashtextextended(t::text, 0)), 0)"
                f' as digest from "{name}" t'
                for name in sorted(names)
            )
            found = await (await connection.execute(cast("LiteralString", each))).fetchall()
        return {row["name"]: (row["n"], row["digest"]) for row in found}


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database, name="test", most=8)
    yield opened
    await opened.close()


def every_door(**other: Any) -> ApiSettings:
    """Settings with which no door is shut."""
    told: dict[str, Any] = {
        "database_url": "postgresql:///unused",
        "public_url": ADDRESS,
        "secret": SecretStr(SECRET),
        "staff_token": SecretStr(STAFF),
        "twilio_account": "AC" + "0" * 32,
        "twilio_auth_token": SecretStr("twilio-token-of-the-tests"),
        "slack_signing_secret": SecretStr("slack-secret-of-the-tests"),
        "slack_token": SecretStr("slack-token-of-the-tests"),
        "inbound_secret": SecretStr("inbound-secret-of-the-tests"),
        "inbound_ses_topic": "arn:aws:sns:eu-west-1:123456789012:in",
        "ses_topic": "arn:aws:sns:eu-west-1:123456789012:out",
        "postmark_feedback_secret": SecretStr("postmark-secret-of-the-tests"),
        "feedback_secret": SecretStr("whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"),
        "requests_at_once": 64,
    }
    return ApiSettings(**told | other)


@pytest_asyncio.fixture(scope="session")
async def doors(postgres: PostgresServer, migrated_template: str) -> AsyncIterator[Doors]:
    """One for all tests of who may what: those that change something have names of their own."""
    url = await postgres.create_database("doors", template=migrated_template)
    pool = await open_pool(url, most=8)
    ear: Any = None
    app = api_app(pool, cast("Bell", NoBell()), ear, every_door(), asyncio.Event())
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        found = Doors(pool, app, client)
        await _people(found)
        yield found
    await pool.close()


async def _people(doors: Doors) -> None:
    customers, tokens = CustomerStore(doors.pool), StaffTokenStore(doors.pool)
    for name in ("anna", "ben", "carl"):
        doors.people[name] = await customers.known(name)
        async with doors.pool.connection() as connection:
            traits = {"email": f"{name}@shop.example", "first_name": name.title()}
            await customers.merge_traits(connection, doors.people[name], traits)
    for role in ROLES:
        doors.tokens[role] = await tokens.create(role, role, by="test")
    doors.tokens["revoked"] = await tokens.create("gone", "operator", by="test")
    await tokens.revoke("gone", by="test")
    doors.tokens["expired"] = await tokens.create(
        "over", "operator", lasts=timedelta(seconds=-1), by="test"
    )
    await _members(doors)
    doors.tokens["installation"] = STAFF
    keys = WriteKeyStore(doors.pool)
    doors.tokens["write key"] = await keys.create("shop")
    doors.tokens["ingest key"] = await keys.create("feed", scopes=["ingest"])
    doors.tokens["devices key"] = await keys.create("app", scopes=["devices"])
    # That they are used is on record, and within the hour not again.
    await keys.name_of(doors.tokens["write key"])
    await keys.name_of(doors.tokens["ingest key"])
    await keys.name_of(doors.tokens["devices key"], "devices")
    doors.tokens["revoked key"] = await keys.create("old shop")
    await keys.revoke("old shop")
    doors.tokens["expired key"] = await keys.create("past shop", lasts=timedelta(seconds=-1))


async def _members(doors: Doors) -> None:
    """Members of staff who are signed in at the inbox."""
    members, sign_ins = MemberStore(doors.pool), SignInStore(doors.pool, lambda: datetime.now(UTC))
    for name in ("root", "gone"):
        await members.put(Member(member=name, name=name.title(), role="admin"), by="test")
    await members.put(Member(member="agatha", name="Agatha", role="agent"), by="test")
    doors.tokens["session"] = await sign_ins.begin("root", "test")
    doors.tokens["session that ends"] = await sign_ins.begin("root", "test")
    doors.tokens["session of an agent"] = await sign_ins.begin("agatha", "test")
    doors.tokens["session of who left"] = await sign_ins.begin("gone", "test")
    await members.leave("gone", by="test")
