"""One address in front of several servers, as a balancer has: `python -m benchmarks.production.front_door`.

It passes bytes on. Each new connection goes to the next server that is well; once a second each server is asked for
the greeting of HTTP/2, and who does not answer (dead, or stopped) gets nothing more and loses what it had. A client
whose connection breaks connects again, and is led to a server that lives: Temporal's SDKs do so by themselves.
"""

import asyncio
import itertools
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress

LOOK_SECONDS = 1.0
ANSWER_SECONDS = 1.0
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
CHUNK = 1 << 16


class FrontDoor:
    """The door to these addresses."""

    def __init__(self, addresses: list[str]) -> None:
        self._well = dict.fromkeys(addresses, True)
        self._turn = itertools.count()
        self._open: dict[str, set[asyncio.StreamWriter]] = {each: set() for each in addresses}

    async def serve(self, port: int) -> None:
        """Let callers in until told to end."""
        server = await asyncio.start_server(self._let_in, "127.0.0.1", port)
        watching = [asyncio.create_task(self._watch(each)) for each in self._well]
        end = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, end.set)
        async with server:
            await end.wait()
            for task in watching:
                task.cancel()

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for address in self._in_turn():
            try:
                inner_reader, inner_writer = await _connect(address)
            except (OSError, TimeoutError):
                continue
            pair = (writer, inner_writer)
            self._open[address].update(pair)
            ways = [
                asyncio.create_task(_pass_on(reader, inner_writer)),
                asyncio.create_task(_pass_on(inner_reader, writer)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            self._open[address].difference_update(pair)
            inner_writer.transport.abort()
            break
        writer.transport.abort()

    def _in_turn(self) -> Iterator[str]:
        """Whoever is well, the next first; then the others, for the look may be a second old."""
        addresses = sorted(self._well)
        first = next(self._turn) % len(addresses)
        turned = addresses[first:] + addresses[:first]
        yield from sorted(turned, key=lambda each: not self._well[each])

    async def _watch(self, address: str) -> None:
        while True:
            well = await _answers(address)
            if self._well[address] and not well:
                for writer in list(self._open[address]):
                    writer.transport.abort()
            self._well[address] = well
            await asyncio.sleep(LOOK_SECONDS)


async def _connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = address.rpartition(":")
    async with asyncio.timeout(ANSWER_SECONDS):
        return await asyncio.open_connection(host, int(port))


async def _answers(address: str) -> bool:
    try:
        reader, writer = await _connect(address)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                writer.write(GREETING)
                return len(await reader.readexactly(9)) == 9
        finally:
            writer.transport.abort()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()


def main(arguments: list[str]) -> int:
    """PORT ADDRESS ADDRESS ...: listen there, for these."""
    if len(arguments) < 2:
        print(
            "usage: python -m benchmarks.production.front_door PORT HOST:PORT ...", file=sys.stderr
        )
        return 2
    try:
        import uvloop
    except ImportError:
        asyncio.run(FrontDoor(arguments[1:]).serve(int(arguments[0])))
    else:
        uvloop.run(FrontDoor(arguments[1:]).serve(int(arguments[0])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
