"""A run can be driven from other languages with their plain Temporal SDK and no library of ours."""

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
import pytest_asyncio
from temporalio.client import Client

from contracts.ids import workflow_id

CLIENTS = Path(__file__).parent / "clients"

# The slash must not split the workflow id, and each language's own escaping treats some other
# of these characters differently from RFC 3986.
AWKWARD_KEY = "P 7/ö*~!'()+&"


class Stack(Protocol):
    """What these tests ask of the fixture that runs the product."""

    @property
    def temporal_address(self) -> str: ...
    async def publish(self, path: Path) -> object: ...


@dataclass(frozen=True)
class Program:
    """One of the programs in `clients/`: how it is built, and how it is called, in its folder."""

    language: str
    build: tuple[tuple[str, ...], ...]
    call: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return CLIENTS / self.language


TYPESCRIPT = Program(
    "typescript",
    build=(("npm", "ci", "--ignore-scripts", "--prefer-offline"), ("npm", "run", "build")),
    call=("node", "build/parcel.js"),
)
GO = Program(
    "go",
    build=(("go", "build", "-buildvcs=false", "-o", "build/parcel", "."),),
    call=("build/parcel",),
)
JAVA = Program(
    "java",
    build=(("mvn", "--quiet", "--batch-mode", "package"),),
    call=("java", "-jar", "target/parcel.jar"),
)


async def call(command: Sequence[str], folder: Path, *, within_seconds: float) -> str:
    """What a program printed; fails with all it said when it did not end well."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        # Java reads its arguments in the locale's encoding, and a bare machine has none.
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(within_seconds):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    said = f"{' '.join(command)}: exit code {process.returncode}\n{out.decode()}\n{err.decode()}"
    assert process.returncode == 0, said
    return out.decode()


@pytest_asyncio.fixture(
    scope="session",
    params=[
        pytest.param(TYPESCRIPT, id="typescript", marks=pytest.mark.needs("node", "npm")),
        pytest.param(GO, id="go", marks=pytest.mark.needs("go")),
        pytest.param(JAVA, id="java", marks=pytest.mark.needs("java", "mvn")),
    ],
)
async def program(request: pytest.FixtureRequest) -> Program:
    """A program, built once per session; a first build fetches the SDK and compiles it."""
    program: Program = request.param
    for command in program.build:
        await call(command, program.folder, within_seconds=800)
    return program


@pytest.mark.timeout(1_000)
async def test_a_plain_sdk_drives_a_run_from_entry_to_outcome(
    program: Program, stack: Stack
) -> None:
    await stack.publish(CLIENTS / "parcel.yaml")
    customer = f"{program.language}-customer"

    printed = await call(
        [*program.call, stack.temporal_address, "parcel", customer, AWKWARD_KEY],
        program.folder,
        within_seconds=120,
    )

    said: dict[str, Any] = json.loads(printed)
    assert said["result"]["outcome"] == "delivered"
    assert said["update"] is not None
    names = {"journey": "parcel", "key": AWKWARD_KEY}
    redelivered = f"{program.language}-2"
    assert_status(said["status"], redelivered, **names, stage="nearby", outcome=None, applied=4)
    client = await Client.connect(stack.temporal_address)
    run = client.get_workflow_handle(workflow_id("parcel", customer, AWKWARD_KEY))
    after: dict[str, Any] = await run.query("status")
    assert said["status"]["customer"] == after["customer"] != customer  # our own id of them
    assert_status(after, redelivered, **names, outcome="delivered", applied=5)


def assert_status(status: dict[str, Any], redelivered: str, **expected: object) -> None:
    """The status says what is expected, and nothing was refused but the redelivery."""
    assert {name: status[name] for name in expected} == expected
    assert [why for why in status["refused"] if redelivered not in str(why)] == []
