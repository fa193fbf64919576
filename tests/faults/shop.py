"""A shop on a real installation: orders come in at a steady rate, whatever is done to its members.

Two journeys. `order` is the load: two mails and a short wait. `parcel` meets everything that a run
can ask for: a coupon, staff, a trait, a thing that it listens to. All goes through the real API,
and what is not acknowledged is sent again.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import httpx2 as httpx
import psycopg
from psycopg_pool import PoolTimeout

from journey.business_time import DAYS
from journey.publication import read_definition
from stores.database import Pool, open_pool
from stores.definitions import DefinitionStore
from stores.members import Member, MemberStore
from stores.messages import MessageStore
from stores.published import HOUSE, PublishedStore
from workers.embedded.stack import Addresses

FEEDBACK_KEY = b"what the shop signs its feedback with"
SETTINGS = {
    "CLEW_FEEDBACK_SECRET": f"whsec_{base64.b64encode(FEEDBACK_KEY).decode()}",
    "CLEW_INBOUND_SECRET": "what a mail provider would send",
}
AGAIN_SECONDS = 0.25
PATIENCE_SECONDS = 900.0
"""A member that is killed again and again on a busy machine is long in coming."""
Away = (psycopg.OperationalError, PoolTimeout)

_HEAD = "language: 1\njourney: {0}\ntitle: {0}\nowner: tests\n"
ORDER = (
    _HEAD.format("order")
    + """
enter: {on: Order Placed, key: event.properties.order, again: never}
match: event.properties.order == run.key
stages:
  - stage: placed
    steps:
      - send: {message: confirmed, purpose: service}
      - wait: {any: [{on: Order Paid, do: [{go: paid}]}], until: 3s}
      - go: paid
  - stage: paid
    steps:
      - send: {message: thanks, purpose: marketing}
      - finish: done
"""
)
PARCEL = (
    _HEAD.format("parcel")
    + """
enter: {on: Parcel Ordered, key: event.properties.parcel, again: never}
match: event.properties.parcel == run.key
listen: {parcel: '[run.key]'}
exit: [{on: Bought, outcome: bought}]
stages:
  - stage: only
    steps:
      - send: {message: confirmed, purpose: service}
      - offer:
          coupon: ten
          expires: 14d
          redeemed_by: {on: Bought, when: 'has(event.properties.coupon) && event.properties.coupon == ten.code'}
      - set: {customer.has_parcel: 'true'}
      - handoff:
          as: packing
          queue: packers
          brief: Pack it
          decisions: {packed: {title: It is packed}}
      - wait: {any: [{on: Parcel Delivered}], until: 1h}
      - send: {message: thanks, purpose: marketing}
      - finish: done
"""
)
QUEUES: dict[str, Any] = {
    "queues": [
        {
            "queue": "packers",
            "hours": {"week": {day: ["00:00-24:00"] for day in DAYS}},
            "assign": "least-loaded",
        }
    ]
}
LEA = Member(member="lea", name="Lea", role="agent", queues=("packers",), capacity=1_000)
MESSAGES = {
    "confirmed": "---\nsubject: Confirmed\n---\nWe have it.\n",
    "thanks": "---\nsubject: Thank you\n---\nCome again.\n",
}
OFFER: dict[str, Any] = {
    "offer": "ten", "kind": "generated", "prefix": "TEN-", "title": "Ten", "owner": "tests",
}  # fmt: skip


@dataclass(slots=True)
class Shop:
    """The shop's own programs, its customers and staff. `acknowledged`: what ingest said it has."""

    addresses: Addresses
    pool: Pool
    http: httpx.AsyncClient
    acknowledged: list[str] = field(default_factory=list[str])
    seconds_of_answers: list[float] = field(default_factory=list[float])

    async def open(self) -> None:
        """Publish what it does."""
        for name, source in MESSAGES.items():
            await MessageStore(self.pool).publish(name, source)
        await PublishedStore(self.pool).publish("offer", "ten", OFFER)
        await PublishedStore(self.pool).publish("queues", HOUSE, QUEUES)
        await MemberStore(self.pool).put(LEA, by="the shop")
        for name, source in (("order", ORDER), ("parcel", PARCEL)):
            await DefinitionStore(self.pool).publish(
                read_definition(source, f"{name}.yaml", MESSAGES)
            )

    async def orders(self, first: int, count: int, per_second: float, *, paid: bool = True) -> None:
        """Orders of new customers, so many a second; half are paid a second later."""
        began = time.monotonic()
        paying: set[asyncio.Task[None]] = set()
        for n in range(first, first + count):
            await asyncio.sleep(max(0.0, began + (n - first) / per_second - time.monotonic()))
            placing = asyncio.create_task(self._order(n, paid=paid and n % 2 == 0))
            paying.add(placing)
            placing.add_done_callback(paying.discard)
        if paying:
            await asyncio.gather(*paying)

    async def _order(self, n: int, *, paid: bool) -> None:
        order = {"order": f"o{n}"}
        await self.tell([known(n), event(n, "Order Placed", f"o{n}/placed", order)])
        if paid:
            await asyncio.sleep(1)
            await self.tell([event(n, "Order Paid", f"o{n}/paid", order)])

    async def parcel(self, n: int) -> None:
        """A customer with two names and one parcel, from the order to the door, with all around it."""
        parcel = {"parcel": f"p{n}"}
        await self.tell([known(n), event(n, "Parcel Ordered", f"p{n}/ordered", parcel)])
        delivery = await self._until(lambda: self._delivery(f"p{n}"))
        case = await self._until(lambda: self._case(f"p{n}"))
        await self._staff(f"/v1/cases/{case}/decide", {"decision": "packed", "by": "lea"})
        await self._report(f"p{n}/opened", delivery)
        await self._answer(n)
        other = known(n) | {"userId": f"also{n}", "messageId": f"also{n}/known", "traits": {}}
        await self.tell([other])
        await self._staff(
            "/v1/merges", {"one": f"u{n}", "other": f"also{n}", "by": "lea", "why": "same"}
        )
        if (
            n % 2
        ):  # without the coupon, which is void then: one that finishes by itself leaves it open
            await self.tell([event(n, "Bought", f"p{n}/bought", {**parcel, "coupon": ""})])
            return
        delivered = event(n, "Parcel Delivered", f"p{n}/delivered", parcel)
        del delivered["userId"]
        delivered["context"] = {"subject": {"kind": "parcel", "id": f"p{n}"}}
        await self.tell([delivered])

    # -- the doors

    async def tell(self, messages: Sequence[dict[str, Any]]) -> None:
        """Touchpoints, until they are acknowledged."""
        began = time.monotonic()
        key = base64.b64encode(f"{self.addresses.write_key}:".encode()).decode()
        body = json.dumps({"batch": list(messages)}).encode()
        await self._post("/v1/batch", body, {"Authorization": f"Basic {key}"})
        self.acknowledged += [each["messageId"] for each in messages]
        self.seconds_of_answers.append(time.monotonic() - began)

    async def _staff(self, path: str, asked: dict[str, Any]) -> None:
        """409: it was done at the attempt before, of which no answer came."""
        await self._post(path, json.dumps(asked).encode(), self._token, done=(200, 201, 409))

    async def _report(self, name: str, delivery: str) -> None:
        now = int(time.time())
        told = {
            "type": "message.opened",
            "timestamp": datetime.now(UTC).isoformat(),
            "data": {"delivery": delivery},
        }
        body = json.dumps(told).encode()
        signed = b".".join((name.encode(), str(now).encode(), body))
        proof = base64.b64encode(hmac.new(FEEDBACK_KEY, signed, hashlib.sha256).digest()).decode()
        headers = {
            "webhook-id": name, "webhook-timestamp": str(now), "webhook-signature": f"v1,{proof}",
        }  # fmt: skip
        await self._post("/feedback/own", body, headers)

    async def _answer(self, n: int) -> None:
        mail = EmailMessage()
        mail["From"], mail["Subject"] = f"{n}@example.com", "Hello"
        mail["To"], mail["Message-ID"] = "hello@clew.example", f"<answer{n}@example.com>"
        mail.set_content("When does it come?")
        await self._post("/inbound/mail", mail.as_bytes(), self._token)

    @property
    def _token(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.addresses.staff_token}"}

    async def _post(
        self, path: str, body: bytes, headers: dict[str, str], done: Sequence[int] = (200, 201)
    ) -> None:
        """Until it is answered; what was not is sent again. Raises: `AssertionError` where it is refused."""
        headers = {"Content-Type": "application/json"} | headers
        while True:
            with suppress(httpx.TransportError):
                answer = await self.http.post(
                    self.addresses.api + path, content=body, headers=headers
                )
                if answer.status_code in done:
                    return
                assert answer.status_code >= 500 or answer.status_code == 429, answer.text[:500]
            await asyncio.sleep(AGAIN_SECONDS)

    # -- what its programs look up

    async def _until(self, look: Any) -> str:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                with suppress(*Away):
                    found: str | None = await look()
                    if found is not None:
                        return found
                await asyncio.sleep(AGAIN_SECONDS)

    async def _delivery(self, key: str) -> str | None:
        return await self._one(
            "select d.key as found from deliveries d join runs r using (entry)"
            " where r.key = %s and d.message = 'confirmed' and d.state in ('accepted', 'unknown')",
            key,
        )

    async def _case(self, key: str) -> str | None:
        return await self._one(
            'select c."case" as found from cases c join runs r using (entry) where r.key = %s', key
        )

    async def _one(self, statement: Any, value: str) -> str | None:
        async with self.pool.connection() as connection:
            row = await (await connection.execute(statement, [value])).fetchone()
        return row["found"] if row else None


@asynccontextmanager
async def open_shop(addresses: Addresses) -> AsyncGenerator[Shop]:
    """A shop that can be opened on this installation."""
    pool = await open_pool(addresses.database_url, name="the shop", most=6, wait_seconds=3)
    limits = httpx.Limits(max_connections=50)
    try:
        async with httpx.AsyncClient(timeout=10.0, limits=limits) as http:
            shop = Shop(addresses, pool, http)
            await shop.open()
            yield shop
    finally:
        await pool.close()


def known(n: int) -> dict[str, Any]:
    """Customer n made known, as Segment's `identify`."""
    return {
        "type": "identify",
        "messageId": f"u{n}/known",
        "timestamp": _stamp(),
        "userId": f"u{n}",
        "traits": {"email": f"{n}@example.com"},
        "context": {"timezone": "UTC"},
    }


def event(n: int, name: str, message_id: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Something that customer n did, as Segment's `track`."""
    return {
        "type": "track",
        "event": name,
        "messageId": message_id,
        "timestamp": _stamp(),
        "userId": f"u{n}",
        "properties": properties,
    }


def _stamp() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
