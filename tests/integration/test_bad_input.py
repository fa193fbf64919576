"""Nonsense at every door but ingest's: a clear refusal that names the place, and the run lives on."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import RawValue
from typer.testing import CliRunner

from cli.main import app
from contracts.ids import workflow_id
from tests.integration.conftest import Stack

PARCEL = Path(__file__).parent / "clients" / "parcel.yaml"
DEEP: Any = json.loads("[" * 200 + "]" * 200)


def raw(data: bytes, **metadata: bytes) -> RawValue:
    return RawValue(Payload(metadata=metadata, data=data))


async def parcel(stack: Stack) -> WorkflowHandle[Any, Any]:
    """A run that waits for `Parcel Packed`."""
    await stack.publish(PARCEL)
    name = uuid4().hex
    handle = await stack.client.start_workflow(
        "customer_journey",
        {"journey": "parcel", "customer": name, "key": "P1"},
        id=workflow_id("parcel", name, "P1"),
        task_queue="journeys",
        start_signal="touchpoint",
        start_signal_args=[{"event": "Parcel Ordered", "properties": {"parcel": "P1"}}],
    )
    await stack.until(lambda: stack.run_of(name))
    return handle


async def goes_on(stack: Stack, handle: WorkflowHandle[Any, Any]) -> None:
    """The run hears what it waits for and comes to its outcome; none of its tasks has failed."""
    for event in ("Parcel Packed", "Parcel Seen", "Parcel Seen", "Parcel Delivered"):
        await handle.signal("touchpoint", {"event": event})
    assert (await stack.outcome(handle.id))["outcome"] == "delivered"
    assert await stack.failed_tasks(handle.id) == []


SIGNALS = {
    "nothing": [],
    "three values": ["a", 2, {}],
    "text": ["Parcel Packed"],
    "a number": [5],
    "null": [None],
    "a list": [["Parcel Packed"]],
    "no event": [{"properties": {}}],
    "an empty event": [{"event": "  "}],
    "an event that is no text": [{"event": 7}],
    "an event too long": [{"event": "x" * 300}],
    "properties that are a list": [{"event": "Parcel Packed", "properties": []}],
    "a context that is text": [{"event": "Parcel Packed", "context": "web"}],
    "a time in words": [{"event": "Parcel Packed", "timestamp": "yesterday"}],
    "a time without a zone": [{"event": "Parcel Packed", "timestamp": "2026-11-22T09:00:00"}],
    "a time beyond the calendar": [
        {"event": "Parcel Packed", "timestamp": "9999-12-31T23:59:59-23:00"}
    ],
    "a message id that is a number": [{"event": "Parcel Packed", "message_id": 5}],
    "a message id too long": [{"event": "Parcel Packed", "message_id": "m" * 300}],
    "a number that only the router sends": [{"event": "Parcel Packed", "number": -1}],
    "binary": [raw(b"\x00\xff", encoding=b"binary/plain")],
    "broken JSON": [raw(b"{", encoding=b"json/plain")],
    "JSON that is no UTF-8": [raw(b'{"event": "\xff\xfe"}', encoding=b"json/plain")],
    "half a character": [raw(b'{"event": "\\ud800"}', encoding=b"json/plain")],
    "no encoding at all": [raw(b"{}")],
    "an encoding nobody knows": [raw(b"{}", encoding=b"application/x-martian")],
    "encrypted": [raw(b"\x8a\x01", encoding=b"binary/encrypted")],
    "a definition nobody has": [
        raw(b"{}", encoding=b"json/plain", **{"clew-definition": b"0" * 64})
    ],
    "nested deeply": [DEEP],
}


@pytest.mark.parametrize("name", ["touchpoint", "touchpoints", "resume", "touch-point", "__stack"])
async def test_nonsense_signals_are_refused_in_words_and_the_run_lives_on(
    stack: Stack, name: str
) -> None:
    handle = await parcel(stack)

    for arguments in SIGNALS.values():
        await handle.signal(name, args=arguments)

    status = await stack.status(handle.id)
    assert status["stage"] == "ordered"
    if name != "resume":  # which needs no value, so takes any
        assert len(status["refused"]) >= 15
        assert all(words.startswith(f"signal {name}") for words in status["refused"])
    await goes_on(stack, handle)


async def test_each_nonsense_signal_says_what_was_expected(stack: Stack) -> None:
    handle = await parcel(stack)

    for name, arguments in SIGNALS.items():
        await handle.signal("touchpoint", args=arguments)
        refused = (await stack.status(handle.id))["refused"][-1]
        assert refused.startswith("signal touchpoint: "), name
        assert any(word in refused for word in ("expected", "cannot be read", "timestamp:")), name

    await goes_on(stack, handle)


async def test_values_no_machine_expects_are_carried_and_harm_nobody(stack: Stack) -> None:
    handle = await parcel(stack)
    odd: dict[str, Any] = {
        "": "", "a.b": 1, "__class__": "x", "deep": DEEP[0][0], "big": 10**300, "nul": "\0",
        "event": {"event": {"event": []}}, "now": "9999-99-99", "text": "𝕏" * 5_000,
    }  # fmt: skip

    await handle.signal("touchpoint", {"event": "Parcel Lost", "properties": odd, "context": odd})
    await handle.signal("touchpoints", [{"event": "Parcel Weighed", "properties": odd}] * 5)

    await goes_on(stack, handle)


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("touchpoint_now", "nonsense"),
        ("touchpoint_now", {"event": 5}),
        ("move", {}),
        ("move", {"version": 7}),
        ("leave", [1]),
        ("nudge", {}),
        ("nudge", {"address": ["only/0"]}),
        ("fly", {}),
    ],
)
async def test_a_nonsense_update_is_refused_and_the_run_lives_on(
    stack: Stack, name: str, argument: Any
) -> None:
    handle = await parcel(stack)

    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update(name, argument)

    await goes_on(stack, handle)


async def test_a_move_to_a_version_that_does_not_exist_leaves_the_run_where_it_is(
    stack: Stack,
) -> None:
    handle = await parcel(stack)

    await handle.execute_update("move", {"version": "0" * 64})

    async def refused() -> bool:
        told = (await stack.status(handle.id))["refused"]
        return any("move to 000000000000" in words for words in told)

    await stack.until(refused)
    await goes_on(stack, handle)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "1:1: the file is empty"),
        ("just words", "1:1: a journey is a mapping"),
        ("language: 1\n\tjourney: a", ":2:1:"),
        ("language: 2", "language"),
        ("a: &x 1\nb: *x", "anchors and aliases"),
        ("{" * 500, ":1:"),
        ("language: 1\njourney: A B\ntitle: t\nowner: o\nenter: {on: X}\nstages: []", ":2:"),
        ('{"language": 1, "journey": "a"', "1:"),
        ("language: 1\njourney: a\n---\nlanguage: 1", "more than one document"),
        ("\x00\x01", "is not allowed"),
    ],
    ids=["empty", "words", "tab", "language", "alias", "braces", "name", "json", "two", "binary"],
)
def test_a_definition_that_is_none_is_refused_with_its_place(
    tmp_path: Path, text: str, place: str
) -> None:
    file = tmp_path / "bad.journey.yaml"
    file.write_text(text)

    told = CliRunner().invoke(app, ["check", str(file)])

    assert told.exit_code == 1
    assert str(file) in told.output
    assert place in told.output
    assert "Traceback" not in told.output


def test_a_definition_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes(b"language: 1\ntitle: caf\xe9\n")

    told = CliRunner().invoke(app, ["check", str(file)])

    assert told.exit_code == 1
    assert f"{file}:2:1: is not UTF-8 text" in told.output


def test_a_message_that_is_none_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "messages").mkdir()
    (tmp_path / "messages" / "late.md").write_text('---\nsubject: "Hi"\n---\n{{ run.name | }}\n')

    told = CliRunner().invoke(app, ["check", str(tmp_path)])

    assert told.exit_code == 1
    assert "late.md:4:" in told.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["send"],
        ["send", "Order Paid"],
        ["send", "Order Paid", "--customer", "a", "--property", "amount"],
        ["send", "Order Paid", "--subject", "flight"],
        ["check", "/no/such/file.yaml"],
        ["check", "pyproject.toml"],
        ["import", "/no/such/file.jsonl"],
        ["runs", "--run-state", "asleep"],
        ["runs", "--most", "many"],
        ["cases", "--case-state", "angry"],
        ["decide", "1:2"],
        ["show"],
    ],
    ids=" ".join,
)
def test_a_command_that_is_called_wrongly_says_so_and_ends_with_2(arguments: list[str]) -> None:
    told = run_command(*arguments)

    assert told.returncode == 2, told.stderr
    assert told.stderr.strip()
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize(
    "arguments",
    [["runs"], ["show", "1"], ["cases"], ["publish", str(PARCEL)], ["write-key", "web"]],
    ids=" ".join,
)
def test_a_command_without_an_installation_says_what_to_do(
    arguments: list[str], tmp_path: Path
) -> None:
    told = run_command(*arguments, "--state", str(tmp_path))

    assert told.returncode == 2
    assert "clew up" in told.stderr


def run_command(*arguments: str, **settings: str) -> Any:
    import os
    import subprocess
    import sys

    command = [str(Path(sys.executable).parent / "clew"), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **settings}
    )


@pytest.fixture
def installation(stack: Stack) -> dict[str, str]:
    return {"CLEW_DATABASE_URL": stack.database_url, "TEMPORAL_ADDRESS": stack.temporal_address}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "99999999"], "There is no run 99999999"),
        (["show", "journey/none"], "There is no run journey/none"),
        (["leave", "99999999", "--reason", "x"], "There is no run"),
        (["nudge", "99999999", "--at", "only/0", "--reason", "x"], "There is no run"),
        (["resume", "99999999"], "There is no run"),
        (["decide", "99999999:1", "yes", "--by", "me"], "There is no case"),
        (["decide", "99999999999999999999999:1", "yes", "--by", "me"], "There is no case"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_about_what_is_not_there_says_so_and_ends_with_1(
    installation: dict[str, str], arguments: list[str], words: str
) -> None:
    told = run_command(*arguments, **installation)

    assert told.returncode == 1
    assert words in told.stderr
    assert "Traceback" not in told.stderr


def test_a_database_that_is_away_is_told_in_words(tmp_path: Path) -> None:
    told = run_command("runs", CLEW_DATABASE_URL=f"postgresql:///clew?host={tmp_path}")

    assert told.returncode == 1
    assert "The database cannot be reached" in told.stderr
    assert "Traceback" not in told.stderr
