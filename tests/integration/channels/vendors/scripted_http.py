"""A real HTTP server that answers by script, address by address, in the shapes of one vendor."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from channels.recording import (
    Accept,
    Busy,
    RefuseForGood,
    ScriptedAnswer,
    StallAfterAccept,
    StallBeforeAccept,
)


@dataclass(frozen=True)
class Request:
    """What came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True)
class Answer:
    """What is said; a body that is no text is written as JSON."""

    status: int
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)


class ScriptedVendor:
    """One vendor's service. What a vendor says, and where it reads an address, its class says."""

    def __init__(self) -> None:
        self.scripts: dict[str, list[ScriptedAnswer]] = defaultdict(list)
        self.taken: list[Request] = []
        self.seen: list[Request] = []
        self.connections = 0
        self.url = ""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    # -- what each vendor says for itself

    def address_of(self, request: Request) -> str:
        raise NotImplementedError

    def subject_of(self, request: Request) -> str:
        raise NotImplementedError

    def accept(self, request: Request) -> Answer:
        raise NotImplementedError

    def refuse(self, request: Request, words: str) -> Answer:
        raise NotImplementedError

    def busy(self, request: Request, retry_after: timedelta | None, words: str) -> Answer:
        raise NotImplementedError

    def other(self, request: Request) -> Answer | None:
        """The answer to what is no message, such as a question for a token."""
        del request
        return None

    def known(self, request: Request) -> bool:
        """Whether this was taken before, by a vendor that looks."""
        del request
        return False

    # -- the server

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://localhost:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in self._open:
                writer.close()
            await self._server.wait_closed()

    def script(self, address: str, answers: Sequence[ScriptedAnswer]) -> None:
        self.scripts[address] = list(answers)

    @property
    def subjects(self) -> list[str]:
        return [self.subject_of(request) for request in self.taken]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            while True:
                answer = self._answer(await _read(reader))
                if answer is None:
                    return
                await _write(writer, answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    def _answer(self, request: Request) -> Answer | None:
        """None: hang up without a word."""
        self.seen.append(request)
        other = self.other(request)
        if other is not None:
            return other
        script = self.scripts[self.address_of(request)]
        match script.pop(0) if script else Accept():
            case Accept():
                return self._take(request)
            case RefuseForGood(words=words):
                return self.refuse(request, words)
            case Busy(retry_after=retry_after, words=words):
                return self.busy(request, retry_after, words)
            case StallAfterAccept():
                self._take(request)
            case StallBeforeAccept():
                pass
        return None

    def _take(self, request: Request) -> Answer:
        if not self.known(request):
            self.taken.append(request)
        return self.accept(request)


Vendor = TypeVar("Vendor", bound=ScriptedVendor)


@asynccontextmanager
async def vendor(server: Vendor) -> AsyncGenerator[Vendor]:
    """A vendor's service while the context lasts."""
    await server.open()
    try:
        yield server
    finally:
        await server.close()


def pause(retry_after: timedelta | None) -> dict[str, str]:
    """The header of that name, where a pause is asked for."""
    if retry_after is None:
        return {}
    return {"Retry-After": str(int(retry_after.total_seconds()))}


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ", 2)
    named = (line.partition(":") for line in lines if line)
    headers = {name.lower(): value.strip() for name, _, value in named}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body)


async def _write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
    body = text.encode()
    headers = {"Content-Type": "application/json", **answer.headers, "Content-Length": len(body)}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {answer.status} Said\r\n{head}\r\n".encode() + body)
    await writer.drain()
