"""A customer's own system that does to each message what a script says, and keeps a ledger of all that it took.

It knows a message by its `webhook-id`, as Standard Webhooks asks of it: what came again is told apart
from what came twice. Each address is a path, `/1`, `/2`, ….
"""

import asyncio
import hashlib
import time
from collections import Counter, deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

HttpWay = Literal[
    "accept",  # takes it: 204
    "stall",  # takes it and says nothing until the sender gives up
    "busy",  # 503
    "limit",  # 429, come again in a second
    "refuse",  # 400
    "gone",  # 410: it wants no more
    "drop",  # hangs up in the middle of the message
    "cut",  # takes it and hangs up in the middle of its answer
    "slow",  # takes it and says so byte by byte
    "twice",  # takes it and says so twice
    "leads",  # 302, to another address
]
TAKES: frozenset[HttpWay] = frozenset({"accept", "stall", "cut", "slow", "twice"})
_DONE = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"
_SAYS: dict[HttpWay, bytes] = {
    "accept": _DONE,
    "twice": _DONE + _DONE,
    "cut": _DONE[:9],
    "slow": _DONE,
    "busy": b"HTTP/1.1 503 Away\r\ncontent-length: 0\r\n\r\n",
    "limit": b"HTTP/1.1 429 Slowly\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n",
    "refuse": b"HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n",
    "gone": b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n",
    "leads": b"HTTP/1.1 302 There\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n",
}


@dataclass(slots=True, frozen=True)
class TakenCall:
    """One message that was taken. `at`: seconds since 1970; `digest`: of what it said."""

    at: float
    webhook_id: str
    path: str
    digest: str


@dataclass
class HttpSink:
    """The system. `byte_seconds`: how long a slow one takes for each byte of its answer."""

    byte_seconds: float = 0.01
    port: int = 0
    tried: Counter[HttpWay] = field(default_factory=Counter[HttpWay])
    taken: list[TakenCall] = field(default_factory=list[TakenCall])
    strange: list[str] = field(default_factory=list[str])
    """Paths that nobody may call."""
    _scripts: dict[str, deque[HttpWay]] = field(default_factory=dict[str, "deque[HttpWay]"])
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    async def __aenter__(self) -> "HttpSink":
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in [*self._open]:
            writer.close()
        await self._server.wait_closed()

    def url(self, n: int) -> str:
        """The address of customer n."""
        return f"http://127.0.0.1:{self.port}/{n}"

    def script(self, n: int, ways: Iterable[HttpWay]) -> None:
        """What happens to the next messages to an address; after them it accepts."""
        self._scripts[f"/{n}"] = deque(ways)

    def ids(self, n: int) -> list[str]:
        """The `webhook-id` of each message that this customer's system took, in order."""
        return [each.webhook_id for each in self.taken if each.path == f"/{n}"]

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while True:
                    if not await self._one(reader, writer):
                        return
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One message; whether the connection is kept."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        path = head[0].split(" ")[1]
        headers = {
            name.lower(): value for name, _, value in (each.partition(": ") for each in head[1:])
        }
        if not path[1:].isdigit():
            self.strange.append(path)
        script = self._scripts.get(path)
        way: HttpWay = script.popleft() if script else "accept"
        self.tried[way] += 1
        if way == "drop":
            return False
        body = await reader.readexactly(int(headers["content-length"]))
        if way in TAKES:
            digest = hashlib.sha256(body).hexdigest()
            self.taken.append(TakenCall(time.time(), headers["webhook-id"], path, digest))
        if way == "stall":
            await reader.read()
            return False
        for part in [_SAYS[way]] if way != "slow" else (bytes([each]) for each in _SAYS[way]):
            writer.write(part)
            await writer.drain()
            if way == "slow":
                await asyncio.sleep(self.byte_seconds)
        return way != "cut"
