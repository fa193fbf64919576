"""A house with queues, staff and customers, and its inbox as it is wired for production."""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any, Literal

import httpx2 as httpx
from fastapi import FastAPI
from pydantic import SecretStr

from api.app import create_app
from contracts.journey_run import RunReference
from journey.business_time import DAYS
from journey.effects import OfferedDecision, OpenCase
from journey.house_files import read_house_file
from journey.staff_roles import MemberRole
from stores.case_desk import CaseDesk
from stores.customers import CustomerStore
from stores.database import Pool
from stores.inbox_keepsakes import KeepsakeStore
from stores.inbox_list import InboxListStore
from stores.member_passwords import MemberPasswordStore
from stores.members import Member, MemberStore
from stores.published import HOUSE, PublishedStore
from stores.staff_sign_ins import SignInStore
from workers.inbox import staff_inbox
from workers.inbox_settings import InboxSettings

ALWAYS = f"{{week: {{{', '.join(f'{day}: 00:00-24:00' for day in DAYS)}}}}}"
QUEUES = f"""
queues:
  - queue: sales
    title: Sales
    hours: {ALWAYS}
  - queue: refunds
    title: Refunds
    hours: {ALWAYS}
  - queue: leads
    title: Team leads
    hours: {ALWAYS}
grants: {{agent: 50, lead: 500}}
"""
DECISIONS = {
    "explained": OfferedDecision(title="Explained it"),
    "refund": OfferedDecision(
        title="Refund", fields={"amount": "number", "reason": "text"}, authority="amount"
    ),
    "moved": OfferedDecision(
        title="Moved the day", fields={"days": "integer", "agreed": "boolean"}
    ),
}
PASSWORD = "correct horse battery"
HOSTILE = (
    '<script>document.title="owned"</script><img src=x onerror="document.title=1"> & {{ 7*7 }}'
)


class Told(InboxSettings):
    """What the inbox is told."""

    public_url: str = "http://clew.test"
    secret: SecretStr = SecretStr("a secret of at least 32 characters")
    second_factor: Literal["everybody", "leads", "choice"] = "choice"


class StaffHouse:
    """The stores and the inbox on one database."""

    def __init__(self, pool: Pool, address: str = "http://clew.test", **told: Any) -> None:
        self.pool = pool
        self.told = Told(public_url=address, **told)
        self.now: datetime | None = None
        self.rung: list[str] = []
        self.desk = CaseDesk(pool, lambda: self.rung.append("case"))
        self.members, self.customers = MemberStore(pool), CustomerStore(pool)
        self.sign_ins = SignInStore(pool, self.clock)
        self.passwords, self.lists = MemberPasswordStore(pool), InboxListStore(pool)
        self.kept = KeepsakeStore(pool)
        self.stopping = asyncio.Event()
        self.opened_cases = 0

    def clock(self) -> datetime:
        """Wall time, or what a test says it is."""
        return self.now or datetime.now(UTC)

    def app(self) -> FastAPI:
        """The API with nothing but the inbox."""
        router = staff_inbox(
            self.pool, lambda: None, self.told, stopping=self.stopping, now=self.clock, every_seconds=0.1
        )  # fmt: skip
        return create_app(router)

    async def furnish(self) -> None:
        """Queues, two agents and a lead of sales, somebody of refunds, an analyst, an admin."""
        read = read_house_file("queues", QUEUES, "queues.yaml")
        await PublishedStore(self.pool).publish("queues", HOUSE, read.model_dump(mode="json"))
        await self.hire("eva", "Eva Novak", "agent", ["sales"])
        await self.hire("ben", "Ben Horak", "agent", ["sales"])
        await self.hire("lena", "Lena Kral", "lead", ["sales"])
        await self.hire("rita", "Rita Fox", "agent", ["refunds"])
        await self.hire("ana", "Ana Lyst", "analyst", ["sales"])
        await self.hire("root", "Root Admin", "admin", [])

    async def hire(
        self, member: str, name: str, role: MemberRole, queues: Sequence[str], **more: Any
    ) -> None:
        """Add a member."""
        told: dict[str, Any] = {"email": f"{member}@house.example", **more}
        added = Member(member=member, name=name, role=role, queues=tuple(queues), **told)
        await self.members.put(added, by="test")

    async def known(self, user_id: str = "anna", **traits: Any) -> str:
        """A customer."""
        async with self.pool.connection() as connection:
            customer = await self.customers.resolve(connection, [("user_id", user_id)])
            await self.customers.merge_traits(connection, customer, traits)
        return customer

    async def opened(
        self,
        brief: str = "The parcel came broken",
        *,
        queue: str = "sales",
        customer: str | None = None,
        due_in: timedelta | None = timedelta(hours=2),
    ) -> str:
        """A case of a journey; its short name."""
        self.opened_cases += 1
        n = self.opened_cases
        customer = customer or await self.known(first_name="Anna", last_name="Malá")
        now = datetime.now(UTC)
        run = RunReference(
            workflow_id="journey/cart/anna", entry=1, journey="cart", version="v", customer=customer, now=now,
        )  # fmt: skip
        by = now + due_in if due_in is not None else None
        order = OpenCase(n=n, queue=queue, brief="", decisions=DECISIONS, resolve_by=by)
        await self.desk.open(f"case/journey/cart/anna:1:{n}", run, order, brief)
        return f"1:{n}"

    async def signed_in(self, client: httpx.AsyncClient, member: str) -> None:
        """As if they had signed in with this client."""
        client.cookies.set("clew-staff", await self.sign_ins.begin(member, "test"))

    async def rows(self, query: Any, *values: Any) -> list[dict[str, Any]]:
        """What the database holds."""
        async with self.pool.connection() as connection:
            return await (await connection.execute(query, values)).fetchall()


class Browser:
    """A browser without scripts: it keeps cookies, follows where it is led, and sends a page's own forms."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.csrf = ""

    async def goes(self, path: str) -> httpx.Response:
        return self._shown(await self.client.get(path, follow_redirects=True))

    async def sends(self, path: str, **fields: str) -> httpx.Response:
        told = {
            "csrf": self.csrf,
            **{name.replace("__", "."): each for name, each in fields.items()},
        }
        return self._shown(await self.client.post(path, data=told, follow_redirects=True))

    def _shown(self, answer: httpx.Response) -> httpx.Response:
        """A page, whose forms carry something of it."""
        found = re.search(r'name="csrf" value="(\w+)"', answer.text)
        self.csrf = found[1] if found else self.csrf
        return answer


def said(answer: httpx.Response) -> str:
    """What stands on a page, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())
