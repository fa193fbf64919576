"""Lines that are slow, cut or broken: toxiproxy, and its HTTP interface as far as we use it.

`python -m tests.faults.toxiproxy` gets it, once: from PATH, our cache, else Go builds it.
"""

import asyncio
import fcntl
import shutil
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx

from workers.embedded.child_process import EmbeddedServerError, free_port, spawn
from workers.embedded.finding_temporal import Say, cache_folder
from workers.embedded.go_install import GoBuildError, go_install

VERSION = "v2.5.0"
PROGRAM = "toxiproxy-server"
GO_PACKAGE = f"github.com/Shopify/toxiproxy/v2/cmd/server@{VERSION}"
START_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Toxic:
    """What is wrong with a line. `kind` is toxiproxy's word, or `down`: nobody is there at all."""

    kind: str
    attributes: Mapping[str, int]
    streams: tuple[str, ...] = ("downstream",)


def toxics(seconds: float = 1.0) -> dict[str, Toxic]:
    """One of each kind; `seconds` is how slow the slow ones are."""
    both, slow = ("upstream", "downstream"), round(1_000 * seconds)
    return {
        "latency": Toxic("latency", {"latency": slow, "jitter": slow // 2}, both),
        "down": Toxic("down", {}),
        "reset_peer": Toxic("reset_peer", {"timeout": 20}, both),
        "timeout": Toxic("timeout", {"timeout": 0}, both),
        "slow_close": Toxic("slow_close", {"delay": slow}, both),
        "limit_data": Toxic("limit_data", {"bytes": 2_000}, both),
        "bandwidth": Toxic("bandwidth", {"rate": 1}, both),
    }


def find_toxiproxy(say: Say = print) -> Path:
    """The program; what Go builds stays in our cache. Raises: `EmbeddedServerError` naming what would help."""
    on_path = shutil.which(PROGRAM)
    if on_path is not None:
        return Path(on_path)
    cached = cache_folder() / f"{PROGRAM}-{VERSION}"
    with (cache_folder() / "toxiproxy.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two processes at once: the second finds it cached
        if not cached.is_file():
            _build(cached, say)
    return cached


def _build(cached: Path, say: Say) -> None:
    go = shutil.which("go")
    if go is None:
        raise EmbeddedServerError(
            f"toxiproxy is not here. Put {PROGRAM} on PATH, or install Go, and it is built from source."
        )
    say(f"Building toxiproxy {VERSION} with Go (once; about half a minute) ...")
    try:
        go_install(go, {GO_PACKAGE: cached})
    except GoBuildError as error:
        raise EmbeddedServerError(
            f"Go could not build toxiproxy. Its last words: {error}"
        ) from error


class Toxiproxy:
    """A running one. Each line has a name, and leads from a port of its own to where it is told."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def line(self, name: str, upstream: str) -> int:
        """A line to an address; returns the port at its near end."""
        port = free_port()
        await self._ask(
            "POST",
            "/proxies",
            {"name": name, "listen": f"127.0.0.1:{port}", "upstream": upstream, "enabled": True},
        )
        return port

    async def spoil(self, name: str, toxic: Toxic) -> None:
        """Do it to a line, also to what is connected already."""
        if toxic.kind == "down":
            await self._ask("POST", f"/proxies/{name}", {"enabled": False})
            return
        for stream in toxic.streams:
            told = {"type": toxic.kind, "stream": stream, "attributes": dict(toxic.attributes)}
            await self._ask("POST", f"/proxies/{name}/toxics", told)

    async def heal(self, name: str) -> None:
        """Take everything away; the line works again."""
        told = await self._ask("GET", f"/proxies/{name}")
        for toxic in told["toxics"]:
            await self._ask("DELETE", f"/proxies/{name}/toxics/{toxic['name']}")
        if not told["enabled"]:
            await self._ask("POST", f"/proxies/{name}", {"enabled": True})

    async def _ask(self, method: str, path: str, told: Mapping[str, Any] | None = None) -> Any:
        answer = await self._http.request(method, path, json=told)
        answer.raise_for_status()
        return answer.json() if answer.content else None


@asynccontextmanager
async def toxiproxy(folder: Path) -> AsyncGenerator[Toxiproxy]:
    """Started for so long; its log is in the folder."""
    program, port = await asyncio.to_thread(find_toxiproxy), free_port()
    child = await spawn(
        [str(program), "-host", "127.0.0.1", "-port", str(port)],
        log=folder / "toxiproxy.log",
        when_parent_dies=signal.SIGKILL,
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as http:
            async with asyncio.timeout(START_SECONDS):
                while not await _answers(http):
                    child.check_running()
                    await asyncio.sleep(0.05)
            yield Toxiproxy(http)
    finally:
        await child.kill()


async def _answers(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/version")).is_success
    except httpx.TransportError:
        return False


def main() -> int:
    """Find or build it."""
    try:
        found = find_toxiproxy()
    except EmbeddedServerError as missing:
        print(missing, file=sys.stderr)
        return 1
    print(f"toxiproxy {VERSION} is ready: {found}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
