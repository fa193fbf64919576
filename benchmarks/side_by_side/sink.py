"""Where messages end in a benchmark: one line each in a file, with the clock that all processes of a machine share."""

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

LOOK_SECONDS = 0.02


@dataclass(slots=True, frozen=True)
class Sent:
    """A message that reached the channel, and when (monotonic, seconds)."""

    customer: str
    message: str
    at: float


class SinkWriter:
    """The channel's end, in whatever process sends."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    def take(self, customer: str, message: str) -> None:
        """Write down that it came: one `write`, so that lines of several processes stay whole."""
        os.write(self._file, f"{time.monotonic():.6f}\t{customer}\t{message}\n".encode())


class Sink:
    """The reader's end: all that was sent since the reader looked last is added to `sent`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sent: list[Sent] = []
        self._to: dict[tuple[str, str], list[Sent]] = defaultdict(list)
        self._read = 0
        self._rest = b""

    def look(self) -> list[Sent]:
        """What came since the last look."""
        new = list(self._new())
        self.sent += new
        for one in new:
            self._to[one.customer, one.message].append(one)
        return new

    def of(self, customer: str, message: str) -> list[Sent]:
        """What this customer was sent under this name, in order."""
        return self._to[customer, message]

    def _new(self) -> Iterator[Sent]:
        try:
            with self.path.open("rb") as file:
                file.seek(self._read)
                read = file.read()
        except FileNotFoundError:
            return
        self._read += len(read)
        *lines, self._rest = (self._rest + read).split(b"\n")
        for line in lines:
            at, customer, message = line.decode().split("\t")
            yield Sent(customer, message, float(at))

    async def until(
        self, message: str, customers: Collection[str], seconds: float
    ) -> dict[str, Sent]:
        """Until each of these customers got the message: the first to each. Raises: `TimeoutError` in words."""
        missing, ends = set(customers), time.monotonic() + seconds
        while True:
            self.look()
            missing = {one for one in missing if not self.of(one, message)}
            if not missing:
                return {one: self.of(one, message)[0] for one in customers}
            if time.monotonic() > ends:
                raise TimeoutError(
                    f"{len(missing)} of {len(customers)} were not sent {message!r} within {seconds:.0f} s,"
                    f" such as {min(missing)}"
                )
            await asyncio.sleep(LOOK_SECONDS)
