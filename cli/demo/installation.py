"""What the demo needs inside the installation it has started: the journey, and stores to look at."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from channels.mail_store import MailStore
from channels.message_bundle import message_of, read_message
from cli.message_sources import message_beside
from console.flight_picture import SignIn
from examples.flight.rehearsed_day import JOURNEY, MESSAGES
from journey.member import MemberFile
from journey.publication import read_definition
from stores.case_desk import CaseDesk
from stores.database import Pool, open_pool
from stores.definitions import DefinitionStore
from stores.demo_figures import DemoFigures
from stores.member_passwords import MemberPasswordStore
from stores.members import MemberStore, member_written
from stores.messages import MessageStore
from stores.runs import RunStore
from stores.wakeup import Bell
from workers.embedded.stack import Addresses

VISITOR = "visitor"
"""As whom whoever watches looks at mission control and the inbox: an admin, for it is their machine."""

DESKS = ("connections", "rebooking", "baggage")
WAIT_SECONDS = 3.0
"""How long one look waits for a database that was killed."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Installed:
    """The demo's ways into the installation."""

    pool: Pool
    figures: DemoFigures
    runs: RunStore
    cases: CaseDesk
    mails: MailStore
    control: SignIn


@asynccontextmanager
async def installed(addresses: Addresses) -> AsyncGenerator[Installed]:
    """Publish the flight journey, and open what the demo reads."""
    pool = await open_pool(
        addresses.database_url, name="clew demo", most=4, wait_seconds=WAIT_SECONDS
    )
    try:
        await publish(pool)
        async with Bell(addresses.database_url) as bell:
            yield Installed(
                pool=pool,
                figures=DemoFigures(pool),
                runs=RunStore(pool),
                cases=CaseDesk(pool, bell.ring),
                mails=MailStore(Path(addresses.state) / "mailbox"),
                control=await visitor(pool, f"{addresses.api}/control"),
            )
    finally:
        await pool.close()


async def visitor(pool: Pool, address: str) -> SignIn:
    """A member of staff for this demo alone, with a password that is made now."""
    read = MemberFile(member=VISITOR, name="A visitor", role="admin", queues=list(DESKS))
    await MemberStore(pool).put(member_written(read), by="demo")
    password = secrets.token_urlsafe(12)
    await MemberPasswordStore(pool).set(VISITOR, password, by="demo")
    return SignIn(address=address, member=VISITOR, password=password)


async def publish(pool: Pool) -> None:
    """Publish examples/flight: its messages, then the journey that names them."""
    sources = {
        name: message_beside(MESSAGES / f"{name}.md").source
        for name in {message_of(path.name) for path in MESSAGES.glob("*.md")}
    }
    messages = MessageStore(pool)
    for name, source in sorted(sources.items()):
        read_message(name, source)
        await messages.publish(name, source)
    source = JOURNEY.read_text(encoding="utf-8")
    await DefinitionStore(pool).publish(read_definition(source, JOURNEY.name, sources))
