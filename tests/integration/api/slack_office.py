"""An office that works in Slack: a case on a real database, a workspace, and what people press in it."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx2 as httpx

from channels.slack_desk import SlackDesk
from contracts.outside_desk import ShownCase
from stores.case_desk import CaseDesk
from stores.case_rows import Case
from stores.customers import CustomerStore
from stores.database import Pool, ordered_json
from stores.members import Member, MemberStore
from stores.published import HOUSE, PublishedStore
from tests.integration.api.test_case_desk import QUEUES
from tests.integration.channels.vendors.slack import SlackWorkspace

SIGNING = "a slack secret"
CHANNEL = "C0DESK"
EVA, BOB, ANA, GONE, OTHER = "U0EVA", "U0BOB", "U0ANA", "U0GONE", "U0OTHER"
OFFERED: dict[str, Any] = {
    "explained": {"title": "Explain"},
    "refund": {
        "title": "Refund",
        "fields": {"amount": "number", "nights": "integer", "sure": "boolean", "words": "text"},
        "authority": "amount",
    },
}
FILLED = {"amount": "20", "nights": "2", "sure": "true", "words": "It came broken"}


@dataclass
class Office:
    """The door, the workspace behind it, and one case."""

    pool: Pool
    client: httpx.AsyncClient
    slack: SlackWorkspace
    desk: SlackDesk
    cases: CaseDesk
    name: str

    async def case(self) -> Case:
        found = await self.cases.named(self.name)
        assert found is not None
        return found

    async def put(self, known: str | None = None, **other: Any) -> str:
        return await self.desk.put(await self.shown(**other), known)

    async def shown(self, **other: Any) -> ShownCase:
        case = await self.case()
        told: dict[str, Any] = {
            "case": case.case, "name": case.short_name, "title": case.title, "brief": case.brief,
            "queue": case.queue, "queue_title": "Front desk", "state": case.state,
            "over": case.state in ("resolved", "closed", "expired"), "customer": case.customer,
            "link": f"https://clew.test/staff/case/{case.short_name}",
            "due": datetime.now(UTC) + timedelta(hours=1), "holder": case.claimed_by,
            "holder_name": (case.claimed_by or "").title(), "decision": case.decision,
            "decided_by": case.decided_by, "decisions": case.decisions,
        }  # fmt: skip
        return ShownCase(**(told | other))

    def message(self, where: str) -> dict[str, Any]:
        channel, _, ts = where.partition("/")
        return self.slack.messages[channel, ts]

    def button(self, where: str, text: str) -> dict[str, Any]:
        return next(each for each in self.buttons(where) if each["text"]["text"] == text)

    def buttons(self, where: str) -> list[dict[str, Any]]:
        blocks = self.message(where)["blocks"]
        return [one for each in blocks if each["type"] == "actions" for one in each["elements"]]

    async def press(self, button: Mapping[str, Any], user: str = EVA) -> httpx.Response:
        return await self.send(pressed(button, user))

    async def submit(
        self, view: Mapping[str, Any], texts: Mapping[str, str], user: str = EVA
    ) -> httpx.Response:
        return await self.send(submitted(view, texts, user))

    async def send(
        self, told: object, *, at: datetime | None = None, secret: str = SIGNING
    ) -> httpx.Response:
        body = urlencode({"payload": json.dumps(told)}).encode()
        return await self.post(body, signed(body, at or datetime.now(UTC), secret))

    async def post(self, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        return await self.client.post("/slack/cases", content=body, headers=dict(headers))

    async def deeds(self) -> list[tuple[str, str, str]]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "select who, did, actor from audit where object like 'case %' order by audit"
            )
            return [(row["who"], row["did"], row["actor"]) for row in await cursor.fetchall()]


def signed(body: bytes, at: datetime, secret: str = SIGNING) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    made = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
    return {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": f"v0={made.hexdigest()}",
    }


def pressed(button: Mapping[str, Any], user: str = EVA) -> dict[str, Any]:
    return {
        "type": "block_actions", "user": {"id": user}, "channel": {"id": CHANNEL},
        "trigger_id": f"1.{datetime.now(UTC).timestamp()}", "actions": [dict(button)],
    }  # fmt: skip


def submitted(view: Mapping[str, Any], texts: Mapping[str, str], user: str = EVA) -> dict[str, Any]:
    """The form as Slack sends it back, with what was written into its inputs."""
    values: dict[str, Any] = {}
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        text = texts.get(block["block_id"].removeprefix("field/"))
        told: dict[str, Any] = {"type": element["type"], "value": text}
        if element["type"] == "static_select":
            told = {"type": "static_select", "selected_option": {"value": text} if text else None}
        values[block["block_id"]] = {element["action_id"]: told}
    sent = {"callback_id": view["callback_id"], "private_metadata": view["private_metadata"]}
    at = datetime.now(UTC).timestamp()
    return {
        "type": "view_submission", "user": {"id": user}, "trigger_id": f"1.{at}",
        "view": {**sent, "state": {"values": values}},
    }  # fmt: skip


async def opened_case(pool: Pool) -> str:
    """A case in the queue `desk`, members of all kinds, and how far they may go."""
    await PublishedStore(pool).publish("queues", HOUSE, QUEUES)
    anna = await CustomerStore(pool).known("anna")
    members = MemberStore(pool)
    for member in (
        Member(member="eva", name="Eva", role="agent", queues=("desk",), slack=EVA),
        Member(member="bob", name="Bob", role="lead", queues=("desk",), slack=BOB),
        Member(member="ana", name="Ana", role="analyst", queues=("desk",), slack=ANA),
        Member(member="gone", name="Gone", role="agent", queues=("desk",), slack=GONE),
        Member(member="other", name="Other", role="agent", queues=("sales",), slack=OTHER),
    ):
        await members.put(member, by="test")
    await members.leave("gone", by="test")
    async with pool.connection() as connection:
        await connection.execute(
            'insert into cases ("case", entry, n, workflow_id, journey, customer, queue, brief, title,'
            " decisions, state, opened_at) values ('case/asked:0:7', 0, 7, '', '', %s, 'desk',"
            " 'It came broken', 'Lamp', %s, 'open', now())",
            [anna, ordered_json(OFFERED)],
        )
    return "0:7"
