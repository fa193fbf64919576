"""`python -m workers inbound`: the door for the mail that customers answer with."""

import ssl
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from api.inbound import InboundDesk
from api.staff_mail import StaffMailDesk
from channels.inbound_mail import MailReader
from channels.mail_door import MailDoor
from channels.reply_address import ReplyAddresses
from channels.staff_address import StaffAddresses
from channels.unsubscribe_link import UnsubscribeLinks
from stores.case_messages import CaseWriter
from stores.customers import CustomerStore
from stores.database import Pool
from stores.feedback import FeedbackStore
from stores.inbound import InboundStore
from stores.members import MemberStore
from stores.staff_mails import StaffMailStore
from stores.wakeup import Bell
from workers.certificates import server_side
from workers.connections import database
from workers.process import Life
from workers.settings import InboundSettings
from workers.signing_settings import SigningSettings


def inbound_desk(
    pool: Pool,
    bell: Bell,
    settings: SigningSettings,
    *,
    reply_domain: str | None,
    welcome: Sequence[str],
) -> InboundDesk:
    """What takes customers' messages in, on our own database."""
    secret = settings.secret.get_secret_value().encode()
    replies = ReplyAddresses(reply_domain, secret) if reply_domain else None
    reader = MailReader(replies, UnsubscribeLinks(settings.public_url, secret))
    messages = InboundStore(pool, CustomerStore(pool), bell.ring, welcome=welcome)
    staff = staff_mail_desk(pool, bell.ring, reply_domain, secret) if reply_domain else None
    return InboundDesk(reader, messages, FeedbackStore(pool, bell.ring), staff)


def staff_mail_desk(
    pool: Pool, ring: Callable[[], None], reply_domain: str, secret: bytes
) -> StaffMailDesk:
    """What obeys members of staff who answer by mail, on our own database."""
    return StaffMailDesk(
        addresses=StaffAddresses(reply_domain, secret),
        members=MemberStore(pool),
        desk=CaseWriter(pool, ring),
        replies=StaffMailStore(pool),
    )


async def serve(settings: InboundSettings, life: Life) -> None:
    """Take mail until told to stop; then let what is being kept be acknowledged."""
    replies = ReplyAddresses(settings.reply_domain, settings.secret.get_secret_value().encode())
    tls = _tls(settings)
    async with AsyncExitStack() as parts:
        pool = await parts.enter_async_context(database(settings, "inbound"))
        bell = await parts.enter_async_context(Bell(settings.database_url))
        desk = inbound_desk(
            pool,
            bell,
            settings,
            reply_domain=settings.reply_domain,
            welcome=settings.inbound_welcomes,
        )

        async def take(raw: bytes, sender: str, recipients: list[str]) -> None:
            await desk.take_mail(raw, sender, recipients)

        door = MailDoor(
            take,
            replies,
            settings.inbound_host,
            settings.inbound_port,
            protocol=settings.inbound_protocol,
            tls=tls,
        )
        await door.open()
        life.ready()
        await life.stop.wait()
        await door.close(drain_seconds=settings.drain_seconds)


def _tls(settings: InboundSettings) -> ssl.SSLContext | None:
    """Raises: `UnfitInstallationError` where the certificate cannot be used."""
    if settings.inbound_certificate is None:
        return None
    names = "CLEW_INBOUND_CERTIFICATE, CLEW_INBOUND_KEY"
    return server_side(settings.inbound_certificate, settings.inbound_key, names)
