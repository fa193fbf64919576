"""The supervisor: what dies is started again; what cannot be started is tried again."""

import asyncio

import pytest

from workers.embedded import supervisor
from workers.embedded.supervisor import Supervisor


class Fragile:
    """A member that can die, and fails to start so often."""

    def __init__(self, failures: int = 0) -> None:
        self.pid: int | None = 1
        self.failures = failures
        self.starts = 0
        self.silent_seconds = 0.0

    async def start(self) -> None:
        self.starts += 1
        if self.starts <= self.failures:
            raise RuntimeError("no room")
        self.pid, self.silent_seconds = self.starts + 1, 0.0

    async def stop(self) -> None:
        self.pid = None

    async def kill(self) -> None:
        self.pid = None


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(supervisor, "FIRST_REST_SECONDS", 0.001)
    monkeypatch.setattr(supervisor, "LONGEST_REST_SECONDS", 0.002)


async def until(condition: object) -> None:
    async with asyncio.timeout(5):
        while not condition():  # pyright: ignore[reportCallIssue]
            await asyncio.sleep(0.001)


async def test_what_dies_is_started_again_each_time() -> None:
    said: list[str] = []
    keeper, member = Supervisor(said.append), Fragile()
    keeper.watch("router", member)

    for restarts in (1, 2):
        await member.kill()
        await until(lambda wanted=restarts: keeper.watched["router"].restarts == wanted)

    assert member.pid is not None
    assert said[-1] == "router is back"
    await keeper.end()


async def test_what_is_let_go_stays_ended_and_is_kept_again_when_asked() -> None:
    keeper, member, other = Supervisor(lambda _: None), Fragile(), Fragile()
    keeper.watch("router", member)
    keeper.watch("api", other)

    await keeper.let_go("router")
    await member.kill()
    await other.kill()
    await until(lambda: keeper.watched["api"].restarts == 1)
    assert member.pid is None

    keeper.watch("router", member)
    await until(lambda: member.pid is not None)
    await keeper.end()


async def test_what_cannot_be_started_is_tried_until_it_can() -> None:
    said: list[str] = []
    keeper, member = Supervisor(said.append), Fragile(failures=3)
    keeper.watch("api", member)

    await member.kill()
    await until(lambda: member.pid is not None and keeper.quiet)

    assert member.starts == 4
    assert said.count("api cannot be started: no room") == 3
    await keeper.end()


async def test_what_shows_no_sign_of_life_is_ended_and_started_again() -> None:
    keeper, member = Supervisor(lambda _: None), Fragile()
    keeper.watch("journey", member)

    member.silent_seconds = supervisor.STUCK_SECONDS + 1
    await until(lambda: keeper.watched["journey"].restarts == 1)

    await keeper.end()


async def test_when_it_has_ended_the_dead_stay_dead() -> None:
    keeper, member = Supervisor(lambda _: None), Fragile()
    keeper.watch("router", member)

    await keeper.end()
    await member.kill()
    await asyncio.sleep(0.02)

    assert member.starts == 0
