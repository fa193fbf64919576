"""Whatever staff change, by command or over HTTP, leaves a deed: each is done once, and the audit looked at."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import typer
from pytest_httpserver import HTTPServer
from temporalio.service import RPCError, RPCStatusCode
from typer.testing import CliRunner

from api.doors import DOORS
from cli.main import app
from stores.customers import CustomerStore
from stores.database import Pool
from stores.engines import EngineStore
from tests.security.conftest import SECRET, Doors

PARCEL = Path(__file__).parents[1] / "integration" / "clients" / "parcel.yaml"
ANNA = "c_anna"
CHANGE_NOTHING = {
    "audit head", "audit list", "audit verify", "backtest", "case show", "case-hooks list", "cases",
    "members list", "queues list", "queues now", "check", "conversation", "diff",
    "doctor", "engine status", "feedback", "figures check", "graph", "keys status", "map", "merges", "now", "preview",
    "problem show", "problems", "replay-check", "runs", "schema", "show", "staff-figures", "staff-tokens list", "stops",
    "test", "traits", "write-keys list",
    # They ask for pages of others, or print what is made of settings; nothing is kept.
    "links", "calls-secret", "vapid-key", "webhook-secret",
    # A message to oneself, which stands in no ledger; and processes of one's own machine.
    "send-test", "up", "demo",
}  # fmt: skip

CHANGE: list[tuple[str, str]] = [
    ("publish", f"publish {PARCEL}"),
    ("enter", "enter parcel --customer anna"),
    ("load-codes", "load-codes spring {folder}/codes"),
    ("send", "send Seen --customer anna"),
    ("import", "import {folder}/lines"),
    ("resume", "resume 7"),
    ("leave", "leave 7 --reason tired"),
    ("nudge", "nudge 7 --at under-way/0 --reason tired"),
    ("case claim", "case claim 7:1 --by eva"),
    ("case note", "case note 7:1 --by eva --text rang"),
    ("case snooze", "case snooze 7:1 --by eva --event Paid"),
    ("case go-on", "case go-on 7:1 --by eva"),
    ("case wait-for-customer", "case wait-for-customer 7:1 --by eva"),
    ("case let-go", "case let-go 7:1 --by eva"),
    ("case hand-over", "case hand-over 7:1 --by eva --queue desk --note known"),
    ("decide", "decide 7:1 pay --by ben --field amount=80 --ask loyal"),
    ("case disapprove", "case disapprove 7:1 --by eva --why no"),
    ("decide", "decide 7:1 pay --by ben --field amount=80 --ask loyal"),
    ("members password", "members password ben --stdin"),
    ("members reset-factor", "members reset-factor ben"),
    ("members sign-out", "members sign-out --everybody"),
    ("case verify", "case verify 7:1 --by eva --how passport"),
    ("case approve", "case approve 7:1 --by eva"),
    ("case reopen", "case reopen 7:1 --by eva --why again"),
    ("decide", "decide 7:1 explained --by eva"),
    ("case merge", "case merge 0:2 --into 0:1 --by eva"),
    ("members add", "members add jana --queue desk"),
    ("members set", "members set jana --role lead"),
    ("members absent", "members absent jana --from 2030-01-01 --until 2030-01-02"),
    ("members back", "members back 1"),
    ("members leave", "members leave jana"),
    ("case-hooks add", "case-hooks add wall https://127.0.0.1/wall"),
    ("case-hooks test", "case-hooks test wall"),
    ("case-hooks remove", "case-hooks remove wall"),
    ("stop", "stop everything --why prices"),
    ("resume", "resume everything"),
    ("merge", "merge anna ben --why same"),
    ("unmerge", "unmerge 1 --why other"),
    ("feeling", "feeling anna upset --why rang"),
    ("feeling", "feeling anna --over --why calm"),
    ("problem open", "problem open power --title Power --words out --why storm --customer anna"),
    ("problem update", "problem update power --words soon"),
    ("problem mend", "problem mend power"),
    ("problem reopen", "problem reopen power --words again"),
    ("problem answer", "problem answer power --decision explained"),
    ("problem link", "problem link power --customer ben"),
    ("write-key", "write-key shop"),
    ("write-keys create", "write-keys create app"),
    ("write-keys rotate", "write-keys rotate app"),
    ("write-keys revoke", "write-keys revoke app"),
    ("staff-tokens create", "staff-tokens create jana --role lead"),
    ("staff-tokens revoke", "staff-tokens revoke jana"),
    ("keys rewrap", "keys rewrap"),
    ("keys rotate", "keys rotate"),
    ("engine raise", "engine raise {next}"),
    ("engine lower", "engine lower {engine}"),
    ("engine retire", "engine retire 9"),
    ("link", "link data anna"),
    ("export", "export anna --to {folder}"),
    ("erase", "erase ben --yes"),
    ("sweep", "sweep"),
    ("figures rebuild", "figures rebuild"),
]  # fmt: skip


def commands(group: Any, path: str = "") -> Iterator[str]:
    """Every command as it is typed; a group of its own programs, such as the demo, counts once."""
    inside: dict[str, Any] = getattr(group, "commands", {})
    if not inside or path == "demo":
        yield path
        return
    for name, each in inside.items():
        yield from commands(each, f"{path} {name}".strip())


OFFERED = '{"explained": {}, "pay": {"fields": {"amount": "number"}, "authority": "amount"}}'


class FakeRun:
    """A run in Temporal that does whatever it is told."""

    async def signal(self, *_: object) -> None:
        pass

    async def execute_update(self, *_: object, **__: object) -> dict[str, str]:
        return {}

    async def describe(self, **_: object) -> None:
        raise RPCError("no such run", RPCStatusCode.NOT_FOUND, b"")


class FakeTemporal:
    """Knows every run, and lists none."""

    def get_workflow_handle(self, *_: object, **__: object) -> FakeRun:
        return FakeRun()

    async def list_workflows(self, *_: object, **__: object) -> AsyncIterator[None]:
        return
        yield


async def deeds(pool: Pool) -> int:
    async with pool.connection() as connection:
        row = await (await connection.execute("select count(*) as n from audit")).fetchone()
    assert row is not None
    return row["n"]


async def newest(pool: Pool) -> int:
    async with pool.connection() as connection:
        row = await (await connection.execute("select max(audit) as n from audit")).fetchone()
    return row["n"] or 0 if row else 0


async def someone_to_act_on(pool: Pool) -> None:
    """Two customers; a run of the first, and a case of it."""
    async with pool.connection() as connection:
        for name in ("anna", "ben"):
            await connection.execute("insert into customers (customer) values (%s)", [f"c_{name}"])
            await connection.execute(
                "insert into identities (kind, value, customer) values ('user_id', %s, %s)",
                [name, f"c_{name}"],
            )
        await connection.execute(
            "insert into runs (entry, workflow_id, first_run_id, journey, customer, engine, state,"
            " entered_at, began_at) values (7, 'journey/flight/c_anna', 'r1', 'flight', 'c_anna', 1,"
            " 'open', now(), now())"
        )
        await connection.execute(
            'insert into cases ("case", entry, n, workflow_id, journey, customer, queue, brief,'
            " decisions, state, opened_at) values ('case/1', 7, 1, 'journey/flight/c_anna', 'flight',"
            " 'c_anna', 'desk', 'b', %s, 'open', now()), ('case/asked:0:1', 0, 1, '', '', 'c_anna', 'desk',"
            " 'b', '{}', 'open', now()), ('case/asked:0:2', 0, 2, '', '', 'c_anna', 'desk', 'b', '{}',"
            " 'open', now())",
            [OFFERED],
        )
        await connection.execute(
            "insert into members (member, name, role, grants) values ('ben', 'Ben', 'agent', 50)"
        )
        await connection.execute(
            "insert into second_factors (member, state, master, secret, made_at)"
            " values ('ben', 'counts', 'secret', 'sealed', now())"
        )


def test_every_command_is_known_to_change_something_or_nothing() -> None:
    there = set(commands(typer.main.get_command(app)))
    changing = {name for name, _ in CHANGE}
    assert there == CHANGE_NOTHING | changing
    assert CHANGE_NOTHING & changing == set()


async def test_every_command_that_changes_something_leaves_a_deed(
    pool: Pool,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    httpserver: HTTPServer,
) -> None:
    httpserver.expect_request("/v1/batch").respond_with_json({"success": True})
    for name, value in {
        "CLEW_DATABASE_URL": database, "CLEW_SECRET": SECRET, "CLEW_WRITE_KEY": "k",
        "CLEW_PUBLIC_URL": httpserver.url_for("").rstrip("/"), "COLUMNS": "200",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)

    async def temporal(_: Path) -> FakeTemporal:
        return FakeTemporal()

    monkeypatch.setattr("cli.installation.temporal", temporal)
    (tmp_path / "codes").write_text("SPRING-1\n")
    (tmp_path / "lines").write_text('{"event": "Seen", "customer": "anna"}\n')
    await someone_to_act_on(pool)
    engine = (await EngineStore(pool).standing()).engine
    unaudited = list[str]()
    for _, typed in CHANGE:
        before = await deeds(pool)
        # Again and again: who was not heard of for a while has ended.
        await EngineStore(pool).beat("host-1", "journey", "0123abcd", [engine, engine + 1])
        words = typed.format(folder=tmp_path, engine=engine, next=engine + 1).split()
        told = await asyncio.to_thread(
            CliRunner().invoke,
            app,
            [*words, "--state", str(tmp_path / "state")],
            input="a password of many words\n",
        )
        if await deeds(pool) == before:
            unaudited.append(f"{typed}: {told.output[-300:]} {told.exception!r}")
    assert unaudited == [], "\n".join(unaudited)
    async with pool.connection() as connection:
        rows = await (await connection.execute("select distinct who from audit")).fetchall()
    assert all(
        row["who"].startswith("command: ") or row["who"] in ("eva", "ben") for row in rows
    ), rows


C, P = "/v1/customers/{identity}", "/v1/problems"
AWAY = {"since": "2030-01-01T00:00:00Z", "until": "2030-01-02T00:00:00Z", "by": "eva"}
K, M = "/v1/cases/{case:path}", "/v1/members/{member}"
MENTION = {
    "network": "social",
    "handle": "dora_k",
    "link": "https://a.example/2",
    "text": "Bad",
    "queue": "desk",
}
PAY = {"decision": "pay", "fields": {"amount": 80}, "by": "limited", "ask": "loyal"}
BY_COMMAND = {("POST", "/v1/journeys/{journey}/enter")}
"""It is done above, by `clew enter`: both go through the one store that leaves the deed."""

OVER_HTTP: list[tuple[str, str, str, dict[str, Any]]] = [
    ("POST", "/v1/mentions", "/v1/mentions", MENTION),
    ("POST", "/v1/cases", "/v1/cases", {"customer": "dora", "queue": "phone", "brief": "rang", "by": "eva"}),
    ("POST", f"{K}/claim", "/v1/cases/70:1/claim", {"by": "eva"}),
    ("POST", f"{K}/messages", "/v1/cases/70:1/messages", {"text": "Hello", "by": "eva"}),
    ("POST", f"{K}/messages/{{message}}/undo", "/v1/cases/70:1/messages/{message}/undo", {"by": "eva"}),
    ("POST", f"{K}/answered", "/v1/cases/70:1/answered", {"link": "https://a.example/1", "by": "eva"}),
    ("POST", f"{K}/note", "/v1/cases/70:1/note", {"by": "eva", "text": "rang"}),
    ("POST", f"{K}/verify", "/v1/cases/70:1/verify", {"by": "eva", "how": "passport"}),
    ("POST", f"{K}/snooze", "/v1/cases/70:1/snooze", {"by": "eva", "event": "Paid"}),
    ("POST", f"{K}/go-on", "/v1/cases/70:1/go-on", {"by": "eva"}),
    ("POST", f"{K}/wait-for-customer", "/v1/cases/70:1/wait-for-customer", {"by": "eva"}),
    ("POST", f"{K}/let-go", "/v1/cases/70:1/let-go", {"by": "eva"}),
    ("POST", f"{K}/hand-over", "/v1/cases/70:1/hand-over", {"by": "eva", "queue": "desk", "note": "known"}),
    ("POST", f"{K}/decide", "/v1/cases/70:1/decide", PAY),
    ("POST", f"{K}/disapprove", "/v1/cases/70:1/disapprove", {"by": "eva", "why": "no"}),
    ("POST", f"{K}/decide", "/v1/cases/70:1/decide", PAY),
    ("POST", f"{K}/approve", "/v1/cases/70:1/approve", {"by": "eva"}),
    ("POST", f"{K}/reopen", "/v1/cases/70:1/reopen", {"by": "eva", "why": "again"}),
    ("POST", f"{K}/decide", "/v1/cases/70:1/decide", {"decision": "explained", "by": "eva"}),
    ("POST", f"{K}/merge", "/v1/cases/70:2/merge", {"by": "eva", "into": "70:3"}),
    ("PUT", M, "/v1/members/audited", {"name": "A", "role": "agent", "by": "eva"}),
    ("POST", f"{M}/absences", "/v1/members/audited/absences", AWAY),
    ("DELETE", f"{M}/absences/{{absence:int}}", "/v1/members/audited/absences/{absence}?by=eva", {}),
    ("DELETE", M, "/v1/members/audited?by=eva", {}),
    ("POST", f"{C}/feeling", "/v1/customers/dora/feeling", {"feeling": "upset", "why": "rang", "by": "eva"}),
    ("POST", f"{C}/feeling/over", "/v1/customers/dora/feeling/over", {"why": "calm", "by": "eva"}),
    ("POST", P, P, {"problem": "lift", "title": "Lift", "words": "w", "why": "x", "by": "eva", "customers": ["dora"]}),
    ("POST", f"{C}/now/{{what}}", "/v1/customers/dora/now/taken", {"suggestion": "problem:lift"}),
    ("POST", f"{P}/{{problem}}/update", f"{P}/lift/update", {"words": "soon", "by": "eva"}),
    ("POST", f"{P}/{{problem}}/link", f"{P}/lift/link", {"customer": "emil", "by": "eva"}),
    ("POST", f"{P}/{{problem}}/answer", f"{P}/lift/answer", {"decisions": ["explained"], "by": "eva"}),
    ("POST", f"{P}/{{problem}}/mend", f"{P}/lift/mend", {"by": "eva"}),
    ("POST", f"{P}/{{problem}}/reopen", f"{P}/lift/reopen", {"words": "again", "by": "eva"}),
    ("POST", "/v1/stops", "/v1/stops", {"scope": "everything", "reason": "prices", "by": "eva"}),
    ("DELETE", "/v1/stops/{scope}", "/v1/stops/everything?by=eva", {}),
    ("POST", "/v1/stops", "/v1/stops", {"scope": "channel", "name": "email", "reason": "prices", "by": "eva"}),
    ("DELETE", "/v1/stops/{scope}/{name}", "/v1/stops/channel/email?by=eva", {}),
    ("POST", "/v1/merges", "/v1/merges", {"one": "dora", "other": "emil", "by": "eva", "why": "same"}),
    ("POST", "/v1/merges/{merge}/undo", "/v1/merges/{merge}/undo", {"by": "eva", "why": "other"}),
    ("POST", f"{C}/erase", "/v1/customers/emil/erase", {"by": "eva"}),
    ("POST", "/inbound/mail", "/inbound/mail", {}),
]  # fmt: skip


async def ready(doors: Doors) -> None:
    customers = CustomerStore(doors.pool)
    dora = await customers.known("dora")
    await customers.known("emil")
    async with doors.pool.connection() as connection:
        await connection.execute(
            "insert into runs (entry, workflow_id, first_run_id, journey, customer, engine, state,"
            " entered_at, began_at) values (70, 'journey/audited/x', 'r1', 'audited', %s, 1, 'open',"
            " now(), now())",
            [dora],
        )
        await connection.execute(
            'insert into cases ("case", entry, n, workflow_id, journey, customer, queue, brief,'
            " decisions, state, opened_at) values ('case/70', 70, 1, 'journey/audited/x', 'audited',"
            " %s, 'desk', 'b', %s, 'open', now()), ('case/asked:70:2', 70, 2, '', '', %s, 'desk',"
            " 'b', '{}', 'open', now()), ('case/asked:70:3', 70, 3, '', '', %s, 'desk', 'b', '{}',"
            " 'open', now())",
            [dora, OFFERED, dora, dora],
        )
        await connection.execute(
            "insert into members (member, name, role, grants) values ('limited', 'L', 'agent', 50)"
        )


async def test_every_door_of_staff_that_changes_something_leaves_a_deed(doors: Doors) -> None:
    audited = {
        (door.method, door.path)
        for door in DOORS
        if door.proof == "staff" and door.changes and not door.audited.startswith("not:")
    }
    assert audited - BY_COMMAND == {(method, path) for method, path, _, _ in OVER_HTTP}
    await ready(doors)
    merge, absence, message, unaudited = "0", "0", "0", list[str]()
    earlier = await newest(doors.pool)
    bearer = {"Authorization": f"Bearer {doors.tokens['operator']}"}
    for method, _, at, told in OVER_HTTP:
        before = await deeds(doors.pool)
        sent: dict[str, Any] = (
            {"json": told} if told else {"content": b"From: a@b.example\n\nhello"}
        )
        if method == "DELETE":
            sent = {}
        answer: httpx.Response = await doors.client.request(
            method,
            at.format(merge=merge, absence=absence, message=message),
            headers=bearer,
            **sent,
        )
        if at == "/v1/merges" and answer.status_code == 201:
            merge = str(answer.json()["merge"])
        if at.endswith("/absences"):
            absence = str(answer.json().get("absence"))
        if at.endswith("/messages") and answer.status_code == 201:
            message = str(answer.json()["message"])
        if await deeds(doors.pool) == before:
            unaudited.append(f"{method} {at}: {answer.status_code} {answer.text[:200]}")
    assert unaudited == []
    async with doors.pool.connection() as connection:
        rows = await (await connection.execute(
            "select did from audit where actor <> 'operator' and (who = 'eva' or did = 'handed in a mail')"
            " and audit > %s", [earlier],
        )).fetchall()  # fmt: skip
    assert rows == []
