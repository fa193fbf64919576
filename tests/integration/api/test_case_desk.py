"""Whatever staff do with a case they can do over HTTP, and no further than they may."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2 as httpx
import pytest
import pytest_asyncio

from api.app import create_app
from api.cases import cases_router
from api.members import members_router
from api.queues import queues_router
from api.staff_key import StaffKeyCheck
from journey.staff_roles import ROLES
from stores.customers import CustomerStore
from stores.database import Pool
from stores.members import MemberStore
from stores.published import HOUSE, PublishedStore
from stores.queue_standings import QueueStandingStore
from stores.staff_tokens import StaffTokenStore
from tests.integration.conftest import STAFF_TOKEN
from workers.api import case_parts, wall_clock

COUPON = {"coupon": {"fields": {"amount": "number"}, "authority": "amount"}}
QUEUES: dict[str, Any] = {
    "queues": [{"queue": "desk", "title": "Front desk", "hours": {"week": {
        day: ["00:00-24:00"] for day in
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    }}}],
    "grants": {"agent": 50, "lead": 500},
}  # fmt: skip


@dataclass
class Desk:
    """The doors, and a token for each role."""

    pool: Pool
    client: httpx.AsyncClient
    tokens: dict[str, str]

    async def ask(self, method: str, path: str, role: str = "agent", **sent: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[role]}"} | sent.pop("headers", {})
        return await self.client.request(method, path, headers=headers, **sent)

    async def act(self, case: str, act: str, role: str = "agent", **said: Any) -> httpx.Response:
        return await self.ask("POST", f"/v1/cases/{case}/{act}", role, json={"by": "eva"} | said)

    async def opened(self, customer: str = "+420 777 123 456", **said: Any) -> dict[str, Any]:
        order = {"customer": customer, "queue": "desk", "brief": "Rang", "by": "eva"} | said
        answer = await self.ask("POST", "/v1/cases", json=order)
        assert answer.status_code in (200, 201), answer.text
        return answer.json() | {"status": answer.status_code}

    async def hire(self, member: str, role: str, **said: Any) -> None:
        order = {"name": member.title(), "role": role, "by": "boss", "queues": ["desk"]} | said
        answer = await self.ask("PUT", f"/v1/members/{member}", "operator", json=order)
        assert answer.status_code == 200, answer.text


@pytest_asyncio.fixture
async def desk(pool: Pool) -> AsyncIterator[Desk]:
    await PublishedStore(pool).publish("queues", HOUSE, QUEUES)
    kept = StaffTokenStore(pool)
    staff = StaffKeyCheck(STAFF_TOKEN, kept)
    app = create_app(
        cases_router(case_parts(pool, lambda: None, staff), staff),
        members_router(MemberStore(pool), staff),
        queues_router(QueueStandingStore(pool), staff, wall_clock),
    )
    tokens = {role: await kept.create(role, role, by="test") for role in ROLES}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://staff") as client:
        yield Desk(pool, client, tokens)


async def test_a_case_goes_its_whole_way_over_http(desk: Desk) -> None:
    await desk.hire("jan", "agent")
    case = (await desk.opened())["name"]
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    steps: list[tuple[str, dict[str, Any], str]] = [
        ("claim", {}, "claimed"),
        ("note", {"text": "Waits on line 2"}, "claimed"),
        ("snooze", {"until": later}, "snoozed"),
        ("go-on", {}, "claimed"),
        ("wait-for-customer", {}, "pending"),
        ("go-on", {}, "claimed"),
        ("let-go", {"why": "lunch"}, "open"),
        ("hand-over", {"to": "jan", "note": "knows them"}, "claimed"),
        ("decide", {"by": "jan", "decision": "answered"}, "resolved"),
        ("reopen", {"why": "rang again"}, "reopened"),
    ]
    for act, said, state in steps:
        answer = await desk.act(case, act, **said)
        assert (answer.status_code, answer.json().get("state")) == (200, state), (act, answer.text)

    shown = (await desk.ask("GET", f"/v1/cases/{case}", "viewer")).json()
    did = [each["did"] for each in shown["events"]]
    assert did[:3] == ["opened", "claimed", "noted"]
    assert did[-2:] == ["decided answered", "reopened"]
    before = shown["events"][2]["event"]
    earlier = await desk.ask("GET", f"/v1/cases/{case}?before={before}&most=1", "viewer")
    assert [each["did"] for each in earlier.json()["events"]] == ["claimed"]


async def test_what_is_learned_goes_back_with_the_decision(desk: Desk) -> None:
    case = (await desk.opened())["name"]

    wrong = await desk.act(case, "decide", decision="answered", feeling=7)
    decided = await desk.act(
        case, "decide", decision="answered", note="Rang twice", feeling="upset", lacked="the list"
    )

    assert (wrong.status_code, decided.status_code) == (400, 200), wrong.text
    async with desk.pool.connection() as connection:
        cursor = await connection.execute(
            "select event, properties from touchpoints order by event"
        )
        told = {row["event"]: row["properties"] for row in await cursor.fetchall()}
    assert told["Case Noted"]["note"] == "Rang twice"
    assert told["Staff Lacked"]["lacked"] == "the list"


async def test_a_brief_tells_nothing_personal_until_they_are_verified(desk: Desk) -> None:
    case = (await desk.opened())["name"]

    unproven = (await desk.ask("GET", f"/v1/cases/{case}/brief?member=eva")).json()
    verified = await desk.act(case, "verify", how="their order number")
    proven = (await desk.ask("GET", f"/v1/cases/{case}/brief?member=eva")).json()

    assert (unproven["traits"], unproven["who"]["assured"]) == ({}, "")
    assert unproven["who"]["withheld"].startswith("Nothing has proved who this is")
    assert verified.status_code == 200, verified.text
    assert proven["who"]["withheld"] == ""
    assert proven["who"]["assured"].startswith("verified by their order number")
    for path, role, status in (
        (f"/v1/cases/{case}/brief", "viewer", 403),
        (f"/v1/cases/{case}/brief?whose=eva", "agent", 400),
        ("/v1/cases/9:9/brief", "agent", 404),
    ):
        assert (await desk.ask("GET", path, role)).status_code == status, path


async def test_who_calls_again_gets_the_case_that_is_under_way(desk: Desk) -> None:
    first = await desk.opened("00420 777 123 456", title="Lost bag", place="airport")
    again = await desk.opened("+420777123456")
    elsewhere = await desk.opened("+420777123456", queue="complaints")

    assert (first["status"], again["status"], elsewhere["status"]) == (201, 200, 201)
    assert again["case"] == first["case"] != elsewhere["case"]
    assert elsewhere["customer"] == first["customer"]
    assert (first["origin"], first["title"], first["place"]) == ("staff", "Lost bag", "airport")
    assert first["case"].startswith("case/asked:0:")
    found = await CustomerStore(desk.pool).find("+420777123456")
    assert found is not None
    assert found.customer == first["customer"]
    async with desk.pool.connection() as connection:
        rows = await (await connection.execute("select clock from cases")).fetchall()
    assert all(len(row["clock"]) == len("case/") + 36 for row in rows)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"customer": "nobody we know"}, "name them by a number"),
        ({"queue": "Front Desk"}, "queue: expected a name in lower case"),
        ({"origin": "journey"}, "origin: expected one of staff, mention"),
        ({"decisions": {"pay": {"fields": {"amount": "money"}}}}, "decisions.pay.fields.amount"),
        ({"decisions": {"pay": {"authority": "amount"}}}, "decisions.pay.authority"),
        ({"state": "resolved"}, "state: is not known here"),
    ],
)
async def test_a_case_that_cannot_be_opened_names_the_place(
    desk: Desk, said: dict[str, Any], words: str
) -> None:
    order = {"customer": "+420777123456", "queue": "desk", "brief": "Rang", "by": "eva"} | said
    refused = await desk.ask("POST", "/v1/cases", json=order)
    assert refused.status_code in (400, 404)
    assert words in refused.json()["message"]
    assert (await desk.ask("GET", "/v1/cases?state=all")).json()["cases"] == []


async def test_what_is_above_authority_is_refused_with_the_way_to_ask_and_then_approved(
    desk: Desk,
) -> None:
    await desk.hire("eva", "agent")
    await desk.hire("lea", "lead")
    case = (await desk.opened(decisions=COUPON))["name"]
    await desk.act(case, "claim")
    order: dict[str, Any] = {"decision": "coupon", "fields": {"amount": 80}}

    refused = await desk.act(case, "decide", "lead", **order)
    asked = await desk.act(case, "decide", **order, ask="a loyal customer")
    himself = await desk.act(case, "approve", "lead")
    by_agent = await desk.act(case, "approve", by="lea")
    approved = await desk.act(case, "approve", "lead", by="lea")

    assert (refused.status_code, refused.json()["code"]) == (403, "authority_exceeded")
    assert '"ask"' in refused.json()["message"]
    assert (asked.status_code, asked.json()["state"]) == (202, "claimed")
    assert (himself.status_code, himself.json()["code"]) == (403, "role_too_low")
    assert (by_agent.status_code, by_agent.json()["code"]) == (403, "role_too_low")
    assert (approved.status_code, approved.json()["decided_by"]) == (200, "eva")


async def test_whom_we_do_not_know_decides_as_far_as_the_role_of_their_token(desk: Desk) -> None:
    case = (await desk.opened(decisions=COUPON))["name"]
    order: dict[str, Any] = {"decision": "coupon", "fields": {"amount": 80}, "by": "desktop"}

    agent, lead = await desk.act(case, "decide", **order), None
    lead = await desk.act(case, "decide", "lead", **order)

    assert (agent.status_code, lead.status_code) == (403, 200)


async def test_who_has_left_does_nothing_any_more(desk: Desk) -> None:
    await desk.hire("eva", "agent")
    case = (await desk.opened())["name"]
    assert (await desk.ask("DELETE", "/v1/members/eva?by=boss", "operator")).status_code == 204

    refused = await desk.act(case, "claim")

    assert (refused.status_code, refused.json()["code"]) == (403, "member_left")


async def test_a_list_goes_on_where_its_page_ended_and_shows_each_case_once(desk: Desk) -> None:
    for n in range(7):
        await desk.opened(f"+42077700000{n}", place="brno" if n % 2 else "praha")
    async with desk.pool.connection() as connection:
        await connection.execute(
            "update cases set resolve_by = now() + (n - 3) * interval '1 hour' where n % 2 = 0"
        )
    seen, after = list[str](), ""
    while after is not None:
        page = (await desk.ask("GET", f"/v1/cases?most=2{after and f'&after={after}'}")).json()
        seen += [each["case"] for each in page["cases"]]
        after = page["next"]
    whole = (await desk.ask("GET", "/v1/cases")).json()["cases"]
    assert seen == [each["case"] for each in whole]
    assert len(set(seen)) == 7

    async def count(query: str, customer: str = "") -> int:
        asked = {"X-Customer": customer} if customer else {}
        answer = await desk.ask("GET", f"/v1/cases?{query}", headers=asked)
        return len(answer.json()["cases"])

    assert await count("place=brno") == 3
    assert await count("queue=desk", "+420777000002") == 1
    assert await count("overdue=true") == sum(1 for n in range(1, 8) if n % 2 == 0 and n < 3)
    assert await count("state=under-way&queue=desk") == 7
    assert await count("state=over") == 0
    assert await count("assignee=eva&state=all") == 0


@pytest.mark.parametrize(
    "query", ["state=angry", "most=0", "most=501", "after=x", "overdue=yes", "colour=red"]
)
async def test_a_list_that_cannot_be_made_says_why(desk: Desk, query: str) -> None:
    refused = await desk.ask("GET", f"/v1/cases?{query}")
    assert refused.status_code == 400
    assert refused.json()["message"].startswith(query.split("=", maxsplit=1)[0])


async def test_queues_show_what_waits_and_who_is_there(desk: Desk) -> None:
    await desk.hire("eva", "agent")
    await desk.hire("jan", "agent")
    await desk.opened()
    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    order = {"since": since, "until": until, "why": "ill", "by": "boss"}
    absent = await desk.ask("POST", "/v1/members/jan/absences", "operator", json=order)

    [queue] = (await desk.ask("GET", "/v1/queues", "viewer")).json()["queues"]

    assert (queue["queue"], queue["title"], queue["written"]) == ("desk", "Front desk", True)
    assert (queue["waiting"], queue["taken"], queue["overdue"]) == (1, 0, 0)
    assert (queue["members"], queue["there"]) == (["eva", "jan"], ["eva"])
    back = f"/v1/members/jan/absences/{absent.json()['absence']}?by=boss"
    assert (await desk.ask("DELETE", back.replace("jan", "eva"), "operator")).status_code == 404
    assert (await desk.ask("DELETE", back, "operator")).status_code == 204
    [queue] = (await desk.ask("GET", "/v1/queues", "viewer")).json()["queues"]
    assert queue["there"] == ["eva", "jan"]


async def test_addresses_of_members_are_for_operators(desk: Desk) -> None:
    await desk.hire(
        "eva", "agent", email="eva@shop.example", shift={"week": {"monday": "08:00-12:00"}}
    )
    seen = (await desk.ask("GET", "/v1/members", "lead")).json()["members"]
    whole = (await desk.ask("GET", "/v1/members/eva", "operator")).json()
    assert "email" not in seen[0]
    assert (whole["email"], whole["shift"]["week"]) == (
        "eva@shop.example",
        {"monday": ["08:00-12:00"]},
    )
    taken = {"name": "Eve", "role": "agent", "by": "boss", "email": "EVA@shop.example"}
    assert (await desk.ask("PUT", "/v1/members/eve", "operator", json=taken)).status_code == 409
    for said in ({"role": "king"}, {"capacity": -1}, {"zone": "Moon"}, {"queues": ["A B"]}):
        order = taken | {"email": None} | said
        refused = await desk.ask("PUT", "/v1/members/eve", "operator", json=order)
        assert refused.status_code == 400
        assert refused.json()["message"].startswith(next(iter(said)))
