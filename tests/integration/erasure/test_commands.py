"""`clew export` and `clew erase`, as they are typed, on an installation that works; and its keys."""

import asyncio
import json
import time
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import Payload
from typer.testing import CliRunner

from cli.main import app
from cli.output import CommandError
from contracts.converter import ERASED
from contracts.history_codec import KEY_ID, SEALED, HistoryCodec
from contracts.sealing import MasterKeys
from stores.history_keys import HistoryKeyStore
from stores.staff_merges import MergeStore
from tests.integration.conftest import SECRET, Stack

JOURNEY = """
enter: {on: Wanted %(name)s, key: event.properties.what, again: always}
keep: {what: event.properties.what, note: event.properties.note}
stages:
  - stage: asked
    steps:
      - send: {message: heard, purpose: service}
      - wait: {any: [{on: Over %(name)s, when: event.properties.what == run.what, do: [{finish: over}]}], until: 30d}
      - finish: forgotten
"""


class Clew:
    """Types commands."""

    def __init__(self, state: Path) -> None:
        self.state = state

    async def __call__(self, *words: str) -> str:
        arguments = [*words, "--state", str(self.state)]
        told = await asyncio.to_thread(CliRunner().invoke, app, arguments)
        if told.exception is not None:
            raise told.exception
        return told.stdout or told.output  # words for people are told on the other stream


@pytest.fixture
def clew(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clew:
    monkeypatch.setenv("CLEW_DATABASE_URL", stack.database_url)
    monkeypatch.setenv("TEMPORAL_ADDRESS", stack.temporal_address)
    monkeypatch.setenv("CLEW_SECRET", SECRET)
    monkeypatch.setenv("CLEW_PUBLIC_URL", "https://example.com")
    return Clew(tmp_path)


async def sealed(stack: Stack, workflow_id: str) -> AsyncIterator[Payload]:
    """What began a run, as Temporal holds it."""
    async for event in stack.client.get_workflow_handle(workflow_id).fetch_history_events():
        for payload in event.workflow_execution_started_event_attributes.input.payloads:
            yield payload


async def opened(stack: Stack, payloads: list[Payload]) -> bytes:
    """What a process that has just begun reads of it."""
    keys = HistoryKeyStore(stack.pool, MasterKeys.read(None, SECRET), time.monotonic)
    return b"".join(each.data for each in await HistoryCodec(keys, seals=False).decode(payloads))


async def exported(clew: Clew, user: str, journey: str, *, but: str) -> None:
    """All of them is in the file that is written, and nothing of anybody else."""
    said = await clew("export", user, "--to", str(clew.state / "out"))
    assert "It holds personal data" in said
    [path] = (clew.state / "out").glob("*.zip")
    assert path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(path) as archive:
        everything = json.loads(archive.read("everything.json"))
        assert {"journeys.csv", "messages.csv", "touchpoints.csv"} <= set(archive.namelist())
    assert {each["journey"] for each in everything["journeys"]} == {journey}
    assert f"note {user}-phone" in json.dumps(everything["touchpoints"])
    assert but not in json.dumps(everything)


async def test_a_customer_is_exported_and_erased_with_whoever_became_them_and_no_history_opens(
    stack: Stack, clew: Clew
) -> None:
    user, name = f"zq{uuid4().hex[:8]}", uuid4().hex[:6]
    journey = f"typed-{name}"
    await stack.write(journey, JOURNEY % {"name": name}, "heard")
    anna = await stack.know(user, email=f"{user}@example.com")
    other = await stack.know(f"{user}-phone", email=f"{user}-phone@example.com")
    ben = await stack.know(f"ben-{name}", email=f"ben-{name}@example.org")
    for whose, what in (
        (user, "one"),
        (user, "two"),
        (f"{user}-phone", "three"),
        (f"ben-{name}", "one"),
    ):
        await stack.tell(f"Wanted {name}", customer=whose, what=what, note=f"note {whose}")
    runs = await stack.entries(journey, 4)
    await stack.until(lambda: len(stack.told(anna)) == 2 and bool(stack.told(other)))
    await stack.tell(f"Over {name}", customer=user, what="one")
    [one] = [run for run in runs if run.customer == anna and run.key == "one"]
    assert (await stack.outcome(one.workflow_id))["outcome"] == "over"
    kept = {
        run.workflow_id: [each async for each in sealed(stack, run.workflow_id)] for run in runs
    }
    owners = {
        each.metadata[KEY_ID].decode().partition("/")[2] for some in kept.values() for each in some
    }
    assert owners == {anna, other, ben}
    assert {each.metadata["encoding"] for some in kept.values() for each in some} == {SEALED}
    await MergeStore(stack.pool).merge(user, f"{user}-phone", by="eva", why="one person")

    await exported(clew, user, journey, but=f"ben-{name}")

    looked = json.loads(await clew("erase", user, "--dry-run", "--json"))
    assert looked["customer"] in (anna, other)
    assert (looked["counts"]["runs"], looked["open_runs"]) == (3, 2)
    proof = json.loads(await clew("erase", user, "--reason", "rang", "--yes", "--json"))

    assert (proof["state"], proof["executions"], proof["keys"]) == ("done", 3, 2)
    assert await clew("erase", "--proof", proof["erasure"]) != ""
    assert proof["erasure"] in await clew("erase", "--proofs")
    with pytest.raises(CommandError, match="obody is known"):
        await clew("export", user)
    for run in runs:
        told = await opened(stack, kept[run.workflow_id])
        if run.customer == ben:
            assert ERASED.encode() not in told
            assert ben.encode() in told
        else:
            assert ERASED.encode() in told
            assert anna.encode() not in told
    left = await stack.rows(
        "select owner from history_keys where wrapped is not null and owner = any(%s)",
        [anna, other, ben],
    )
    assert [row["owner"] for row in left] == [ben]
    assert "nothing to erase" in (await clew("erase", "--resume"))
