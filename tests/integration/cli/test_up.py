"""`clew up` and the commands around it, as a person uses them; then everything is killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil
import pytest
import pytest_asyncio

CLEW = str(Path(sys.executable).parent / "clew")

JOURNEY = """
language: 1
journey: welcome
title: Welcome somebody
owner: growth
enter:
  on: Signed Up
  again: always
keep: {plan: event.properties.plan}
stages:
  - stage: new
    steps:
      - send: {message: welcome, via: [email], purpose: service}
      - wait:
          any: [{on: Called Us, do: [{go: talking}]}]
          until: 30d
          late: [{finish: silent}]
  - stage: talking
    steps:
      - handoff:
          as: talk
          queue: sales
          brief: "{{ customer.name }} wants more than {{ run.plan }}"
          decisions: {granted: {fields: {amount: number}}}
      - send: {message: granted, via: [email], purpose: service}
      - finish: helped
"""
MESSAGES = {
    "welcome": '---\nsubject: "Welcome, {{ customer.name }}"\n---\nYou are on {{ run.plan }}.\n',
    "granted": '---\nsubject: "It is yours"\n---\nWe added {{ talk.amount | money: "EUR" }}.\n',
}


class Installed:
    """A running `clew up`, and its commands."""

    def __init__(self, state: Path, process: subprocess.Popen[str], told: dict[str, Any]) -> None:
        self.state, self.process, self.told = state, process, told

    def clew(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [CLEW, *arguments, "--state", str(self.state)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def data(self, *arguments: str) -> Any:
        told = self.clew(*arguments, "--json")
        assert told.returncode == 0, told.stderr
        return json.loads(told.stdout)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    async def identify(self, customer: str, **traits: Any) -> None:
        message = {"type": "identify", "userId": customer, "traits": traits}
        async with httpx.AsyncClient(base_url=self.told["api"]) as api:
            answer = await api.post(
                "/v1/batch", json={"batch": [message]}, auth=(self.told["write_key"], "")
            )
        assert answer.status_code == 200, answer.text

    async def until(self, condition: Any, seconds: float = 60) -> Any:
        async with asyncio.timeout(seconds):
            while not (value := await asyncio.to_thread(condition)):
                await asyncio.sleep(0.2)
        return value

    def mails(self) -> list[dict[str, Any]]:
        journal = self.state / "mailbox" / "mails.jsonl"
        lines = journal.read_text().splitlines() if journal.exists() else []
        return [json.loads(line) for line in lines]


def begin(state: Path) -> Installed:
    process = subprocess.Popen(
        [CLEW, "up", "--any-ports", "--json", "--state", str(state)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        _, said = process.communicate(timeout=30)
        raise AssertionError(said)
    return Installed(state, process, json.loads(line))


def end(installed: Installed) -> int:
    installed.process.send_signal(signal.SIGINT)
    installed.process.communicate(timeout=60)
    return installed.process.returncode


@pytest_asyncio.fixture(scope="module")
async def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("up")
    source = folder / "welcome"
    (source / "messages").mkdir(parents=True)
    (source / "journey.yaml").write_text(JOURNEY)
    for name, text in MESSAGES.items():
        (source / "messages" / f"{name}.md").write_text(text)
    return folder


@pytest_asyncio.fixture(scope="module")
async def up(state: Path) -> AsyncIterator[Installed]:
    installed = await asyncio.to_thread(begin, state / ".clew")
    yield installed
    if installed.process.poll() is None:
        assert await asyncio.to_thread(end, installed) == 0


@pytest.mark.timeout(300)
async def test_a_customer_is_written_to_and_handed_over_and_staff_pick_the_path(
    up: Installed, state: Path
) -> None:
    published = up.data("publish", str(state / "welcome"))
    assert [journey["journey"] for journey in published["journeys"]] == ["welcome"]
    await up.identify("anna", email="anna@example.com", name="Anna")

    up.data("send", "Signed Up", "--customer", "anna", "--property", "plan=gold")

    await up.until(lambda: [mail["subject"] for mail in up.mails()] == ["Welcome, Anna"])
    [run] = up.data("runs", "--journey", "welcome")
    assert (run["stage"], run["state"]) == ("new", "open")
    shown = up.data("show", str(run["entry"]))
    assert shown["live"]["stage"] == "new"
    assert "sent" in [entry["kind"] for entry in shown["record"]["trace"]]

    up.data("send", "Called Us", "--customer", "anna")
    [case] = await up.until(lambda: up.data("cases"))
    assert case["brief"] == "Anna wants more than gold"
    wrong = up.clew("decide", case["name"], "granted", "--by", "me", "--field", "amount=much")
    assert wrong.returncode == 2
    assert "amount: expected a number" in wrong.stderr
    up.data("decide", case["name"], "granted", "--by", "me", "--field", "amount=50")

    await up.until(lambda: up.data("runs")[0]["outcome"] == "helped")
    assert [mail["subject"] for mail in up.mails()] == ["Welcome, Anna", "It is yours"]
    again = up.clew("decide", case["name"], "granted", "--by", "you", "--field", "amount=50")
    assert again.returncode == 1
    assert "me has decided" in again.stderr


async def test_staff_decide_over_http_only_with_the_staff_token(up: Installed) -> None:
    async with httpx.AsyncClient(base_url=up.told["api"]) as api:
        answer = await api.get("/v1/cases", auth=(up.told["write_key"], ""))

        assert answer.status_code in (401, 403)
        token = {"Authorization": f"Bearer {up.told['staff_token']}"}
        assert (await api.get("/v1/cases", headers=token)).status_code == 200


async def test_doctor_finds_nothing_missing(up: Installed) -> None:
    findings = up.data("doctor")

    assert [found for found in findings if found["state"] == "missing"] == []
    assert {"database", "search attributes"} <= {found["what"] for found in findings}


async def test_a_second_up_in_the_same_folder_is_refused_in_words(up: Installed) -> None:
    second = up.clew("up")

    assert second.returncode == 1
    assert str(up.process.pid) in second.stderr
    assert "--state" in second.stderr


@pytest.mark.timeout(300)
async def test_an_import_that_is_begun_again_goes_on_and_counts_nothing_twice(
    up: Installed, state: Path
) -> None:
    file = state / "past.jsonl"
    lines = [
        {"event": "Signed Up", "customer": f"past-{n}", "properties": {"plan": "old"}}
        for n in range(120)
    ]
    file.write_text("\n".join(json.dumps(line) for line in lines[:80]) + "\n")
    first = up.data("import", str(file))
    with file.open("a") as more:
        more.write("\n".join(json.dumps(line) for line in lines[80:]) + "\nnonsense\n")

    second = up.clew("import", str(file), "--json")
    whole = up.clew("import", str(file), "--from-start", "--json")

    assert (first["sent"], first["refused"]) == (80, [])
    assert second.returncode == 1
    assert json.loads(second.stdout)["sent"] == 40
    assert json.loads(second.stdout)["refused"][0][0] == 121
    assert json.loads(whole.stdout)["sent"] == 120
    await up.until(lambda: len(up.data("runs", "--most", "1000")) >= 121, 150)
    assert len(up.data("runs", "--most", "1000")) == 121


@pytest.mark.timeout(300)
async def test_what_is_killed_comes_back_and_loses_nobody(up: Installed) -> None:
    await up.identify("kim", email="kim@example.com", name="Kim")
    for child in up.children():
        child.kill()

    def stored() -> bool:
        sent = up.clew(
            "send", "Signed Up", "--customer", "kim", "-p", "plan=gold", "--message-id", "kim-1"
        )
        return sent.returncode == 0

    await up.until(stored, 120)
    await up.until(lambda: "Welcome, Kim" in [mail["subject"] for mail in up.mails()], 120)
    assert [mail["subject"] for mail in up.mails()].count("Welcome, Kim") == 1


@pytest.mark.timeout(300)
async def test_the_next_up_goes_on_where_this_one_was(up: Installed, state: Path) -> None:
    children = up.children()
    assert await asyncio.to_thread(end, up) == 0
    assert not any(child.is_running() for child in children)
    assert up.clew("runs").returncode == 2

    again = await asyncio.to_thread(begin, state / ".clew")
    try:
        assert again.told == up.told
        kim = again.data("runs", "--customer", "kim")
        assert [run["stage"] for run in kim] == ["new"]
        left = again.data("leave", str(kim[0]["entry"]), "--reason", "moved away")
        assert left["outcome"] == "left"
        await again.until(lambda: again.data("runs", "--customer", "kim")[0]["outcome"] == "left")
        mailed = await asyncio.to_thread(httpx.get, again.told["mailbox"])
        assert "Welcome, Kim" in mailed.text
    finally:
        await asyncio.to_thread(end, again)


async def test_nothing_of_it_outlives_an_up_that_is_killed(tmp_path: Path) -> None:
    installed = await asyncio.to_thread(begin, tmp_path / "c")
    children = installed.children()
    assert len(children) == 8

    os.kill(installed.process.pid, signal.SIGKILL)
    installed.process.communicate()

    _, alive = await asyncio.to_thread(psutil.wait_procs, children, timeout=40)
    assert alive == []
