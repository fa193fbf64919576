"""A hotel with one guest of whom it knows everything that a page can show, and all pages on a real database."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx2 as httpx
from fastapi import APIRouter, FastAPI
from starlette.routing import Route

from api.app import create_app
from api.status_events import LiveStatus
from channels.customer_links import CustomerLinks
from channels.survey_link import SurveyInvitation, SurveyLinks
from channels.unsubscribe_link import UnsubscribeLinks, Unsubscription
from contracts.ids import workflow_id
from journey.publication import read_definition
from journey.survey import Survey
from stores.answers import Answer, AnswerStore
from stores.consents import ConsentStore
from stores.customers import CustomerStore
from stores.database import Pool, jsonb
from stores.definitions import DefinitionStore
from stores.messages import MessageStore
from stores.published import HOUSE, PublishedStore
from stores.touchpoints import store_touchpoint
from workers.customer_pages import customer_pages
from workers.page_settings import PageSettings

ADDRESS = "https://stay.example"
SECRET = b"a secret of at least 32 characters"
NOW = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
ZONE = "Europe/Prague"

STAY = """
language: 1
journey: stay
title: Look after a guest from booking to departure
owner: service
enter: {on: Room Booked, key: event.properties.number, again: always}
stages:
  - stage: booked
    title: Your room is booked
    steps:
      - promise: {as: confirmation, text: A confirmation with everything in it, by: 2h, kept_by: {on: Confirmed}}
      - promise: {as: cot, text: A cot beside your bed, by: 7d, kept_by: {on: Cot Ready}}
      - promise: {as: invoice, text: The invoice by e-mail, by: 1d, kept_by: {on: Invoiced}}
      - wait: {until: 2d}
      - go: preparing
  - stage: preparing
    title: We prepare your room
    steps:
      - wait: {until: 7d}
      - finish: stayed
"""

SURVEY = Survey(
    survey="stay",
    type="nps",
    owner="service",
    question="How likely are you to recommend the Hotel Meridian to a friend?",
    low="not at all likely",
    high="extremely likely",
    comment="What is the main reason for your answer?",
)

POLICY: dict[str, Any] = {
    "topics": [
        {"name": "offers", "titles": {"en": "Offers", "de": "Angebote", "fr": "Offres"}},
        {
            "name": "events",
            "titles": {
                "en": "Concerts and events",
                "de": "Konzerte und Feste",
                "fr": "Concerts et fêtes",
            },
        },
    ]
}

SETTINGS = PageSettings(
    business_name="Hotel Meridian",
    page_zone=ZONE,
    page_channels=["email", "sms", "whatsapp"],
    person_answer="4 business hours",
)


@dataclass
class GuestHouse:
    """The hotel. `anna` is known through and through, `ben` by a user id only."""

    pool: Pool
    address: str
    url: str = ""
    anna: str = ""
    ben: str = ""
    stay: int = 0
    rung: int = 0
    now: datetime = NOW
    asked: list[str] = field(default_factory=list[str])
    """What was asked of the pages, where somebody listens."""

    def ring(self) -> None:
        self.rung += 1

    def clock(self) -> datetime:
        return self.now

    @property
    def links(self) -> CustomerLinks:
        return CustomerLinks(self.address, SECRET, self.clock)

    def unsubscribe(self, customer: str, channel: str = "email") -> str:
        wanted = Unsubscription(customer=customer, purpose="marketing", channel=channel)
        return UnsubscribeLinks(self.address, SECRET).url(wanted)

    def way_out(self, customer: str) -> str:
        """The link at the end of a mail."""
        wanted = Unsubscription(customer=customer, purpose="marketing", channel="email")
        return UnsubscribeLinks(self.address, SECRET).choosing_url(wanted)

    def survey(self, customer: str, ask: str) -> str:
        asked = SurveyInvitation(ask=ask, survey="stay", customer=customer, entry=self.stay)
        return SurveyLinks(self.address, SECRET).url(asked)

    def app(self, live: LiveStatus | None = None) -> FastAPI:
        """Every page as one application."""
        return create_app(*self.pages(live))

    def pages(self, live: LiveStatus | None = None) -> list[APIRouter]:
        return customer_pages(
            self.pool,
            self.ring,
            SETTINGS,
            public_url=self.address,
            secret=SECRET,
            wall_clock=self.clock,
            live=live,
        )

    def routes(self, live: LiveStatus) -> list[Route]:
        """Where links lead: where they are opened, and their pages."""
        found = [route for page in self.pages(live) for route in page.routes]
        return [
            route for route in found if isinstance(route, Route) and "/pages/" not in route.path
        ]

    async def rows(self, query: Any, *values: Any) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            return await (await connection.execute(query, values)).fetchall()

    async def run(self, query: Any, *values: Any) -> None:
        given = values[0] if len(values) == 1 and isinstance(values[0], dict) else values
        async with self.pool.connection() as connection:
            await connection.execute(query, given)

    # -- who lives here

    async def open(self) -> None:
        """Let the guests in."""
        await PublishedStore(self.pool).publish(
            "survey", "stay", SURVEY.model_dump(mode="json", exclude_defaults=True)
        )
        await PublishedStore(self.pool).publish("policy", HOUSE, POLICY)
        await MessageStore(self.pool).publish(
            "room-booked", "---\nsubject: Your room is yours\n---\nWelcome"
        )
        self.ben = await self.known("ben")
        self.anna = await self.known("anna", email="anna@example.com")
        await self.told_of_anna()
        self.stay = await self.stays(self.anna, "MER-2231")

    async def known(self, user_id: str, **names: str) -> str:
        async with self.pool.connection() as connection:
            given = [("user_id", user_id), *names.items()]
            return await CustomerStore(self.pool).resolve(connection, given)

    async def told_of_anna(self) -> None:
        traits: dict[str, Any] = {
            "first_name": "Anna",
            "last_name": "Nováková",
            "birthday": "1988-04-02",
            "city": "Brno",
            "vip": True,
            "zone": ZONE,
        }
        async with self.pool.connection() as connection:
            await CustomerStore(self.pool).merge_traits(connection, self.anna, traits)
            await store_touchpoint(
                connection,
                customer=self.anna,
                subject=None,
                message_id="identify-anna",
                event="$identify",
                occurred_at=NOW,
                properties=traits,
                context={"library": {"name": "analytics.js"}},
            )
        consents = ConsentStore(self.pool)
        await consents.give(self.anna, "marketing", "email", source="api", proof="checkout")
        await AnswerStore(self.pool).keep(
            Answer(
                ask="asked-before",
                survey="stay",
                customer=self.anna,
                entry=1,
                group="promoter",
                score=9,
                words="The people at the desk knew my name.",
            )
        )

    async def stays(self, customer: str, number: str) -> int:
        """A run of a guest, as its records tell it; its entry."""
        version = await DefinitionStore(self.pool).publish(read_definition(STAY, "stay.yaml"))
        run = workflow_id("stay", customer, number)
        began = self.now - timedelta(days=2)
        rows = await self.rows(
            "insert into runs (workflow_id, first_run_id, journey, version, customer, key, engine,"
            " state, entered_at, began_at, stage) values (%s, %s, 'stay', %s, %s, %s, 1, 'open', %s,"
            " %s, 'preparing') returning entry",
            *(run, run, version, customer, number, began, began),
        )
        entry: int = rows[0]["entry"]
        await self.traced(entry, 1, began, "", "entered", "entered by Room Booked")
        await self.traced(entry, 2, began, "booked", "stage", "came to booked")
        later = self.now - timedelta(hours=20)
        await self.traced(entry, 3, later, "preparing", "stage", "came to preparing")
        await self.promised(entry, 4, "confirmation", "kept", began + timedelta(hours=2), began)
        await self.promised(entry, 5, "cot", "open", self.now + timedelta(days=2), began)
        await self.promised(entry, 6, "invoice", "late", self.now - timedelta(days=1), began)
        await self.sent(entry, 7, customer, "room-booked", began + timedelta(minutes=3))
        await self.handed_over(entry, 8, customer)
        return entry

    async def traced(
        self, entry: int, sequence: int, at: datetime, address: str, kind: str, why: str
    ) -> None:
        await self.run(
            "insert into trace (entry, sequence, at, address, kind, why) values (%s, %s, %s, %s, %s, %s)",
            *(entry, sequence, at, address, kind, why),
        )

    async def promised(
        self, entry: int, n: int, name: str, state: str, by: datetime, at: datetime
    ) -> None:
        await self.run(
            "insert into promises (entry, n, name, by, state, at, sequence)"
            " values (%s, %s, %s, %s, %s, %s, 1)",
            *(entry, n, name, by, state, at),
        )

    async def sent(self, entry: int, n: int, customer: str, message: str, at: datetime) -> None:
        revisions = await self.rows("select revision from messages where name = %s", message)
        await self.run(
            "insert into deliveries (key, entry, n, journey, customer, message, revision, purpose,"
            " channel, address, state, run_time, settled_at) values (%s, %s, %s, 'stay', %s, %s, %s,"
            " 'service', 'email', 'anna@example.com', 'accepted', %s, %s)",
            *(f"stay:{entry}:{n}", entry, n, customer, message),
            *(revisions[0]["revision"] if revisions else None, at, at),
        )

    async def handed_over(self, entry: int, n: int, customer: str) -> None:
        await self.run(
            """
            insert into cases ("case", entry, n, workflow_id, journey, customer, queue, brief,
                               decisions, state, first_answer_by, opened_at)
            select 'case/' || workflow_id || ':' || entry || ':' || %(n)s, entry, %(n)s, workflow_id,
                   'stay', %(customer)s, 'desk', 'A cot is wanted', %(decisions)s, 'open', %(by)s, %(at)s
              from runs where entry = %(entry)s
            """,
            {
                "n": n,
                "customer": customer,
                "entry": entry,
                "decisions": jsonb({}),
                "by": self.now + timedelta(hours=3),
                "at": self.now - timedelta(hours=1),
            },
        )


def words(page: httpx.Response) -> str:
    """A page as its reader has it."""
    return unescape(page.text)


async def dump(house: GuestHouse) -> dict[str, list[str]]:
    """Everything that the database holds, sequences too."""
    found = await house.rows(
        "select c.oid::regclass::text as name, c.relkind::text as kind from pg_class c"
        " join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = 'public' and c.relkind in ('r', 'S') order by 1"
    )
    held: dict[str, list[str]] = {}
    for each in found:
        columns = "t.*" if each["kind"] == "r" else "t.last_value, t.is_called"
        rows = await house.rows(f"select row({columns})::text as line from {each['name']} t")
        held[each["name"]] = sorted(row["line"] for row in rows)
    return held
