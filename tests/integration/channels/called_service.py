"""Calling a service on this machine: one that answers in HTTP, or one that answers byte by byte as it likes."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue
from pytest_httpserver import HTTPServer

from activities.service_call import Response
from channels.http_call import Find, HttpCaller, look_up

SECRET = b"what calls are signed with"
KEY = "journey/stock/c_anna:7:3"
NOW = datetime(2031, 5, 1, 12, 0, tzinfo=UTC)
BODY: dict[str, JsonValue] = {"item": "seat 12", "wörds": "žluťoučký"}


def now() -> datetime:
    return NOW


@asynccontextmanager
async def calling(
    *allowed: str,
    clock: Callable[[], datetime] = now,
    find: Find = look_up,
    within: timedelta = timedelta(seconds=30),
) -> AsyncGenerator[HttpCaller]:
    """A caller that may call these hosts wherever they are."""
    caller = HttpCaller(SECRET, clock, allowed=allowed, find=find, within=within)
    yield caller
    await caller.close()


async def post(caller: HttpCaller, url: str, key: str = KEY) -> Response:
    return await caller.call(key, "POST", url, {}, BODY)


async def get(caller: HttpCaller, url: str) -> Response:
    return await caller.call(KEY, "GET", url, {}, {})


def told(httpserver: HTTPServer, number: int = 0) -> dict[str, str]:
    """The headers of a request that came, with small letters."""
    headers = httpserver.log[number][0].headers
    return {name.lower(): value for name, value in headers.items()}


BEGINNING = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


@dataclass
class Service:
    """A service on this machine that answers as the test says, byte by byte."""

    url: str = ""
    connections: int = 0
    sent: int = 0
    hosts: list[str] = field(default_factory=list[str])


Answers = Callable[[Service, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(answer: Answers) -> AsyncGenerator[Service]:
    service, under_way = Service(), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        service.connections += 1
        try:
            while True:
                asked = await reader.readuntil(b"\r\n\r\n")
                lines = asked.decode().lower().split("\r\n")
                service.hosts += [line[6:] for line in lines if line.startswith("host: ")]
                await answer(service, writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way.add(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    service.url = f"http://localhost:{server.sockets[0].getsockname()[1]}/"
    try:
        yield service
    finally:
        server.close()
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
