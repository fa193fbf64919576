"""Canaries on a whole installation: what of a customer stands where it must not, before and after erasure."""

import asyncio
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import closing
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import pytest
import pytest_asyncio
from temporalio.client import Client

from cli.journey_files import Published, check_files, find_files
from contracts.history_codec import SEALED
from contracts.ids import workflow_id
from stores.customers import CustomerStore
from stores.database import open_pool
from stores.definitions import DefinitionStore
from stores.held_rules import Stays
from stores.held_tables import TABLES
from stores.messages import MessageStore
from stores.published import PublishedStore
from tests.integration.api.link_browser import opened
from tests.scorecard import keep
from tests.security import canaries as found
from tests.security.canaries import Canaries
from workers.embedded.stack import Ports, Stack

JOURNEY = """
language: 1
journey: canary
title: Everything a customer can fill
owner: tests
enter: {on: Help Wanted, key: event.properties.ticket, again: always}
keep: {words: event.properties.words, more: '""'}
stages:
  - stage: asked
    steps:
      - show: {at: [web], say: 'You asked: {{ run.words }}', until: 3d}
      - send: {message: we-heard, purpose: service}
      - call:
          url: 'http://127.0.0.1:9/help'
          method: POST
          body: {words: run.words}
          as: told
          on_failure: continue
      - ask: {survey: how, type: csat, as: how, purpose: service, message: how, until: 14d, late: []}
      - set: {customer.last_words: run.words}
      - handoff:
          as: help
          queue: care
          brief: 'Asks: {{ run.words }}'
          resolve: 20d
          decisions:
            helped: {title: Helped, fields: {note: text}, do: [{finish: helped}]}
          late: [{finish: left}]
"""

SURVEY = """
survey: how
type: csat
owner: tests
question: How was it?
low: bad
high: good
comment: Anything else?
thanks: Thank you.
"""

MESSAGES = {
    "we-heard": "---\nsubject: 'We heard you, {{ customer.first_name }}'\n---\n{{ run.words }}\n",
    "how": "---\nsubject: How was it\n---\n{{ survey.link }}\n",
}

PLAIN = {"foreign", "ticket"}
"""Sent as it is by another SDK, as is whom it means; and a key of a run, which is part of its id: authors are told."""

NOT_KEPT = {"sendername", "mailid"}
"""Of a mail only what is said in docs is kept: neither the name beside the address nor its id."""

OF_ALL = {"groups": {"group"}}
"""A group is of all its members, and its name is not one customer's: that they were in it goes."""


@pytest_asyncio.fixture
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("canary")
    settings = {
        "CLEW_METRICS_PORT": "0",
        "CLEW_LOG_LEVEL": "debug",
    }
    async with Stack(folder, say=lambda _: None, ports=Ports.free(), settings=settings) as stack:
        yield stack


async def publish(stack: Stack, folder: Path) -> None:
    folder.mkdir()
    (folder / "journey.yaml").write_text(JOURNEY)
    (folder / "surveys").mkdir()
    (folder / "surveys" / "how.yaml").write_text(SURVEY)
    (folder / "messages").mkdir()
    for name, source in MESSAGES.items():
        (folder / "messages" / f"{name}.md").write_text(source)
    pool = await open_pool(stack.addresses.database_url)
    checked = check_files(find_files([folder]), Published(messages=[]))
    assert checked.problems == []
    for name, (_, source) in checked.messages.items():
        await MessageStore(pool).publish(name, source)
    for name, survey in checked.surveys.items():
        await PublishedStore(pool).publish("survey", name, survey.model_dump(mode="json"))
    for definition in checked.journeys:
        await DefinitionStore(pool).publish(definition)
    await pool.close()


class Customer:
    """A customer who fills everything that can be filled."""

    def __init__(self, stack: Stack, canary: Canaries) -> None:
        self.stack, self.canary = stack, canary
        self.user = canary.of("userid")
        self.mail = f"{canary.of('mail')}@example.com"

    async def lives(self) -> None:
        of = self.canary.of
        await self._tell(
            type="identify",
            anonymousId=of("anonymous"),
            traits={
                "email": self.mail,
                "first_name": of("name"),
                "phone": "+420777123456",
                "note": of("trait"),
            },
            context={"ip": of("ip"), "userAgent": of("agent"), "channel": of("context")},
        )
        await self._tell(type="group", groupId=of("group"), traits={})
        await self._tell(
            type="track",
            event="Help Wanted",
            properties={"words": of("words"), "ticket": of("ticket"), "unread": of("property")},
        )
        await self._until("select 1 from deliveries where message = 'how' and state = 'accepted'")
        await self._refused()
        await self._answers()
        await self._until("select 1 from cases where state = 'open'")
        await self._staff("POST", "/v1/customers/-/feeling",
                          {"feeling": "angry", "why": of("staffnote"), "by": "eva"})  # fmt: skip
        await self._writes()

    async def _tell(self, **message: Any) -> None:
        sent = {
            "userId": self.user,
            "messageId": f"{self.canary.of('message')}{uuid4().hex}",
            **message,
        }
        async with httpx.AsyncClient(base_url=self.stack.addresses.api) as api:
            key = (self.stack.addresses.write_key, "")
            answer = await api.post("/v1/batch", json={"batch": [sent]}, auth=key)
        assert answer.status_code == 200, answer.text

    async def _refused(self) -> None:
        """What ingest cannot take, and parks."""
        await self._tell(
            type="track", event="x" * 3_000, properties={"bad": self.canary.of("refused")}
        )

    async def _answers(self) -> None:
        texts = [_text(path) for path in self.stack.files.mailbox.rglob("*.eml")]
        [link] = {found for text in texts for found in re.findall(r"/s#([\w.~-]+)", text)}
        async with httpx.AsyncClient(base_url=self.stack.addresses.api) as api:
            form = {"score": "1", "words": self.canary.of("answer")}
            page = await opened(api, f"/s#{link}")
            answer = await api.post(page, data=form)
        assert answer.status_code == 200, answer.text

    async def _writes(self) -> None:
        """A mail of theirs, with a file."""
        of = self.canary.of
        mail = (
            f"From: {of('sendername')} <{self.mail}>\r\nTo: hello@clew.example\r\n"
            f"Subject: {of('subject')}\r\nMessage-ID: <{of('mailid')}@example.com>\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n'
            f"{of('body')}\r\n--b\r\nContent-Type: text/plain\r\n"
            f'Content-Disposition: attachment; filename="{of("filename")}.txt"\r\n\r\n{of("file")}\r\n--b--\r\n'
        )
        await self._staff("POST", "/inbound/mail", mail.encode())
        await self._until("select 1 from inbound_messages")

    async def foreign(self, client: Client, customer: str) -> str:
        """Begun by somebody's own SDK, which has no codec; its workflow id."""
        touchpoint = {"message_id": uuid4().hex, "event": "Help Wanted",
                      "properties": {"words": self.canary.of("foreign"), "ticket": "two"}}  # fmt: skip
        request = {"journey": "canary", "customer": self.user, "key": "two"}
        run = workflow_id("canary", customer, "two")
        await client.start_workflow(
            "customer_journey",
            request,
            id=run,
            task_queue="journeys",
            start_signal="touchpoint",
            start_signal_args=[touchpoint],
        )
        await self._until("select 1 from deliveries where state = 'accepted' having count(*) = 4")
        return run

    async def erase(self) -> dict[str, Any]:
        """Through the door of the staff, as a program of theirs asks."""
        begun = await self._staff("POST", "/v1/customers/-/erase", {"by": "eva"})
        async with asyncio.timeout(150):
            while True:
                proof = await self._staff("GET", f"/v1/erasures/{begun['erasure']}", None)
                if proof["state"] == "done":
                    return proof
                await asyncio.sleep(0.1)

    async def _staff(self, method: str, path: str, body: Any) -> dict[str, Any]:
        said: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        headers = {
            "Authorization": f"Bearer {self.stack.addresses.staff_token}",
            "X-Customer": self.mail,
            "X-Envelope-To": "hello@clew.example",
        }
        async with httpx.AsyncClient(base_url=self.stack.addresses.api, headers=headers) as api:
            answer = await api.request(method, path, **said)
        assert answer.status_code < 300, (path, answer.text)
        return answer.json()

    async def _until(self, statement: Any) -> None:
        pool = await open_pool(self.stack.addresses.database_url, most=1)
        async with asyncio.timeout(150):
            while True:
                async with pool.connection() as connection:
                    if await (await connection.execute(statement)).fetchone():
                        break
                await asyncio.sleep(0.1)
        await pool.close()


def _text(mail: Path) -> str:
    body = message_from_bytes(mail.read_bytes(), policy=policy.default).get_body(["plain"])
    return body.get_content() if body is not None else ""


def hits(
    canary: Canaries, where: Mapping[str, bytes], but: Collection[str] = ()
) -> dict[str, set[str]]:
    """Where → the fields whose values stand there."""
    all_ = {name: canary.found_in(content, but=but) for name, content in where.items()}
    return {name: fields for name, fields in all_.items() if fields}


async def outside(stack: Stack, client: Client, canary: Canaries) -> dict[str, set[str]]:
    """Everything that is no store of customers' data: 0 hits at any time."""
    wrong = [
        ("POST", "/v1/batch", {"batch": [{"userId": canary.of("userid")}]}),
        ("POST", "/v1/identify", {"traits": {"a": canary.of("trait")}}),
        ("GET", f"/v1/customers/{canary.of('userid')}/feeling", None),
        ("POST", f"/s/{canary.of('words')}", {}),
        ("POST", f"/u/{canary.of('words')}", {}),
        ("GET", "/v1/cases", None),
    ]
    return hits(
        canary,
        {
            **found.logs(stack),
            **{f"metrics of {name}": told for name, told in (await found.metrics(stack)).items()},
            "what the Web UI shows": await found.shown(client),
            "what the API says to wrong requests": await found.answers(stack, wrong),
        },
        PLAIN,
    )


def encrypted(histories: dict[str, bytes]) -> bool:
    """Whether payloads of ours are encrypted here."""
    return any(SEALED in history for history in histories.values())


def temporal_files(
    stack: Stack, canary: Canaries
) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """What stands in the files of Temporal's SQLite when it has stopped, and once more when it was vacuumed."""
    folder = stack.files.folder / "temporal"
    raw = hits(canary, found.files_of(folder))
    with closing(sqlite3.connect(folder / "temporal.db")) as connection:
        connection.execute("vacuum")
        connection.execute("pragma wal_checkpoint(truncate)")
    return raw, hits(canary, found.files_of(folder))


def in_files(raw: dict[str, set[str]], vacuumed: dict[str, set[str]]) -> dict[str, Any]:
    """Figures of what stands in Temporal's files."""
    left = set[str]().union(*vacuumed.values())
    return {
        "after: Temporal's file": sum(map(len, raw.values())),
        "after: Temporal's file, vacuumed": len(left - {"ticket"}),
        "after: keys of runs in ids, in its timers": "ticket" in left,
    }


@pytest.mark.timeout(600)
async def test_no_canary_is_found_where_it_must_not_be_and_none_anywhere_after_erasure(
    stack: Stack, tmp_path: Path
) -> None:
    await publish(stack, tmp_path / "canary")
    canary = Canaries(uuid4().hex[:6])
    anna = Customer(stack, canary)
    client = await Client.connect(stack.addresses.temporal_address)
    await anna.lives()
    pool = await open_pool(stack.addresses.database_url, most=2)
    known = await CustomerStore(pool).find(anna.user)
    assert known is not None
    foreign = await anna.foreign(client, known.customer)

    stores = hits(canary, found.dumped(stack))
    told = {name: history async for name, history in found.histories(client)}
    in_histories = hits(canary, {run: told[run] for run in told if run != foreign}, PLAIN)
    in_histories |= hits(canary, {foreign: told[foreign]}, PLAIN | {"userid"})
    before = await outside(stack, client, canary)

    assert set().union(*stores.values()) == set(canary.given) - NOT_KEPT, "each came through"
    staying = {table for table, held in TABLES.items() if isinstance(held.erase, Stays)}
    assert {name: stores[name] for name in staying & set(stores)} == OF_ALL, "only in what goes"
    assert set(stores) <= set(TABLES)
    assert before == {}
    assert encrypted(told)
    assert in_histories == {}

    began = time.monotonic()
    proof = await anna.erase()
    seconds = time.monotonic() - began
    left = hits(canary, found.dumped(stack))
    left |= hits(canary, {name: history async for name, history in found.histories(client)})
    after = left | await outside(stack, client, canary)
    await pool.close()
    del client
    await stack.stop()
    raw, vacuumed = temporal_files(stack, canary)

    assert after.pop("groups") == OF_ALL["groups"]
    assert after == {}
    assert set().union(*vacuumed.values()) <= {"ticket"}, (
        "timers that are not due yet name runs by id"
    )
    keep(
        "R15",
        {
            "canaries": len(canary.given),
            "before: logs, metrics, replies, ids": sum(map(len, before.values())),
            "before: histories without codec": sum(map(len, in_histories.values())),
            "after: database, histories, logs, metrics, replies, ids": len(after),
            **in_files(raw, vacuumed),
            **{name: proof[name] for name in ("executions", "keys")},
            "rows": sum(proof["counts"].values()),
            "seconds": round(seconds, 2),
        },
        met=not (before or in_histories or after),
    )
