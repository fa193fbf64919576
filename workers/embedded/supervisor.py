"""Keeps servers and processes alive: what dies is started again, soon at first and then less often."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

LOOK_SECONDS = 0.2
STUCK_SECONDS = 60.0
STUCK_LOOKS = 25
"""After a machine slept, everybody was silent for long, and says so within a second."""
FIRST_REST_SECONDS = 0.2
LONGEST_REST_SECONDS = 10.0
HEALTHY_AFTER_SECONDS = 30.0


class Member(Protocol):
    """A server or process that can be started again."""

    @property
    def pid(self) -> int | None: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def kill(self) -> None: ...


@dataclass(slots=True)
class Watched:
    """A member with how often it was started again. `last_words`: why it could not be, last time."""

    member: Member
    restarts: int = 0
    last_words: str = ""
    rest: float = FIRST_REST_SECONDS
    reviving: bool = False


@dataclass(slots=True)
class Supervisor:
    """Watches members by name. `say` is told, in words, what ends and comes back."""

    say: Callable[[str], None]
    watched: dict[str, Watched] = field(default_factory=dict[str, Watched])
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, asyncio.Task[None]])

    def watch(self, name: str, member: Member) -> None:
        """Keep this member, which runs, alive from now on."""
        self.watched[name] = Watched(member)
        self._tasks[name] = asyncio.create_task(self._keep(name), name=f"keep {name}")

    async def let_go(self, name: str) -> None:
        """Watch this member no longer: it may end, and stays ended."""
        task = self._tasks.pop(name, None)
        self.watched.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @property
    def quiet(self) -> bool:
        """Whether nobody has to be started again at this moment."""
        return not any(watched.reviving for watched in self.watched.values())

    async def end(self) -> None:
        """Let whoever dies be dead."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    async def _keep(self, name: str) -> None:
        watched = self.watched[name]
        loop = asyncio.get_running_loop()
        alive_since, silent_looks = loop.time(), 0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            silent = getattr(watched.member, "silent_seconds", 0.0) > STUCK_SECONDS
            silent_looks = silent_looks + 1 if silent else 0
            if silent_looks > STUCK_LOOKS:
                self.say(f"{name} has shown no sign of life for a minute: it is ended")
                await watched.member.kill()
            if watched.member.pid is not None:
                continue
            if loop.time() - alive_since > HEALTHY_AFTER_SECONDS:
                watched.rest = FIRST_REST_SECONDS
            self.say(f"{name} has ended; it is started again")
            watched.reviving = True
            await self._revive(name, watched)
            watched.reviving = False
            alive_since = loop.time()

    async def _revive(self, name: str, watched: Watched) -> None:
        while True:
            await asyncio.sleep(watched.rest)
            watched.rest = min(watched.rest * 2, LONGEST_REST_SECONDS)
            try:
                await watched.member.start()
            except Exception as error:  # whatever it is, the next attempt may find it mended
                watched.last_words = str(error)
                self.say(f"{name} cannot be started: {str(error).splitlines()[0][:200]}")
            else:
                watched.restarts += 1
                watched.last_words = ""
                self.say(f"{name} is back")
                return
