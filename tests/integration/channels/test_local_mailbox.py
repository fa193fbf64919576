"""The local mailbox: what it acknowledged is in its journal, and a person can read it."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from fastapi import FastAPI
from fastapi.testclient import TestClient

from channels.local_mailbox import LocalMailbox
from channels.mail_store import JOURNAL, MailStore
from console.mailbox import mailbox_router
from tests.integration.channels.one_message import a_message
from tests.integration.channels.providers import smtp_channel

NOW = datetime(2013, 2, 8, 17, 2, tzinfo=UTC)


@pytest_asyncio.fixture
async def mailbox(tmp_path: Path) -> AsyncIterator[LocalMailbox]:
    async with LocalMailbox(tmp_path / "mailbox", port=0, wall_clock=lambda: NOW) as box:
        yield box


async def test_a_mail_is_in_the_journal_when_the_sender_is_told(mailbox: LocalMailbox) -> None:
    channel = smtp_channel(mailbox.port)
    answer = await channel.send(a_message())
    await channel.close()

    (mail,) = MailStore(mailbox.store.folder).received()
    assert (mail.to, mail.subject) == ("anna@example.com", "Gate B4")
    assert mail.message_id == answer.provider_id
    assert mail.received_at == "2013-02-08T17:02:00+00:00"
    assert mailbox.store.open_mail(mail).get_content() == "Your gate is B4.\r\n"


async def test_a_customer_who_got_it_twice_is_counted_twice(mailbox: LocalMailbox) -> None:
    channel = smtp_channel(mailbox.port)
    first = await channel.send(a_message(1))
    await channel.send(a_message(1))
    second = await channel.send(a_message(2))
    await channel.close()

    assert mailbox.store.counts() == {first.provider_id: 2, second.provider_id: 1}


async def test_the_journal_goes_on_where_it_was(mailbox: LocalMailbox) -> None:
    """A line torn by a kill is left behind; the mails before and after it are all there."""
    channel = smtp_channel(mailbox.port)
    await channel.send(a_message(1))
    await mailbox.close()
    with (mailbox.store.folder / JOURNAL).open("ab") as journal:
        journal.write(b'{"received_at": "2013-')

    async with LocalMailbox(mailbox.store.folder, port=0, wall_clock=lambda: NOW) as again:
        await smtp_channel(again.port).send(a_message(2))
        found = again.store.received()

    assert [mail.subject for mail in found] == ["Gate B4", "Gate B4"]
    assert len({mail.path for mail in found}) == 2


async def test_a_reader_elsewhere_sees_what_comes(mailbox: LocalMailbox) -> None:
    reader = MailStore(mailbox.store.folder)
    assert reader.received() == []

    channel = smtp_channel(mailbox.port)
    for n in range(3):
        await channel.send(a_message(n))
        assert len(reader.received()) == n + 1
    await channel.close()


def page(store: MailStore) -> TestClient:
    application = FastAPI()
    application.include_router(mailbox_router(store))
    return TestClient(application)


MAIL = b"""From: care@air.example
To: anna@example.com
Subject: =?utf-8?q?=3Cscript=3Ealert=281=29=3C/script=3E?=
Message-ID: <1@air.example>
Content-Type: text/plain; charset=utf-8

<img src=x onerror=alert(1)> Your gate is B4.
"""


@pytest.fixture
def kept(tmp_path: Path) -> MailStore:
    store = MailStore(tmp_path)
    store.open()
    return store


def test_mails_are_listed_newest_first_and_read_one_by_one(kept: MailStore) -> None:
    for n in range(120):
        kept.keep(MAIL, [f"customer{n}@example.com"], NOW.isoformat())

    first = page(kept).get("/mailbox").text
    second = page(kept).get("/mailbox?page=2").text
    sought = page(kept).get("/mailbox", params={"to": "Customer7@"}).text

    assert "120 mails, newest first" in first
    assert first.index("customer119@") < first.index("customer20@")
    assert "customer19@" not in first
    assert "customer19@" in second
    assert "1 mail," in sought
    name = kept.received()[0].name
    assert "Your gate is B4." in page(kept).get(f"/mailbox/{name}").text


def test_text_is_shown_as_text_and_nothing_runs(kept: MailStore) -> None:
    kept.keep(MAIL, ["anna@example.com"], NOW.isoformat())

    for path in ("/mailbox", f"/mailbox/{kept.received()[0].name}"):
        shown = page(kept).get(path)
        assert "<script>" not in shown.text
        assert "<img" not in shown.text
        assert "&lt;script&gt;alert(1)" in shown.text
        policy = shown.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'")
        assert "unsafe" not in policy


def test_a_mail_that_is_not_there_is_not_found(kept: MailStore) -> None:
    for name in ("nothing", "..%2f..%2fetc%2fpasswd", "mails"):
        assert page(kept).get(f"/mailbox/{name}").status_code == 404


def test_a_mail_that_is_no_mail_is_kept_and_shown(kept: MailStore) -> None:
    kept.keep(b"\xff\x00 nonsense\r\n\r\n\xff\xfe", ["anna@example.com"], NOW.isoformat())

    (line,) = (kept.folder / JOURNAL).read_bytes().splitlines()
    assert json.loads(line)["to"] == "anna@example.com"
    assert page(kept).get("/mailbox").status_code == 200
    assert page(kept).get(f"/mailbox/{kept.received()[0].name}").status_code == 200
