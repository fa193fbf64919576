"""Values that nobody else uses, put through every field a customer can fill, and where they are found."""

import os
import re
import subprocess
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil
from temporalio.client import Client

from workers.embedded.postgres_files import postgres_programs
from workers.embedded.stack import Stack

_COPY = re.compile(rb"^COPY public\.(\w+) ", re.MULTILINE)


@dataclass
class Canaries:
    """Each field's own value; `run` makes them this test's own."""

    run: str
    given: dict[str, str] = field(default_factory=dict[str, str])

    def of(self, name: str) -> str:
        """The value of one field: small letters and digits, so that no encoding changes it."""
        return self.given.setdefault(name, f"zq{self.run}{name}qz")

    def found_in(self, content: bytes, *, but: Iterable[str] = ()) -> set[str]:
        """The names of fields whose value stands in it, as text or in hex, as `pg_dump` writes files."""
        low = content.lower()
        return {
            name
            for name, value in self.given.items()
            if name not in but
            and any(told in low for told in (value.encode(), value.encode().hex().encode()))
        }


def dumped(stack: Stack) -> dict[str, bytes]:
    """The database as `pg_dump` writes it: table → its rows as text."""
    text = dump(stack.addresses.database_url)
    begins = list(_COPY.finditer(text))
    found: dict[str, bytes] = {}
    for at, begin in enumerate(begins):
        end = begins[at + 1].start() if at + 1 < len(begins) else len(text)
        name = re.sub(r"^touchpoints_\w+$", "touchpoints", begin.group(1).decode())
        found[name] = found.get(name, b"") + text[begin.start() : end]
    return found


def dump(url: str) -> bytes:
    """A backup, as text."""
    program = postgres_programs() / "pg_dump"
    done = subprocess.run([program, "--dbname", url, "--no-owner"], capture_output=True, check=True)
    return done.stdout


def restore(url: str, backup: bytes) -> None:
    """A backup brought into an empty database."""
    program = postgres_programs() / "psql"
    command = [program, "--dbname", url, "--quiet", "--set", "ON_ERROR_STOP=1"]
    subprocess.run(command, input=backup, capture_output=True, check=True)


async def histories(client: Client) -> AsyncIterator[tuple[str, bytes]]:
    """Every execution with its raw history, as a client without our codec reads it."""
    async for execution in client.list_workflows():
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        events = [event.SerializeToString() async for event in handle.fetch_history_events()]
        yield execution.id, b"".join(events)


async def shown(client: Client) -> bytes:
    """What the Web UI shows of executions without decoding anything: ids, queues, search attributes."""
    told = list[str]()
    async for each in client.list_workflows():
        attributes = {pair.key.name: pair.value for pair in each.typed_search_attributes}
        told.append(repr((each.id, each.task_queue, each.workflow_type, attributes)))
    return "\n".join(told).encode()


def logs(stack: Stack) -> dict[str, bytes]:
    """What every process of ours, PostgreSQL and Temporal wrote."""
    folder = stack.files.folder
    paths = [*stack.files.logs.iterdir(), *folder.rglob("*.log")]
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in set(paths) if path.is_file()
    }


async def metrics(stack: Stack) -> dict[str, bytes]:
    """What Prometheus is told by each process that offers something."""
    found: dict[str, bytes] = {}
    async with httpx.AsyncClient(timeout=5) as client:
        for name, pid in stack.pids.items():
            if pid is None or name in ("postgres", "temporal"):
                continue
            for each in psutil.Process(pid).net_connections():
                if each.status != psutil.CONN_LISTEN:
                    continue
                answer = await _asked(client, f"http://127.0.0.1:{each.laddr.port}/metrics")
                if b"# HELP" in answer:
                    found[name] = found.get(name, b"") + answer
    return found


async def _asked(client: httpx.AsyncClient, url: str) -> bytes:
    try:
        return (await client.get(url)).content
    except httpx.HTTPError:
        return b""


def files_of(folder: Path) -> Mapping[str, bytes]:
    """Files of a server, raw."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and os.access(path, os.R_OK)
    }


async def answers(stack: Stack, wrong: Iterable[tuple[str, str, Any]]) -> bytes:
    """What the API says to requests that are wrong."""
    told = list[bytes]()
    async with httpx.AsyncClient(base_url=stack.addresses.api) as client:
        for method, path, body in wrong:
            answer = await client.request(method, path, json=body)
            assert 400 <= answer.status_code < 500, (path, answer.status_code, answer.text)
            told.append(answer.content)
    return b"\n".join(told)
