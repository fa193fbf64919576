"""What is stopped and let go on from the command line stops and goes on, in a database that lives."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from typer.testing import CliRunner, Result

from cli.main import app
from stores.audit import AuditStore
from stores.database import Pool, open_pool
from stores.house_policy import HousePolicyStore
from stores.ledger import Ledger
from tests.integration.delivery.conftest import Desk, desk

__all__ = ["desk"]

POLICY = "topics: [news]\ncaps: [{at_most: 1, within: 24h}]\n"


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database)
    yield opened
    await opened.close()


class Clew:
    def __init__(self, state: Path) -> None:
        self.state = state

    async def __call__(self, *arguments: str) -> Result:
        asked = [*arguments, "--state", str(self.state)]
        return await asyncio.to_thread(CliRunner().invoke, app, asked)


@pytest.fixture
def clew(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clew:
    monkeypatch.setenv("CLEW_DATABASE_URL", database)
    monkeypatch.setenv("COLUMNS", "200")
    return Clew(tmp_path)


async def test_what_an_operator_stops_waits_until_they_let_it_go_on(desk: Desk, clew: Clew) -> None:
    told = await clew("stop", "channel", "email", "--why", "wrong prices")
    assert told.exit_code == 0, told.output
    assert "Channel email is stopped. Let it go on: clew resume channel email" in told.output
    assert "is stopped already" in (await clew("stop", "channel", "email", "--why", "x")).output

    assert (await desk.deliver()).state == "deferred"

    listed = await clew("stops")
    for word in ("Channel email", "wrong prices", "command: "):
        assert word in listed.output
    (stop,) = json.loads((await clew("stops", "--json")).stdout)
    assert (stop["scope"], stop["name"], stop["waiting"]) == ("channel", "email", 1)

    told = await clew("resume", "channel", "email")
    assert told.exit_code == 0, told.output
    assert "Channel email goes on" in told.output
    assert (await desk.deliver()).state == "accepted"
    assert "Nothing is stopped." in (await clew("stops")).output
    deeds = await AuditStore(desk.pool).latest(what="channel email")
    assert [deed.did for deed in deeds] == ["resumed", "stopped"]


@pytest.mark.usefixtures("pool")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("stop", "everything"), "--why"),
        (("stop", "everything", "email", "--why", "x"), "everything needs no name"),
        (("stop", "channel", "--why", "x"), "name the channel"),
        (("stop", "channel", "pigeon", "--why", "x"), "pigeon is no channel of ours"),
        (("stop", "journey", "winback", "--why", "x"), "winback is no journey"),
        (("resume", "channel", "email"), "Channel email is not stopped"),
    ],
)
async def test_what_cannot_be_stopped_is_said(
    clew: Clew, arguments: tuple[str, ...], said: str
) -> None:
    told = await clew(*arguments)

    assert told.exit_code != 0
    assert said in f"{told.output}{told.exception}"


async def test_a_policy_that_is_published_holds_for_what_is_sent_a_second_later(
    desk: Desk, clew: Clew, tmp_path: Path
) -> None:
    clock = [0.0]
    policies = HousePolicyStore(desk.pool, clock=lambda: clock[0])
    worker = desk.worker(ledger=Ledger(desk.pool, desk.now, policies=policies))
    (tmp_path / "policy.yaml").write_text(POLICY)
    assert (await worker.deliver_message(desk.order(1, purpose="marketing"))).state == "accepted"

    told = await clew("publish", str(tmp_path / "policy.yaml"))
    assert told.exit_code == 0, told.output
    clock[0] += 1.0

    capped = await worker.deliver_message(desk.order(2, purpose="marketing"))
    assert (capped.state, capped.reason.partition(":")[0]) == ("deferred", "capped")
