"""`clew doctor`: what is missing on this machine and in this installation, and how to get it."""

import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from cli.findings import Finding
from cli.output import FAILED, STATE, AsJson, CommandError, State, print_json, print_table, run, say

if TYPE_CHECKING:
    from temporalio.client import Client

    from stores.database import Pool

USED_FOR = {
    "node": "tests of the TypeScript client",
    "npm": "tests of the TypeScript client",
    "go": "tests of the Go client, and to build Temporal",
    "java": "tests of the Java client, and the time-skipping server",
    "mvn": "tests of the Java client, and the time-skipping server",
    "docker-compose": "the test of the compose file",
    "chromium": "browser tests and pictures",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    newest: Annotated[
        int, typer.Option("--runs", help="Hold the newest so many runs against the rules.", min=0)
    ] = 500,
    whole: Annotated[bool, typer.Option("--all", help="Hold all customers against them.")] = False,
    histories: Annotated[
        int, typer.Option(help="Ask so many open runs themselves what they were told.", min=0)
    ] = 50,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Say what is missing or wrong, on this machine and in this installation, and how to mend it.

    Exit code 1 where Clew cannot run, or where something does not hold that must.
    """
    here = run(_installation(state, None if whole else newest, histories))
    findings = [_python(), _temporal(), *_tools(), *here]
    bad = [finding for finding in findings if finding.state in ("missing", "wrong")]
    if as_json:
        print_json(findings)
    else:
        marks = {"ok": "✓", "optional": "-", "missing": "✗", "wrong": "✗"}
        print_table(
            ("", "what", "", "to get it, or to mend it"),
            [(marks[f.state], f.what, f.words, f.remedy) for f in findings],
        )
        say("\nNothing that Clew needs is missing." if not bad else "")
    if bad:
        raise typer.Exit(FAILED)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(what="python", state="ok", words=version)


def _temporal() -> Finding:
    from workers.embedded.finding_temporal import CLI_VERSION, cache_folder

    address, on_path = os.environ.get("TEMPORAL_ADDRESS"), shutil.which("temporal")
    cached = cache_folder() / f"temporal-{CLI_VERSION}"
    if address:
        return Finding(what="temporal", state="ok", words=f"TEMPORAL_ADDRESS is {address}")
    if on_path:
        return Finding(what="temporal", state="ok", words=on_path)
    if cached.is_file():
        return Finding(what="temporal", state="ok", words=str(cached))
    remedy = "make install (downloads it, or builds it with Go), or put the Temporal CLI on PATH"
    return Finding(what="temporal", state="missing", words="no server program", remedy=remedy)


def _tools() -> list[Finding]:
    from deploy.tools import find, remedy

    found = {name: find(name) for name in USED_FOR}
    return [
        Finding(what=name, state="ok", words=str(path))
        if path
        else Finding(
            what=name,
            state="optional",
            words=f"only for {USED_FOR[name]}",
            remedy=remedy([name]),
        )
        for name, path in found.items()
    ]


async def _installation(state: Path, newest: int | None, histories: int) -> list[Finding]:
    from cli.installation import find_installation

    found = find_installation(state)
    if found.database_url is None and found.temporal_address is None:
        words = f"none runs in {state}, and none is named in the environment"
        return [Finding(what="installation", state="optional", words=words, remedy="clew up")]
    first = [
        await _look("database", lambda: _database(found.need("database_url"))),
        await _look("search attributes", lambda: _search_attributes(state)),
    ]
    if first[0].state != "ok":
        return first
    try:
        return [*first, *await _living(state, newest, histories), *_outside(state)]
    except CommandError as error:
        return [*first, Finding(what="installation", state="missing", words=str(error))]


async def _living(state: Path, newest: int | None, histories: int) -> list[Finding]:
    from cli import living
    from cli.installation import database

    async with database(state) as pool:
        client = await _opening(state, pool)
        workers = await living.processes(pool)
        carried = any(each.what == "journey at work" and each.state == "ok" for each in workers)
        return [
            *workers,
            *await living.lags(pool),
            *await living.hooks(pool),
            *await living.versions(pool, client),
            *await living.rules(
                pool, client if carried else None, newest=newest, histories=histories
            ),
        ]


async def _opening(state: Path, pool: "Pool") -> "Client | None":
    """A client that opens histories; None where the keys, or the server, are not here."""
    import time

    from cli.history_keys import masters
    from cli.installation import temporal
    from stores.history_keys import HistoryKeyStore
    from workers.sealed_history import Sealing, data_converter

    try:
        keys = HistoryKeyStore(pool, masters(state), time.monotonic)
        return await temporal(state, converter=data_converter(sealing=Sealing(keys)))
    except CommandError:
        return None


def _outside(state: Path) -> list[Finding]:
    """What others could reach or guess."""
    from cli import living
    from workers.embedded.stack_files import running_stack

    local, ports = running_stack(state), dict[int, str]()
    for name in ("temporal_address", "temporal_ui", "api", "mailbox", "smtp_url", "codec"):
        told = getattr(local, name, None) if local else None
        port = urlsplit(told if "//" in told else f"//{told}").port if told else None
        if port is not None:
            ports[port] = name.removesuffix("_address").removesuffix("_url")
    return [*living.secrets_of(dict(os.environ)), *living.open_ports(ports)]


async def _look(what: str, look: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await look()
    except CommandError as error:
        return Finding(what=what, state="missing", words=str(error))


async def _database(url: str) -> Finding:
    import asyncio

    import psycopg

    from stores.migrations import pending

    try:
        missing = await asyncio.to_thread(pending, url)
    except psycopg.OperationalError as error:
        words = f"cannot be reached: {str(error).splitlines()[0]}"
        remedy = "start it, or correct CLEW_DATABASE_URL"
        return Finding(what="database", state="missing", words=words, remedy=remedy)
    if missing:
        words = f"lacks the migrations {', '.join(missing)}"
        return Finding(
            what="database", state="missing", words=words, remedy="python -m deploy.prepare"
        )
    return Finding(what="database", state="ok", words="reachable, no migration is pending")


async def _search_attributes(state: Path) -> Finding:
    from cli.installation import temporal
    from workers.connections import require_search_attributes
    from workers.process import UnfitInstallationError

    client = await temporal(state)
    try:
        await require_search_attributes(client)
    except UnfitInstallationError as error:
        return Finding(
            what="search attributes",
            state="missing",
            words=str(error),
            remedy="python -m deploy.prepare",
        )
    return Finding(what="search attributes", state="ok", words=f"registered in {client.namespace}")
