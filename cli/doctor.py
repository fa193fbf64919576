"""`clew doctor`: what is missing on this machine and in this installation, and how to get it."""

import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import typer

from cli.output import FAILED, STATE, AsJson, CommandError, State, print_json, print_table, run, say

USED_FOR = {
    "node": "tests of the TypeScript client",
    "npm": "tests of the TypeScript client",
    "go": "tests of the Go client, and to build Temporal",
    "java": "tests of the Java client, and the time-skipping server",
    "mvn": "tests of the Java client, and the time-skipping server",
    "docker-compose": "the test of the compose file",
    "chromium": "browser tests and pictures",
}


@dataclass(slots=True, frozen=True, kw_only=True)
class Finding:
    """One thing looked at. `optional` things are missing without harm to an installation."""

    what: str
    state: Literal["ok", "optional", "missing"]
    words: str
    remedy: str = ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(state: State = STATE, as_json: AsJson = False) -> None:
    """Say what is missing and how to get it. Exit code 1 where Clew cannot run."""
    findings = [_python(), _temporal(), *_tools(), *run(_installation(state))]
    missing = [finding for finding in findings if finding.state == "missing"]
    if as_json:
        print_json(findings)
    else:
        print_table(
            ("", "what", "", "to get it"),
            [
                ({"ok": "✓", "optional": "-", "missing": "✗"}[f.state], f.what, f.words, f.remedy)
                for f in findings
            ],
        )
        say("\nNothing that Clew needs is missing." if not missing else "")
    if missing:
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


async def _installation(state: Path) -> list[Finding]:
    from cli.installation import find_installation

    found = find_installation(state)
    if found.database_url is None and found.temporal_address is None:
        words = f"none runs in {state}, and none is named in the environment"
        return [Finding(what="installation", state="optional", words=words, remedy="clew up")]
    return [
        await _look("database", lambda: _database(found.need("database_url"))),
        await _look("search attributes", lambda: _search_attributes(state)),
    ]


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
