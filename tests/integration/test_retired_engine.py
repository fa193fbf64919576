"""An engine is retired: whoever is under way goes on under the next one, and nothing of theirs is lost."""

import pytest

from cli.engine import move_runs
from journey.machine import ENGINE, KNOWN_ENGINES
from stores.engines import EngineStore
from tests.integration.conftest import Stack
from workflows import entering

TRIP = """
enter: {on: Set Out %s}
keep: {seen: '0'}
whenever:
  - {on: Sight Seen, do: [{set: {run.seen: run.seen + 1}}]}
stages:
  - stage: on-the-way
    steps:
      - wait: {any: [{on: Came Home, do: [{send: {message: home-%s, via: [email], purpose: service}}]}], until: 30d}
      - finish: home
"""


@pytest.fixture(autouse=True)
def _two_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that knows one engine more; its meaning is the same."""
    monkeypatch.setattr(entering, "KNOWN_ENGINES", KNOWN_ENGINES | {ENGINE + 1})


async def test_whoever_is_under_way_goes_on_under_the_next_engine(stack: Stack) -> None:
    await stack.write("trip-old", TRIP % ("old", "old"), "home-old")
    names = [f"traveller-{n}" for n in range(3)]
    for name in names:
        await stack.know(name, email=f"{name}@example.com")
        await stack.tell("Set Out old", customer=name)
        await stack.tell("Sight Seen", customer=name)
    runs = [await stack.run_of(name) for name in names]
    for run in runs:
        await stack.until(lambda run=run: _seen(stack, run.workflow_id, 1))
    engines = EngineStore(stack.pool)

    moved, left = await move_runs(engines, stack.client, ENGINE, ENGINE + 1)

    assert moved >= len(names)  # and whoever other tests left under way
    assert left == 0
    assert await engines.open_runs(ENGINE) == []
    for name, run in zip(names, runs, strict=True):
        assert (await stack.status(run.workflow_id))["engine"] == ENGINE + 1
        await stack.tell("Sight Seen", customer=name)
        await stack.until(lambda run=run: _seen(stack, run.workflow_id, 2))
        await stack.tell("Came Home", customer=name)
        assert (await stack.outcome(run.workflow_id))["outcome"] == "home"
        assert await stack.failed_tasks(run.workflow_id) == []
    assert sorted(mail.subject for mail in stack.mails) == ["home-old"] * len(names)


async def test_what_is_no_engine_changes_nothing(stack: Stack) -> None:
    await stack.write("trip-odd", TRIP % ("odd", "odd"), "home-odd")
    await stack.tell("Set Out odd", customer="traveller-odd")
    run = await stack.run_of("traveller-odd")
    handle = stack.client.get_workflow_handle(run.workflow_id)

    for nonsense in ({"engine": "2"}, {"engine": 0}, {"engine": True}, {}, 2):
        await handle.signal("engine", nonsense)

    status = await stack.status(run.workflow_id)
    assert status["engine"] == ENGINE
    assert len(status["refused"]) == 5


async def _seen(stack: Stack, workflow_id: str, times: int) -> bool:
    return (await stack.status(workflow_id))["applied"] >= times + 1
