"""The whole way: ledger, Liquid, SMTP, and a mailbox that keeps its own count."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from channels.local_mailbox import LocalMailbox
from channels.mail import MailSender, message_id
from channels.recording import StallAfterAccept
from channels.smtp import SmtpChannel, SmtpServer
from channels.unsubscribe_link import UnsubscribeLinks
from tests.integration.channels.scripted_smtp import ScriptedSmtp
from tests.integration.delivery.conftest import ADDRESS, Desk

LINKS = UnsubscribeLinks("https://journeys.example", b"s" * 32)


def channel(port: int) -> SmtpChannel:
    server = SmtpServer(host="127.0.0.1", port=port, security="plain", timeout=timedelta(seconds=3))
    return SmtpChannel(server, MailSender(address="care@air.example"), LINKS)


async def test_the_mailbox_counts_what_the_ledger_says(desk: Desk, tmp_path: Path) -> None:
    async with LocalMailbox(tmp_path, port=0) as mailbox:
        smtp = channel(mailbox.port)
        worker = desk.worker(channel=smtp)
        orders = [desk.order(n % 20 + 1) for n in range(60)]
        await asyncio.gather(*(worker.deliver_message(o) for o in orders), return_exceptions=True)
        for n in range(1, 21):
            assert (await worker.deliver_message(desk.order(n))).state == "accepted"
        await smtp.close()

        counts = mailbox.store.counts()

    rows = await desk.rows("select * from deliveries")
    assert counts == {row["provider_id"]: 1 for row in rows}
    assert len(counts) == 20


async def test_a_correction_is_one_thread_in_the_customers_mailbox(
    desk: Desk, tmp_path: Path
) -> None:
    async with LocalMailbox(tmp_path, port=0) as mailbox:
        smtp = channel(mailbox.port)
        worker = desk.worker(channel=smtp)
        await worker.deliver_message(desk.order(1))
        await worker.deliver_message(desk.order(2, replaces=1, values={"run": {"gate": "C7"}}))
        await smtp.close()
        wrong, right = (mailbox.store.open_mail(mail) for mail in mailbox.store.received())

    assert right["In-Reply-To"] == wrong["Message-ID"]
    assert right["Subject"] == "Gate C7"


@pytest.mark.parametrize(("purpose", "copies"), [("marketing", 1), ("service", 2)])
async def test_a_relay_that_stalls_after_taking_it(desk: Desk, purpose: str, copies: int) -> None:
    relay = ScriptedSmtp()
    await relay.open()
    relay.scripts[ADDRESS] = [StallAfterAccept()]
    smtp = channel(relay.port)
    worker = replace(desk.worker(channel=smtp))
    order = desk.order(purpose=purpose)

    with pytest.raises(ApplicationError):
        await worker.deliver_message(order)
    told = await worker.deliver_message(order)
    await smtp.close()
    await relay.close()

    assert told.state == ("unknown" if purpose == "marketing" else "accepted")
    ids = [str(mail["Message-ID"]) for mail in relay.taken]
    assert ids == [message_id("journey/flight/c_anna:7:1", "air.example")] * copies
