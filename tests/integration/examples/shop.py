"""A shop on the real product: its customers, what they do and get, and its staff at their desks."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2 as httpx

from activities.message_channel import RenderedMessage
from insight.invariants import Broken
from journey.effects import TraceEntry
from journey.program import Program
from routing.journey_programs import JourneyPrograms
from stores.case_desk import CaseDesk
from stores.coupons import Coupon, CouponStore
from stores.customer_traits import CustomerTraitStore
from stores.customers import CustomerStore
from stores.definitions import DefinitionStore
from stores.runs import RunStore, RunStory
from tests.integration.api.link_browser import opened
from tests.integration.conftest import Stack
from tests.integration.examples.what_holds import broken_of

LINK = re.compile(r"https://example\.com/s#\S+")


@dataclass
class Shop:
    """Everything that a test's customers and staff touch."""

    stack: Stack
    web: httpx.AsyncClient
    customers: list["Customer"] = field(default_factory=list["Customer"])
    acknowledged: list[str] = field(default_factory=list[str])
    """Message ids of all that was told."""

    async def customer(
        self, name: str, *, chosen: Callable[[str], bool] = lambda _: True, **traits: Any
    ) -> "Customer":
        """A new customer. `chosen` by our id, such as one whom the lot has not held out."""
        number, ours = 0, await self.stack.know(name)
        while not chosen(ours):
            number += 1
            ours = await self.stack.know(f"{name}-{number}")
        known = f"{name}-{number}" if number else name
        address = f"{known}@example.com"
        await self.stack.know(known, email=address, zone="Europe/Prague", **traits)
        self.customers.append(Customer(self, known, ours))
        return self.customers[-1]

    async def program(self, journey: str) -> Program:
        """The journey as customers enter it now."""
        live = await JourneyPrograms(DefinitionStore(self.stack.pool)).live()
        return next(program for program in live if program.journey == journey)

    async def happens(self, event: str, parcel: str, /, **properties: Any) -> None:
        """Something happens to a parcel, and whoever reports it knows no customer."""
        told = await self.stack.tell(event, subject=("parcel", parcel), **properties)
        self.acknowledged.append(told)

    async def decide(
        self, case: dict[str, Any], decision: str, *, by: str = "lea", **fields: Any
    ) -> None:
        """A member of staff decides, at the API."""
        response = await self.asked_to_decide(case, decision, by=by, **fields)
        assert response.status_code == 200, response.text

    async def asked_to_decide(
        self, case: dict[str, Any], decision: str, *, by: str = "lea", **fields: Any
    ) -> httpx.Response:
        """What the API says to a decision."""
        order = {"decision": decision, "by": by, "fields": fields}
        return await self.web.post(f"/v1/cases/{case['name']}/decide", json=order)

    async def adds_up(self) -> None:
        """What must hold of all the customers of a test, whatever they lived through."""
        stack, ours = self.stack, [customer.id for customer in self.customers]
        for customer in self.customers:
            for run in await RunStore(stack.pool).runs(customer=customer.id):
                if run.state != "not_admitted":
                    failed = await stack.failed_tasks(run.workflow_id)
                    assert not failed, f"{run.workflow_id}: {failed}"
        broken = list[Broken]()

        async def all_holds() -> bool:
            broken[:] = [await broken_of(stack, ours, self.acknowledged)]
            return broken[0].nothing

        # What a run sets comes back to it a moment later: it is looked at until nothing is under way.
        with suppress(TimeoutError):
            await stack.until(all_holds)
        assert broken[0].nothing, broken[0]


@dataclass
class Customer:
    """One customer. `id` is ours, `name` the one that they have with the shop."""

    shop: Shop
    name: str
    id: str

    async def does(
        self, event: str, /, *, happened: datetime | None = None, **properties: Any
    ) -> None:
        told = await self.shop.stack.tell(
            event, customer=self.name, happened=happened, **properties
        )
        self.shop.acknowledged.append(told)

    async def becomes(self, **traits: Any) -> None:
        """Something about them changes, as another system of the shop tells it."""
        stack = self.shop.stack
        store = CustomerTraitStore(stack.pool, CustomerStore(stack.pool), stack.heard.set)
        await store.change(self.id, traits, message_id=uuid4().hex, at=datetime.now(UTC))

    async def traits(self) -> dict[str, Any]:
        found = await CustomerStore(self.shop.stack.pool).customer(self.id)
        assert found is not None
        return {**found.traits}

    async def has_trait(self, name: str, value: object) -> None:
        """Until a trait of theirs is this."""

        async def it_is() -> bool:
            return (await self.traits()).get(name) == value

        await self.shop.stack.until(it_is)

    # -- what they got

    @property
    def mails(self) -> list[RenderedMessage]:
        return [mail for mail in self.shop.stack.mails if mail.customer == self.id]

    @property
    def told(self) -> list[str]:
        """Subjects of the mails that they got, in order."""
        return [mail.subject for mail in self.mails]

    async def hears(self, subject: str, *, times: int = 1) -> RenderedMessage:
        """The mail with this subject, once it is there; or the one that comes so manieth."""
        try:
            await self.shop.stack.until(lambda: self.told.count(subject) >= times)
        except TimeoutError:
            raise AssertionError(f"{self.name} had {self.told}, and not {subject!r}") from None
        return [mail for mail in self.mails if mail.subject == subject][times - 1]

    async def answers(self, mail: RenderedMessage, **said: Any) -> None:
        """Follow the link of a mail, and send the form of the page behind it."""
        link = LINK.search(mail.text)
        assert link is not None, mail.text
        web = self.shop.web
        at = await opened(web, link[0])
        page = await web.get(at)
        assert page.status_code == 200
        assert "<form" in page.text
        sent = await web.post(at, data={name: str(value) for name, value in said.items()})
        assert (sent.status_code, "Thank you" in sent.text) == (200, True), sent.text
        assert "<form" not in (await web.get(at)).text, "an answer counts once"

    async def deliveries(self) -> dict[str, tuple[str, str]]:
        """By message, what became of it and why: all that was meant to reach them."""
        rows = await self._rows(
            "select message, state, reason from deliveries where customer = %s order by entry, n"
        )
        return {row["message"]: (row["state"], row["reason"]) for row in rows}

    async def delivery_is(self, message: str, state: str, reason: str = "") -> None:
        """Until this is what became of a message to them."""

        async def it_is() -> bool:
            return (await self.deliveries()).get(message) == (state, reason)

        await self.shop.stack.until(it_is)

    async def coupons(self) -> list[str]:
        """The codes that they were ever given."""
        rows = await self._rows(
            "select code from coupons where customer = %s and code is not null order by granted_at"
        )
        return [row["code"] for row in rows]

    async def coupon_becomes(self, code: str, state: str) -> Coupon:
        """Their coupon, once it is in this state."""
        found = list[Coupon | None]()

        async def it_is() -> bool:
            found[:] = [await CouponStore(self.shop.stack.pool).look_up(code)]
            return found[0] is not None and found[0].state == state

        try:
            await self.shop.stack.until(it_is)
        except TimeoutError:
            raise AssertionError(f"{code} never was {state}: {found}") from None
        assert found[0] is not None
        assert found[0].customer == self.id
        return found[0]

    # -- what staff have of them

    async def cases(self) -> list[dict[str, Any]]:
        """Every case of theirs, in the order in which they were opened, as the API tells it."""
        listed = (await self.shop.web.get("/v1/cases", params={"state": "all"})).json()["cases"]
        own = [case for case in listed if case["customer"] == self.id]
        return sorted(own, key=lambda case: case["opened_wall"])

    async def case(self, queue: str, *, state: str = "open", saying: str = "") -> dict[str, Any]:
        """Their case in a queue, once it is there in this state with these words in its brief."""
        found = list[dict[str, Any]]()

        async def there() -> bool:
            found[:] = [
                case
                for case in await self.cases()
                if (case["queue"], case["state"]) == (queue, state) and saying in case["brief"]
            ]
            return bool(found)

        try:
            await self.shop.stack.until(there)
        except TimeoutError:
            raise AssertionError(f"no {state} case in {queue}: {await self.cases()}") from None
        return found[-1]

    async def desks(self) -> list[tuple[str, str]]:
        """Queue and state of every case that staff ever had of them."""
        return [(case["queue"], case["state"]) for case in await self.cases()]

    # -- how it ended

    async def story(self, journey: str) -> RunStory:
        """Their newest run, with all that it decided."""
        run = await self.shop.stack.run_of(self.id, journey)
        story = await RunStore(self.shop.stack.pool).run(run.entry)
        assert story is not None
        return story

    async def comes_to(self, journey: str, stage: str) -> None:
        """Until their run is in this stage: a decision stands on the screen before the run has heard of it."""

        async def it_is() -> bool:
            return (await self.story(journey)).run.stage == stage

        await self.shop.stack.until(it_is)

    async def ends(self, journey: str) -> RunStory:
        """The same, once it has ended on the server and in the record, and both say the same."""
        run = await self.shop.stack.run_of(self.id, journey)
        result = await self.shop.stack.outcome(run.workflow_id)

        async def recorded() -> bool:
            return (await self.story(journey)).run.state == "finished"

        await self.shop.stack.until(recorded)
        story = await self.story(journey)
        assert (story.run.outcome, story.run.goal) == (result["outcome"], result.get("goal", False))
        return story

    async def entered(self, journey: str, times: int) -> None:
        """Until they were admitted to it so often."""

        async def it_is() -> bool:
            runs = await RunStore(self.shop.stack.pool).runs(customer=self.id, journey=journey)
            return sum(run.state != "not_admitted" for run in runs) == times

        await self.shop.stack.until(it_is)

    async def _rows(self, statement: Any) -> list[dict[str, Any]]:
        async with self.shop.stack.pool.connection() as connection:
            cursor = await connection.execute(statement, [self.id])
            return await cursor.fetchall()


def promises(story: RunStory) -> dict[str, str]:
    """How each promise stands."""
    return {promise.name: promise.state for promise in story.promises}


def decided(story: RunStory, kind: str) -> list[TraceEntry]:
    """The decisions of a kind."""
    return [entry for entry in story.trace if entry.kind == kind]


def staff(shop: Shop) -> CaseDesk:
    """The cases as the command and the console decide them, with what a member of staff may grant."""
    return CaseDesk(shop.stack.pool, shop.stack.heard.set)
