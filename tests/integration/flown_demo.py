"""`clew demo flights` as a person starts it: a process of its own, its page, its closing line."""

import asyncio
import json
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any, Self

CLEW = Path(sys.executable).with_name("clew")
CLONE = Path(__file__).resolve().parents[2]
ADDRESS = re.compile(rb"http://127\.0\.0\.1:\d+/demo")
STOP_SECONDS = 60


class FlownDemo:
    """One demo under way; leaving the block ends it."""

    def __init__(self, process: Process, log: Path) -> None:
        self._process = process
        self._log = log

    @classmethod
    async def begin(cls, folder: Path, *options: str) -> Self:
        log = folder / "demo.log"
        with log.open("wb") as words:
            process = await asyncio.create_subprocess_exec(
                CLEW, "demo", "flights", "--json", "--port", "0",
                "--state", folder / "state", *options,
                cwd=CLONE, stdout=PIPE, stderr=words,
            )  # fmt: skip
        return cls(process, log)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
            await asyncio.wait_for(self._process.wait(), STOP_SECONDS)

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    async def page(self, seconds: float = 60) -> str:
        """Where the page is: the first thing that the demo says."""
        async with asyncio.timeout(seconds):
            while True:
                found = ADDRESS.search(self._log.read_bytes())
                if found is not None:
                    return found[0].decode()
                assert self._process.returncode is None, self.said()
                await asyncio.sleep(0.1)

    async def account(self) -> dict[str, Any]:
        """The last line of stdout, once it has ended with exit code 0."""
        written, _ = await self._process.communicate()
        assert self._process.returncode == 0, self.said()
        return json.loads(written.splitlines()[-1])
