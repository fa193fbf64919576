"""Mail to members of staff by a real relay, and their answers by our own door for mail."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

from aiosmtplib import SMTP

from channels.mail import MailSender
from channels.mail_door import MailDoor
from channels.smtp import SmtpChannel, SmtpServer
from channels.staff_address import StaffAddresses
from channels.unsubscribe_link import UnsubscribeLinks
from contracts.inbound_message import Heard
from stores.case_messages import CaseWriter
from stores.case_rows import Case
from stores.customers import CustomerStore
from stores.database import Pool, ordered_json
from stores.members import Member, MemberStore
from stores.published import HOUSE, PublishedStore
from tests.integration.api.test_case_desk import QUEUES
from tests.integration.channels.scripted_smtp import ScriptedSmtp
from tests.security.conftest import NoBell, every_door
from workers.delivery_worker import staff_mail_round
from workers.inbound import inbound_desk

DOMAIN, SECRET = "reply.shop.example", b"a secret of at least 32 characters"
EVA, BOB, JAN = "Eva@shop.example", "bob@shop.example", "jan@shop.example"
CASE, NAME = "case/asked:0:7", "0:7"
OFFERED: dict[str, Any] = {
    "explained": {"title": "Explain"},
    "refund": {"title": "Refund", "fields": {"amount": "number"}, "authority": "amount"},
}


@dataclass
class StaffPost:
    """What goes out to staff, and what they answer."""

    pool: Pool
    relay: ScriptedSmtp
    channel: SmtpChannel
    desk: CaseWriter
    port: int
    heard: list[Heard] = field(default_factory=list[Heard])

    async def rounds(self, most: int = 10) -> None:
        """Everything that happened has settled; whoever is concerned is written to."""
        await self.rows("update case_events set at_wall = at_wall - interval '1 minute'")
        await self.rows("update staff_mails set next_at = clock_timestamp()")
        told = staff_mail_round(self.pool, self.channel, "https://clew.test")
        for _ in range(most):
            if not await told.round():
                break

    async def given(self, to: str = "eva") -> EmailMessage:
        """Somebody hands the case over; the mail about it."""
        await self.desk.hand_over(CASE, "bob", to=to, note="knows lamps")
        await self.rounds()
        return self.relay.taken[-1]

    async def reply(
        self,
        to: EmailMessage,
        text: str,
        *headers: str,
        sender: str = EVA,
        number: int = 1,
        address: str | None = None,
        body: str | None = None,
    ) -> Heard:
        """A member answers a mail, by SMTP as their mail program does."""
        head = [
            f"From: {sender}", f"To: {address or to['Reply-To']}", f"Subject: Re: {to['Subject']}",
            f"Message-ID: <{number}@shop.example>", f"In-Reply-To: {to['Message-ID']}", *headers,
        ]  # fmt: skip
        quoted = "\r\n\r\nOn Mon, 23 Nov 2026 at 10:11, Clew <clew@shop.example> wrote:\r\n> #decide explained\r\n"
        raw = "\r\n".join([*head, "", body if body is not None else text + quoted]).encode()
        return await self.hand_in(raw, sender, address or str(to["Reply-To"]))

    async def hand_in(self, raw: bytes, sender: str, address: str) -> Heard:
        smtp = SMTP(hostname="127.0.0.1", port=self.port, start_tls=False)
        await smtp.connect()
        try:
            await smtp.sendmail(sender, [address], raw)
        finally:
            await smtp.quit()
        return self.heard[-1]

    async def answers(self) -> list[str]:
        """What members are answered."""
        rows = await self.rows("select words from staff_mails where kind = 'answer' order by mail")
        return [row["words"] for row in rows]

    async def case(self) -> Case:
        found = await self.desk.named(NAME)
        assert found is not None
        return found

    async def rows(self, query: Any, *values: Any) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall() if cursor.description is not None else []


@asynccontextmanager
async def staff_post(pool: Pool) -> AsyncGenerator[StaffPost]:
    """An installation whose staff have addresses; one case in their queue."""
    await _office(pool)
    relay = ScriptedSmtp(at_data=True)
    await relay.open()
    addresses = StaffAddresses(DOMAIN, SECRET)
    channel = SmtpChannel(
        SmtpServer(host="127.0.0.1", port=relay.port, security="plain"),
        MailSender(address="clew@shop.example", name="Clew", replies=addresses),
        UnsubscribeLinks("https://clew.test", SECRET),
    )
    bell: Any = NoBell()
    inbound = inbound_desk(pool, bell, every_door(), reply_domain=DOMAIN, welcome=())
    post = StaffPost(pool, relay, channel, CaseWriter(pool), 0)

    async def take(raw: bytes, sender: str, recipients: list[str]) -> None:
        post.heard.append(await inbound.take_mail(raw, sender, recipients))

    async with MailDoor(take, addresses, port=0) as door:
        post.port = door.port
        yield post
    await channel.close()
    await relay.close()


async def _office(pool: Pool) -> None:
    await PublishedStore(pool).publish("queues", HOUSE, QUEUES)
    anna = await CustomerStore(pool).known("anna")
    members = MemberStore(pool)
    for member in (
        Member(member="eva", name="Eva", role="agent", queues=("desk",), email=EVA.lower()),
        Member(member="bob", name="Bob", role="lead", queues=("desk",), email=BOB),
        Member(member="jan", name="Jan", role="agent", queues=("desk",), email=JAN),
        Member(member="mute", name="Mute", role="lead", queues=("desk",)),
    ):
        await members.put(member, by="test")
    now = datetime.now(UTC)
    async with pool.connection() as connection:
        await connection.execute(
            'insert into cases ("case", entry, n, workflow_id, journey, customer, queue, brief, title,'
            " decisions, state, opened_at, resolve_by) values (%s, 0, 7, '', '', %s, 'desk',"
            " 'It came broken', 'Lamp', %s, 'open', %s, '2030-01-02 03:04Z')",
            [CASE, anna, ordered_json(OFFERED), now],
        )
