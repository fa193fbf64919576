"""The door for mail: what it acknowledged is kept, for our domain only, and it ends well."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from aiosmtplib import SMTP, SMTPDataError, SMTPRecipientRefused, SMTPResponseException
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.local_mailbox import LocalMailbox
from channels.mail import MailSender
from channels.mail_door import MailDoor
from channels.smtp import SmtpChannel, SmtpServer
from tests.integration.delivery.conftest import ADDRESS, ANNA
from tests.integration.inbound.conftest import LINKS, REPLIES, Post

OURS = "reply@reply.air.example"
MAIL = b"From: anna@example.com\r\nSubject: Hello\r\nMessage-ID: <1@x>\r\n\r\nIs it late?\r\n"


@dataclass
class Kept:
    """What a door handed over; `full` refuses to keep any more."""

    mails: list[tuple[bytes, str, list[str]]] = field(default_factory=list)
    full: bool = False
    going_on: asyncio.Event | None = None

    async def take(self, raw: bytes, sender: str, recipients: list[str]) -> None:
        if self.full:
            raise OSError("no space left on the device\nand more")
        if self.going_on is not None:
            await self.going_on.wait()
        self.mails.append((raw, sender, recipients))


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest_asyncio.fixture
async def door(kept: Kept) -> AsyncIterator[MailDoor]:
    async with MailDoor(kept.take, REPLIES, port=0, largest=100_000) as opened:
        yield opened


def relay(door: MailDoor) -> SMTP:
    return SMTP(hostname="127.0.0.1", port=door.port, start_tls=False, timeout=10)


async def test_a_relay_is_told_that_a_mail_is_kept(door: MailDoor, kept: Kept) -> None:
    async with relay(door) as smtp:
        await smtp.sendmail("anna@example.com", [OURS, "Help@REPLY.air.example"], MAIL)
        await smtp.sendmail("", [OURS], MAIL)

    assert [sender for _, sender, _ in kept.mails] == ["anna@example.com", ""]
    assert kept.mails[0] == (MAIL, "anna@example.com", [OURS, "Help@REPLY.air.example"])


@pytest.mark.parametrize(
    "to",
    [
        "anna@example.com",
        "reply@air.example",
        "x@reply.air.example.evil.example",
        "x%example.com@air.example",
    ],
)
async def test_nothing_is_sent_on_for_anybody(door: MailDoor, kept: Kept, to: str) -> None:
    async with relay(door) as smtp:
        await smtp.mail("spam@example.net")
        with pytest.raises(SMTPRecipientRefused, match=r"only mail to reply\.air\.example"):
            await smtp.rcpt(to)

    assert kept.mails == []


async def test_a_mail_over_the_limit_is_refused_for_good(door: MailDoor, kept: Kept) -> None:
    async with relay(door) as smtp:
        with pytest.raises(SMTPResponseException) as refused:
            await smtp.sendmail("anna@example.com", [OURS], MAIL + b"x\r\n" * 50_000)

    assert refused.value.code == 552
    assert kept.mails == []


async def test_what_cannot_be_kept_now_stays_with_the_relay(door: MailDoor, kept: Kept) -> None:
    kept.full = True
    async with relay(door) as smtp:
        with pytest.raises(SMTPDataError) as refused:
            await smtp.sendmail("anna@example.com", [OURS], MAIL)
        kept.full = False
        await smtp.sendmail("anna@example.com", [OURS], MAIL)

    assert refused.value.code == 451
    assert "space" not in refused.value.message
    assert len(kept.mails) == 1


async def test_a_line_longer_than_the_standard_allows_is_taken(door: MailDoor, kept: Kept) -> None:
    async with relay(door) as smtp:
        await smtp.sendmail("anna@example.com", [OURS], MAIL + b"x" * 20_000 + b"\r\n")

    assert len(kept.mails) == 1


async def test_a_crowd_of_relays_is_asked_to_come_again(kept: Kept) -> None:
    async with MailDoor(kept.take, REPLIES, port=0, at_once=1) as door:
        async with relay(door) as first:
            async with relay(door) as second:
                with pytest.raises(SMTPResponseException, match="too many at once"):
                    await second.sendmail("anna@example.com", [OURS], MAIL)
            await first.noop()
        async with relay(door) as third:
            await third.sendmail("anna@example.com", [OURS], MAIL)

    assert len(kept.mails) == 1


async def test_lmtp_answers_once_for_each_recipient(kept: Kept) -> None:
    async with MailDoor(kept.take, REPLIES, port=0, protocol="lmtp") as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        lines = [
            "LHLO mx.air.example",
            f"MAIL FROM:<{ADDRESS}>",
            f"RCPT TO:<{OURS}>",
            f"RCPT TO:<2{OURS}>",
            "DATA",
        ]
        writer.write("".join(f"{line}\r\n" for line in lines).encode() + MAIL + b".\r\nQUIT\r\n")
        said = (await reader.read()).decode().splitlines()
        writer.close()

    assert [line[:3] for line in said[-4:]] == ["354", "250", "250", "221"]
    assert len(kept.mails) == 1


async def test_a_mail_that_is_being_kept_is_acknowledged_before_the_end(kept: Kept) -> None:
    kept.going_on = asyncio.Event()
    door = MailDoor(kept.take, REPLIES, port=0)
    await door.open()
    smtp = relay(door)
    await smtp.connect()
    sending = asyncio.create_task(smtp.sendmail("anna@example.com", [OURS], MAIL))
    while door._under_way == 0:
        await asyncio.sleep(0)

    closing = asyncio.create_task(door.close())
    await asyncio.sleep(0)
    kept.going_on.set()
    await closing

    await sending
    smtp.close()
    assert len(kept.mails) == 1


async def test_a_mail_may_come_encrypted(kept: Kept, tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate(tmp_path))
    async with MailDoor(kept.take, REPLIES, port=0, tls=context) as door:
        smtp = SMTP(hostname="127.0.0.1", port=door.port, start_tls=True, validate_certs=False)
        async with smtp:
            await smtp.sendmail("anna@example.com", [OURS], MAIL)

    assert len(kept.mails) == 1


def certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "reply.air.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.one_of(
    st.binary(max_size=60),
    st.sampled_from([
        b"EHLO x\r\n", b"MAIL FROM:<a@b.c> SIZE=1\r\n", b"MAIL FROM:<>\r\n", b"BDAT 3 LAST\r\n",
        b"RCPT TO:<reply@reply.air.example>\r\n",
        b"DATA\r\n", b"\r\n.\r\n", b"RSET\r\n", b"AUTH PLAIN AAAA\r\n", b"STARTTLS\r\n", b"\xff\r\n",
        b"From: \xff\r\n\r\nx", b"\n.\n", b"QUIT\r\n", b"VRFY x\r\n", b"HELP\r\n",
    ]),
), max_size=12))  # fmt: skip
async def test_whatever_comes_over_the_wire_the_door_stays_open(
    door: MailDoor, kept: Kept, pieces: list[bytes]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(b"".join(pieces))
    writer.write_eof()
    await reader.read()
    writer.close()

    before = len(kept.mails)
    async with relay(door) as smtp:
        await smtp.sendmail("anna@example.com", [OURS], MAIL)
    assert len(kept.mails) == before + 1


async def test_the_whole_way_from_our_mail_to_the_answer(post: Post, tmp_path: Path) -> None:
    """Sent by SMTP with an address of its own; answered there, by SMTP; told to the run that sent it."""
    sender = MailSender(address="care@air.example", replies=REPLIES)
    async with LocalMailbox(tmp_path, port=0) as mailbox:
        server = SmtpServer(host="127.0.0.1", port=mailbox.port, security="plain")
        channel = SmtpChannel(server, sender, LINKS)
        assert (
            await post.desk.worker(channel=channel).deliver_message(post.desk.order(1))
        ).state == "accepted"
        await channel.close()
        (line,) = mailbox.store.received()
        mail = mailbox.store.open_mail(line)

    async def take(raw: bytes, sender: str, recipients: list[str]) -> None:
        await post.inbound.take_mail(raw, sender, recipients)

    async with MailDoor(take, REPLIES, port=0) as door, relay(door) as smtp:
        await smtp.sendmail(ADDRESS, [mail["Reply-To"]], MAIL)

    (told,) = await post.touchpoints("Message Replied")
    assert told["customer"] == ANNA
    assert told["properties"]["delivery"] == f"journey/flight/{ANNA}:7:1"
    assert told["properties"]["text"] == "Is it late?"


async def test_a_report_that_could_not_be_written_down_is_brought_again(post: Post) -> None:
    raw = (Path(__file__).parent / "mails" / "complaint-arf.eml").read_bytes()
    post.reports.full = True
    with pytest.raises(OSError, match="no space"):
        await post.inbound.take_mail(raw, "", [OURS])

    post.reports.full = False
    again = await post.inbound.take_mail(raw, "", [OURS])

    assert not again.new
    assert [event.kind for event in post.reports.events] == ["complained"]


async def test_a_bounce_comes_back_to_the_delivery_that_it_is_about(post: Post) -> None:
    await post.desk.deliver(1)
    address = REPLIES.address(f"journey/flight/{ANNA}:7:1") or ""
    raw = (Path(__file__).parent / "mails" / "bounce-postfix.eml").read_bytes()

    heard = await post.inbound.take_mail(raw, "", [address])
    await post.inbound.take_mail(raw, "", [address])

    assert (heard.kind, heard.customer, heard.told) == ("bounce", ANNA, False)
    assert {event.event_id for event in post.reports.events} == {f"mail/{heard.reply}/0"}
    event = post.reports.events[0]
    assert (event.mark, event.kind, event.hard) == (
        f"journey/flight/{ANNA}:7:1",
        "bounced",
        True,
    )
    assert await post.touchpoints() == []
