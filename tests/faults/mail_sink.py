"""A mail relay that does to each recipient what a script says, and keeps a ledger of all that it took.

The ledger is a file that is only appended to, written before the sender is told: what it holds left
us, whatever we believe. Duplicates are counted there and nowhere else.
"""

import asyncio
import json
import os
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, Envelope, Session

Way = Literal[
    "accept",  # takes it and says so
    "stall",  # takes it and says nothing until the sender gives up
    "busy",  # 451
    "refuse",  # 550
    "drop",  # hangs up in the middle of the mail
    "slow",  # takes it and says so byte by byte
    "twice",  # takes it and says so twice
]
TAKES: frozenset[Way] = frozenset({"accept", "stall", "slow", "twice"})


@dataclass(slots=True, frozen=True)
class Taken:
    """One mail that the relay took. `at`: seconds since 1970."""

    at: float
    message_id: str
    to: str
    way: Way


@dataclass
class MailSink:
    """The relay. `byte_seconds`: how long a slow one takes for each byte of its answer.

    `again` is awaited with the Message-ID of a mail that was taken before, before it is taken again.
    """

    ledger: Path
    byte_seconds: float = 0.1
    again: Callable[[str], Awaitable[None]] | None = None
    port: int = 0
    tried: Counter[Way] = field(default_factory=Counter[Way])
    _scripts: dict[str, deque[Way]] = field(default_factory=dict[str, "deque[Way]"])
    _taken: list[Taken] = field(default_factory=list[Taken])
    _counts: Counter[str] = field(default_factory=Counter[str])
    _server: asyncio.Server | None = None
    _conversations: set["_Conversation"] = field(default_factory=set["_Conversation"])

    async def __aenter__(self) -> "MailSink":
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Conversation(self, loop), "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for conversation in [*self._conversations]:
            if conversation.transport is not None:
                conversation.transport.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """As CLEW_SMTP_URL has it."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def taken(self) -> list[Taken]:
        """All that was taken, in order."""
        return self._taken

    def counts(self) -> Counter[str]:
        """How often each Message-ID was taken: more than once is a customer who got it twice."""
        return Counter(self._counts)

    def script(self, address: str, ways: Iterable[Way]) -> None:
        """What happens to the next mails to an address; after them it accepts."""
        self._scripts[address.lower()] = deque(ways)

    def next_way(self, address: str) -> Way:
        script = self._scripts.get(address.lower())
        way: Way = script.popleft() if script else "accept"
        self.tried[way] += 1
        return way

    def take(self, envelope: Envelope, message_id: str, way: Way) -> None:
        """Write a mail down, for good."""
        taken = Taken(time.time(), message_id, envelope.rcpt_tos[0], way)
        line = json.dumps(
            {"at": taken.at, "message_id": taken.message_id, "to": taken.to, "way": way}
        )
        descriptor = os.open(self.ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(descriptor, f"{line}\n".encode())
        finally:
            os.close(descriptor)
        self._taken.append(taken)
        self._counts[taken.message_id] += 1

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        """What becomes of a mail that came whole."""
        assert isinstance(server, _Conversation)
        way = server.way
        if way in TAKES:
            assert isinstance(envelope.content, bytes)
            named = str(message_from_bytes(envelope.content)["Message-ID"]).strip()
            if self.again is not None and self._counts[named]:
                await self.again(named)
            self.take(envelope, named, way)
        match way:
            case "busy":
                return "451 4.3.2 come again"
            case "refuse":
                return "550 5.1.1 nobody of that name here"
            case "twice":
                return "250 2.0.0 kept\r\n250 2.0.0 kept"
            case "stall":
                await server.gone.wait()
            case "slow":
                await server.say_slowly(b"250 2.0.0 kep", self.byte_seconds)
                return "t"
            case _:
                pass
        return "250 2.0.0 kept"


class _Conversation(SMTP):
    """One connection; it knows what its mail will meet before the mail comes."""

    def __init__(self, sink: MailSink, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(sink, loop=loop, hostname="relay.example", enable_SMTPUTF8=False)
        self._sink = sink
        self.way: Way = "accept"
        self.gone = asyncio.Event()
        sink._conversations.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.gone.set()
        self._sink._conversations.discard(self)
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 -- aiosmtpd's name
        envelope: Any = self.envelope
        self.way = self._sink.next_way(envelope.rcpt_tos[0]) if envelope.rcpt_tos else "accept"
        if self.way == "drop":
            await self.push("354 go on")
            await self._reader.readline()
            assert self.transport is not None
            self.transport.close()
            return
        await super().smtp_DATA(arg)

    async def say_slowly(self, words: bytes, seconds: float) -> None:
        for byte in words:
            if self.gone.is_set():
                return
            assert self._writer is not None
            self._writer.write(bytes([byte]))
            await self._writer.drain()
            await asyncio.sleep(seconds)
